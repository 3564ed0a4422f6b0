import type { Command } from 'commander';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { noSummary } from '../../run/end/no-summary.js';
import type { Summary } from '../../run/given/summary.js';
import { type DatabaseFlags, type RunFlags, withAllowed, withDatabase } from '../given/flags.js';
import { answerFailureWith } from '../show/failure.js';
import { asJson } from '../show/next.js';
import { exitOf } from '../show/outcome.js';

interface SwapFlags
  extends DatabaseFlags,
    Pick<RunFlags, 'maxShrink' | 'allowSuppressed' | 'rewriteOids' | 'runOwnersCode'> {
  readonly yes?: boolean;
  readonly logFile?: string;
  readonly pipeline?: string;
}

/** `sluice swap B` */
export function declareSwap(root: Command): void {
  withAllowed(withDatabase(root.command('swap').argument('<batch>', 'its id')))
    .description('publish a batch that `load` has staged')
    .option('--yes', 'do not ask; needed off a terminal')
    .option('--pipeline <file>', 'its pipeline, where that is a file: code runs only where you name it')
    .option('--log-file <file>', 'the log (default: .sluice/logs/<database>-<hash>-<batch>.log)')
    .action(async (id: string, flags: SwapFlags) => {
      answerFailureWith((error) => ({ ...noSummary(null, error), batch: id }));
      const { withSession } = await import('../given/session.js');
      process.exitCode = await withSession(flags.databaseUrl, async (session) => {
        const { findStaged, swapBatch } = await import('../../run/swap.js');
        const { pipelineOf } = await import('../given/pipelines.js');
        const { batchLog } = await import('../show/log.js');
        const { assertLoggable, ownLog } = await import('../show/log-place.js');
        const { showProgress } = await import('../show/progress.js');
        const { showSummary } = await import('../show/summary.js');
        const { ask } = await import('../given/ask.js');
        const { counted, print, say } = await import('../show/terminal.js');
        const batch = await findStaged(session.database, id);
        const pipeline = await pipelineOf(batch, flags.pipeline);
        say(
          `batch ${id} of ${batch.pipeline}: ${counted(batch.success_count, 'row')} staged, to be published`,
        );
        if (flags.yes !== true && !(await ask('publish it?')))
          throw commandErrors.interrupted.swapNotConfirmed({ batch: id });
        assertLoggable(flags.logFile);
        const log = batchLog();
        log.openFile(flags.logFile ?? (await ownLog(session.database, id)), id);
        const progress = await showProgress();
        let failed: Summary | undefined;
        try {
          const summary = await swapBatch(pipeline, batch, {
            database: session.database,
            signal: session.signal,
            from: batch.pipeline_from,
            log,
            events: {
              ...progress,
              failed: (summary) => {
                failed = summary;
              },
            },
            ...(flags.maxShrink === undefined ? {} : { maxShrink: flags.maxShrink }),
            ...(flags.allowSuppressed === true ? { allowSuppressed: true } : {}),
            ...(flags.rewriteOids === true ? { rewriteOids: true } : {}),
            ...(flags.runOwnersCode === true ? { runOwnersCode: true } : {}),
          });
          progress.stop();
          showSummary(summary, []);
          if (flags.json === true) print(asJson(summary));
          return exitOf(summary);
        } catch (error) {
          if (flags.json === true && failed !== undefined) print(asJson(failed));
          throw error;
        } finally {
          progress.stop();
          log.close();
        }
      });
    });
}
