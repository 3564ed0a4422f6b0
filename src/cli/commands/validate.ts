import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { command } from '../../core/next.js';
import { noun, plural } from '../../core/plural.js';
import type { BatchValidated } from '../../run/maintain/revalidate.js';
import { collect, type DatabaseFlags, withDatabase } from '../given/flags.js';

interface ValidateFlags extends DatabaseFlags {
  readonly input: readonly string[];
  readonly source?: string;
  readonly pipeline?: string;
}

/** `sluice validate B` */
export function declareValidate(root: Command): void {
  withDatabase(root.command('validate').argument('<batch>', 'its id'))
    .description('ask the validations of a published batch again, of the tables as they are now')
    .option('--pipeline <file>', 'its pipeline, where that is a file: code runs only where you name it')
    .option('--input <name=path>', 'where an input is now, if a validation asks for it', collect, [])
    .option('--source <path>', 'the same for the only input, or an SQLite file')
    .action(async (id: string, flags: ValidateFlags) => {
      const { withReading } = await import('../given/session.js');
      process.exitCode = await withReading(flags.databaseUrl, async ({ database, signal }) => {
        const { assertValidations, findPublished, validateBatch } = await import(
          '../../run/maintain/revalidate.js'
        );
        const { pipelineOf } = await import('../given/pipelines.js');
        const { resumedInputs } = await import('../given/inputs.js');
        const { batchLog } = await import('../show/log.js');
        const { asJson, sayNext } = await import('../show/next.js');
        const { showFindings } = await import('../show/plan.js');
        const { print, say, styled } = await import('../show/terminal.js');
        const batch = await findPublished(database, id);
        const pipeline = await pipelineOf(batch, flags.pipeline);
        assertValidations(pipeline);
        const log = batchLog();
        log.discard();
        const validated = await validateBatch(pipeline, batch, {
          database,
          signal,
          inputs: await resumedInputs(database, pipeline, id, { ...flags, set: [] }),
          log,
        });
        for (const { name, summary, ok, askedAgain, findings } of validated.validations) {
          if (!askedAgain)
            say(`  ${styled('dim', '·')} ${name}: asked at the publish, and not again (${summary})`);
          else if (ok && findings.length === 0) say(`  ${styled('green', '✓')} ${name}: ${summary}`);
          showFindings(findings.map((finding) => ({ name, ...finding })));
        }
        for (const note of validated.notes) say(`  ${styled('yellow', '!')} ${note}`);
        if (flags.json === true) print(asJson(validated));
        const failed = validated.validations.filter((each) => !each.ok).length;
        if (validated.ok) say(`${styled('green', '✓')} batch ${id}: ${holding(validated)}`);
        else
          sayNext(
            `${styled('red', '✗')} batch ${id}: ${failed} of ${plural(validated.validations.length, 'validation')} ${noun(failed, 'fails', 'fail')}`,
            command('rollback', [id], { dryRun: true }, { lead: 'look, and if need be' }),
          );
        return validated.ok ? EXIT.done : EXIT.refused;
      });
    });
}

/** That all validations hold, as far as they are asked again. */
function holding({ validations }: BatchValidated): string {
  const once = validations.filter(({ askedAgain }) => !askedAgain).length;
  const n = validations.length - once;
  if (n === 0) return `nothing fails; ${plural(once, 'validation')} asked at the publish, and not again`;
  const hold = n === 1 ? 'its validation holds' : `all ${n} validations hold`;
  return once === 0 ? hold : `${hold}; ${once} more asked at the publish, and not again`;
}
