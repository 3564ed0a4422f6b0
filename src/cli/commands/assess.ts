import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import { type PipelineFlags, pairs, type RunFlags, withInputs, withMaxRejects } from '../given/flags.js';

interface AssessFlags extends PipelineFlags, Pick<RunFlags, 'maxRejects'> {
  readonly html?: string;
}

/** `sluice assess P` */
export function declareAssess(root: Command): void {
  withMaxRejects(
    withInputs(root.command('assess').argument('<pipeline>', 'its name, or the path of a .ts or .js file')),
  )
    .description(
      'what the old system holds: row counts, data quality, relations, rows that a run would reject; writes nothing',
    )
    .option('--html <file>', 'also as one page that needs no network')
    .action(async (wanted: string, flags: AssessFlags) => {
      const { findPipeline } = await import('../given/pipelines.js');
      const { withReading } = await import('../given/session.js');
      const { pipeline } = await findPipeline(wanted);
      process.exitCode = await withReading(flags.databaseUrl, async (session) => {
        const { assessPipeline } = await import('../../assess/assess.js');
        const { givenInputs } = await import('../given/inputs.js');
        const { batchLog } = await import('../show/log.js');
        const { assessLines } = await import('../show/assess.js');
        const { asJson, sayNext } = await import('../show/next.js');
        const { print, say, styled } = await import('../show/terminal.js');
        const log = batchLog();
        log.discard();
        const assessed = await assessPipeline(pipeline, {
          database: session.database,
          signal: session.signal,
          inputs: await givenInputs(pipeline, flags),
          settings: pairs('--set', flags.set),
          ...(flags.maxRejects === undefined ? {} : { maxRejects: flags.maxRejects }),
          log,
        });
        if (flags.json === true) print(asJson(assessed));
        else for (const line of assessLines(assessed)) print(line);
        const { html } = flags;
        if (html !== undefined) {
          const { assessPage } = await import('../show/assess-html.js');
          await writeFile(html, assessPage(assessed), { mode: 0o600 }).catch(async (cause: Error) => {
            const { fileErrors } = await import('../../core/errors/catalogue/files.js');
            throw fileErrors.cannot_write.assessment({ path: html, why: cause.message }, { cause });
          });
          say(`written: ${html}`);
        }
        if (assessed.errors > 0)
          sayNext(
            `${styled('red', '✗')} ${plural(assessed.errors, 'error')}: a run would refuse`,
            again({ name: 'check', drop: ['html'] }, { note: 'asks the rest, too' }),
          );
        return assessed.errors > 0 ? EXIT.refused : EXIT.done;
      });
    });
}
