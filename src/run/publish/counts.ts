import { type Changes, changes } from '../../core/changes.js';
import type { Target } from '../../core/target.js';
import { readPublished } from '../../db/ledger/published.js';
import { qualified } from '../../db/quote.js';
import { handedRows } from '../changes/handed.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { Job } from '../job/job.js';

/** What a publish does to the rows of each table, by target. */
export type ChangesOf = ReadonlyMap<Target, Changes>;

/** The changes by the tables' names, as the ledger and `--json` have them. */
export function byTable(job: Job, of: ChangesOf): Record<string, Changes> {
  return Object.fromEntries(
    job.tables.flatMap(({ target }) => [[target.table, of.get(target)]]).filter(isKnown),
  );
}

const isKnown = (entry: unknown[]): entry is [string, Changes] => entry[1] !== undefined;

/** What a dry run can know of the publish. */
export function foreseen(job: Job, { rows, replace }: JobChanges): Map<Target, Changes> {
  const loaded = handedRows(job);
  return new Map(
    job.tables.map((table) => {
      const by = table.target.mode === 'replace' ? replace : rows;
      return [table.target, by.foreseen(table, loaded.get(table.target) ?? 0)];
    }),
  );
}

/** What a run finds that has nothing to change. */
export function unchangedChanges(job: Job): Map<Target, Changes> {
  const of = [...handedRows(job)];
  return new Map(of.map(([target, staged]) => [target, changes({ staged, unchanged: staged })]));
}

/**
 * What a committed publish did: as it answered, or as the ledger has it where the answer was lost. Replaced tables that
 * were not guarded against writes are counted now that nobody writes to them any more, and the ledger is told.
 */
export async function committedChanges(job: Job, answered: ChangesOf): Promise<ChangesOf> {
  const { database } = job.options;
  const all = [...answered.values()];
  if (all.length > 0 && all.every(({ deleted }) => deleted !== null)) return answered;
  const known = new Map(answered);
  for (const { table_schema, table_name, changes: found, retained_schema } of await readPublished(
    database,
    job.batch as string,
  )) {
    const table = job.tables.find((each) => each.schema === table_schema && each.table === table_name);
    if (table === undefined || found === null) continue;
    known.set(table.target, found);
    if (found.deleted !== null || retained_schema === null) continue;
    const [counted] = await database.query<{ rows: number }>(
      `UPDATE sluice.migration_publish SET rows_deleted = (SELECT pg_catalog.count(*) FROM ONLY ${qualified(retained_schema, table_name)})
       WHERE batch_id = $1 AND table_schema = $2 AND table_name = $3 RETURNING rows_deleted::float8 AS rows`,
      [job.batch, table_schema, table_name],
    );
    known.set(table.target, { ...found, deleted: counted?.rows ?? null });
  }
  return known;
}
