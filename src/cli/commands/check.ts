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
      const { givenFiles, givenInputs } = await import('../given/inputs.js');
      const { needsDatabase } = await import('../../run/given/publishes.js');
      const { pipeline, from } = await findPipeline(wanted);
      const inputs = await givenInputs(pipeline, flags);
      const needed = needsDatabase(pipeline, inputs);
      process.exitCode = await withReading(
        flags.databaseUrl,
        async (session) => {
          const { checkIn } = await import('../../program/run.js');
          const { batchLog } = await import('../show/log.js');
          const { showProgress } = await import('../show/progress.js');
          const { showFindings, showPlan } = await import('../show/plan.js');
          const { asJson, sayNext } = await import('../show/next.js');
          const { print, styled } = await import('../show/terminal.js');
          const log = batchLog();
          log.discard();
          const progress = await showProgress();
          const checked = await checkIn(
            session,
            pipeline,
            {
              from,
              inputs: await givenFiles(pipeline, flags),
              settings: pairs('--set', flags.set),
              ...(flags.maxRejects === undefined ? {} : { maxRejects: flags.maxRejects }),
              log,
              events: progress,
            },
            flags.rows,
          ).finally(() => progress.stop());
          showPlan(checked.plan);
          showFindings(checked.findings);
          if (flags.json === true) print(asJson(checked));
          if (checked.ok)
            sayNext(
              `${styled('green', '✓')} ${plural(checked.asked.length, 'check')} passed`,
              again({ name: 'run', drop: ['rows'], flags: { dryRun: true } }),
            );
          return checked.ok ? EXIT.done : EXIT.refused;
        },
        needed,
      );
    });
}
