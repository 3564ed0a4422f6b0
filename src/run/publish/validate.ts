import { runErrors } from '../../core/errors/catalogue/run.js';
import type { Finding, Validation } from '../../core/pipeline.js';
import type { Database } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { PgDatabase } from '../../db/connect.js';
import { withRoom } from '../../db/connect.js';
import { qualified } from '../../db/quote.js';
import { usersDatabase, usersSession } from '../../db/users-database.js';
import type { StagingTable } from '../changes/staging-table.js';
import { commandsOf, type NamedFinding, refusal, sentence } from '../check/findings.js';
import { spareWriterSession } from '../given/load-session.js';
import { validationContext } from '../job/contexts.js';
import type { Job } from '../job/job.js';

/** Validations asked at once, each session its own. */
const AT_ONCE = 2;

/**
 * Asks the pipeline's validations of staging, some at once; all are asked, then errors refuse together.
 * Staging has statistics before: without them the server joins millions of rows as if they were few.
 */
export async function validate(job: Job, places: ReadonlyMap<Target, StagingTable>): Promise<void> {
  const validations = job.pipeline.validations ?? [];
  if (validations.length === 0) return;
  const { database, log } = job.options;
  for (const { schema, table } of places.values())
    await database.query(`ANALYZE ${qualified(schema, table)}`);
  const context = validationContext(job, places, { accounts: job.state.accounts });
  const found = await asked(validations, database, job.batch as string, async (validation, session) => {
    const findings = await validation.ask({ ...context, database: session });
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    log.info(`validation ${validation.name} asked`, { errors });
    return findings;
  });
  const errors: NamedFinding[] = [];
  for (const [at, { name }] of validations.entries()) {
    for (const finding of found[at] as readonly Finding[]) {
      if (finding.severity === 'error') errors.push({ name, finding });
      else if (finding.severity === 'note')
        job.options.events?.note?.(sentence(name, finding), commandsOf(finding.next));
      else job.options.events?.warn?.(sentence(name, finding), commandsOf(finding.next));
    }
  }
  if (errors.length > 0) throw refusal(runErrors.validation_refused, errors);
}

/** What each validation found, in their order. The first exception ends all. */
async function asked(
  validations: readonly Validation[],
  database: PgDatabase,
  batch: string,
  ask: (validation: Validation, session: Database) => Promise<readonly Finding[]>,
): Promise<readonly (readonly Finding[])[]> {
  const found: (readonly Finding[])[] = [];
  let next = 0;
  const work = async (session: Database) => {
    while (next < validations.length) {
      const at = next++;
      try {
        found[at] = await ask(validations[at] as Validation, session);
      } catch (error) {
        next = validations.length;
        throw error;
      }
    }
  };
  const others = await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, validations.length) - 1 }, () =>
      spareWriterSession(database, batch, 'validation'),
    ),
  ).then((all) => all.filter((client) => client !== undefined));
  await Promise.all(others.map(withRoom));
  const done = await Promise.allSettled([
    work(usersDatabase(database)),
    ...others.map((client) => work(usersSession(database, client))),
  ]);
  await Promise.all(others.map((client) => client.end()));
  const broken = done.find((each): each is PromiseRejectedResult => each.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
  return found;
}
