import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { guardOption, type PipelineFlags, pairs, withInputs } from '../given/flags.js';

interface PlanFlags extends PipelineFlags {
  readonly guard: 'journal' | 'lock' | 'off';
  readonly triggers?: boolean;
  readonly workers?: boolean;
}

/** `sluice plan P` */
export function declarePlan(root: Command): void {
  withInputs(root.command('plan').argument('<pipeline>', 'its name, or the path of a .ts or .js file'))
    .description('the publish as it would be: statements, locks, what is carried over, disk; writes nothing')
    .addOption(guardOption())
    .option('--no-triggers', "append, merge, sync, patch: as if the tables' own triggers did not fire")
    .option('--workers', 'which inputs workers would load, in which parts, and why others not')
    .action(async (wanted: string, flags: PlanFlags) => {
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
          const { planPipeline } = await import('../../run/check.js');
          const { makingAgain } = await import('../elsewhere/recipe.js');
          const { batchLog } = await import('../show/log.js');
          const { showFindings, showPlan } = await import('../show/plan.js');
          const { publishLines } = await import('../show/publish.js');
          const { asJson } = await import('../show/next.js');
          const { print } = await import('../show/terminal.js');
          const log = batchLog();
          log.discard();
          const { plan, findings } = await planPipeline(pipeline, {
            database: session.database,
            signal: session.signal,
            from,
            inputs,
            settings: pairs('--set', flags.set),
            guard: flags.guard,
            ...(flags.triggers === false ? { noTriggers: true } : {}),
            ...(flags.workers === true
              ? {
                  workers: true,
                  again: makingAgain({ kind: 'pipeline', from, files: await givenFiles(pipeline, flags) }),
                }
              : {}),
            log,
          });
          const refused = findings.some(({ finding }) => finding.severity === 'error');
          if (flags.json === true)
            print(
              asJson({
                ...plan,
                ok: !refused,
                findings: findings.map(({ name, finding }) => ({ name, ...finding })),
              }),
            );
          else {
            showPlan(plan);
            if (plan.publish !== undefined) for (const line of publishLines(plan.publish, true)) print(line);
            showFindings(findings.map(({ name, finding }) => ({ name, ...finding })));
          }
          return refused ? EXIT.refused : EXIT.done;
        },
        needed,
      );
    });
}
