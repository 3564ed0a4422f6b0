import type { Command } from 'commander';
import { EXIT } from '../core/errors.js';
import { type DatabaseFlags, withDatabase } from './flags.js';

interface SwapFlags extends DatabaseFlags {
  readonly yes?: boolean;
}

/** `sluice swap B` */
export function declareSwap(root: Command): void {
  withDatabase(root.command('swap').argument('<batch>', 'its id'))
    .description('publish a batch that `load` has staged')
    .option('--yes', 'do not ask; needed off a terminal')
    .action(async (id: string, flags: SwapFlags) => {
      const { withSession } = await import('./session.js');
      process.exitCode = await withSession(flags.databaseUrl, async (session) => {
        const { findStaged, swapBatch } = await import('../run/swap.js');
        const { pipelineOf } = await import('./pipelines.js');
        const { batchLog } = await import('./log.js');
        const { showProgress } = await import('./progress.js');
        const { showSummary } = await import('./summary-text.js');
        const { ask } = await import('./ask.js');
        const { count, print, say } = await import('./terminal.js');
        const batch = await findStaged(session.database, id);
        const pipeline = await pipelineOf(batch);
        say(`batch ${id} of ${batch.pipeline}: ${count(batch.success_count)} rows staged, to be published`);
        if (flags.yes !== true && !(await ask('publish it?'))) return EXIT.interrupted;
        const log = batchLog({ jsonToStderr: false });
        if (batch.log_file === null) log.discard();
        else log.openFile(batch.log_file);
        const progress = await showProgress();
        try {
          const summary = await swapBatch(pipeline, batch, {
            database: session.database,
            signal: session.signal,
            from: batch.pipeline_from,
            log,
            events: progress,
          });
          progress.stop();
          showSummary(summary, []);
          if (flags.json === true) print(JSON.stringify(summary));
          return summary.rejected > 0 ? EXIT.publishedWithRejects : EXIT.done;
        } finally {
          progress.stop();
          log.close();
        }
      });
    });
}
