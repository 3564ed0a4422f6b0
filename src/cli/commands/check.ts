import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import { type PipelineFlags, pairs, type RunFlags, withInputs, withMaxRejects } from '../given/flags.js';

type CheckFlags = PipelineFlags & Pick<RunFlags, 'maxRejects'> & { readonly rows: boolean };

/** `sluice check P` */
export function declareCheck(root: Command): void {
  withMaxRejects(
    withInputs(root.command('check').argument('<pipeline>', 'its name, or the path of a .ts or .js file')),
  )
    .description('ask every question that a run would ask first, and every row; write nothing')
    .option('--no-rows', 'ask the questions alone, and read no row')
    .action(async (wanted: string, flags: CheckFlags) => {
      const { findPipeline } = await import('../given/pipelines.js');
      const { withReading } = await import('../given/session.js');
      const { pipeline, from } = await findPipeline(wanted);
      process.exitCode = await withReading(flags.databaseUrl, async (session) => {
        const { checkPipeline } = await import('../../run/check.js');
        const { givenInputs } = await import('../given/inputs.js');
        const { batchLog } = await import('../show/log.js');
        const { showProgress } = await import('../show/progress.js');
        const { showFindings, showPlan } = await import('../show/plan.js');
        const { asJson, sayNext } = await import('../show/next.js');
        const { print, styled } = await import('../show/terminal.js');
        const log = batchLog({ jsonToStderr: false });
        log.discard();
        const progress = await showProgress();
        const { plan, findings, asked } = await checkPipeline(
          pipeline,
          {
            database: session.database,
            signal: session.signal,
            from,
            inputs: await givenInputs(pipeline, flags),
            settings: pairs('--set', flags.set),
            ...(flags.maxRejects === undefined ? {} : { maxRejects: flags.maxRejects }),
            log,
            events: progress,
          },
          flags,
        ).finally(() => progress.stop());
        showPlan(plan);
        showFindings(findings);
        const refused = findings.some(({ finding }) => finding.severity === 'error');
        if (flags.json === true)
          print(
            asJson({
              pipeline: pipeline.name,
              ok: !refused,
              asked,
              findings: findings.map(({ name, finding }) => ({ name, ...finding })),
              plan,
            }),
          );
        if (!refused)
          sayNext(
            `${styled('green', '✓')} ${plural(asked.length, 'check')} passed`,
            again({ name: 'run', drop: ['rows'], flags: { dryRun: true } }),
          );
        return refused ? EXIT.refused : EXIT.done;
      });
    });
}
