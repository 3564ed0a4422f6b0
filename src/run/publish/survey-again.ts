import { shapeDifferences, shapeRefusal } from '../../../sinks/publish/replace/shape.js';
import { IMAGE_XMIN, rowObjects } from '../../../sinks/publish/rows/target.js';
import type { FlowAccount } from '../../core/accounting.js';
import { type ColumnFacts, readColumns } from '../../db/catalog/columns.js';
import { withCatalog } from '../../db/catalog/session.js';
import { readTables, tableOid } from '../../db/catalog/table.js';
import type { Staged } from '../changes/staging.js';
import { type Surveyed, surveyTables } from '../changes/survey.js';
import type { Job } from '../job/job.js';
import { asStaged } from './prepare.js';

/**
 * What the catalog says of the tables once their rows are staged: DDL does not wait for a load. Reasons not to replace
 * a table that have come meanwhile are among the refusals; prepare throws them. Throws refused('shape') where live has
 * got other columns than staging, and whatever surveyTables throws.
 */
export async function surveyAgain(
  job: Job,
  staged: Staged,
  accounts: readonly FlowAccount[],
): Promise<Surveyed> {
  await assertSameShape(job, staged);
  const surveyed = await surveyTables(job);
  return { ...surveyed, rows: asStaged(surveyed.rows, staged, accounts) };
}

/**
 * Throws refused('shape') where the columns of a live table are not those that its staging was made after: before
 * anything asks the two of each other's rows, which the server could only refuse.
 */
export async function assertSameShape(job: Job, staged: Pick<Staged, 'replaced'>): Promise<void> {
  const client = await job.options.database.session();
  const facts = await withCatalog(client, async () => {
    const oids: number[] = [];
    for (const { target, oid } of staged.replaced)
      oids.push((await tableOid(client, target.schema, target.table)) ?? 0, oid);
    return readTables(client, oids);
  });
  for (const [at, { target }] of staged.replaced.entries()) {
    const [live, have] = facts.slice(2 * at, 2 * at + 2);
    if (live === undefined || have === undefined) continue;
    const differing = shapeDifferences(live, have);
    if (differing.length > 0) throw shapeRefusal(`${target.schema}.${target.table}`, differing);
  }
  for (const { target, schema, table } of job.tables) {
    if (target.mode === 'replace') continue;
    const differing = await rowsDifferences(job, { schema, table });
    if (differing.length > 0) throw shapeRefusal(`${schema}.${table}`, differing);
  }
}

/** How live's columns differ from those of the images that undo keeps of its rows: staging has only the loaded ones. */
async function rowsDifferences(job: Job, live: { schema: string; table: string }): Promise<string[]> {
  const { database } = job.options;
  const { before } = rowObjects(live, { staging: job.names.staging, undo: job.names.old });
  const [found] = await database.query<{ schema: string; table: string }>(
    `SELECT n.nspname AS schema, c.relname AS "table" FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`,
    [before],
  );
  if (found === undefined) return [];
  const now = (await readColumns(database, live.schema, live.table)).filter(
    ({ generated }) => generated === undefined,
  );
  const images = await readColumns(database, found.schema, found.table);
  return columnDifferences(
    now,
    images.filter(({ name }) => name !== IMAGE_XMIN),
  );
}

function columnDifferences(live: readonly ColumnFacts[], staged: readonly ColumnFacts[]): string[] {
  const names = (columns: readonly ColumnFacts[]) => columns.map(({ name }) => name).join(', ');
  return [
    ...(names(live) === names(staged)
      ? []
      : [`columns: live has (${names(live)}), staging (${names(staged)})`]),
    ...live.flatMap(({ name, type }) => {
      const is = staged.find((column) => column.name === name);
      return is === undefined || is.type === type
        ? []
        : [`column ${name}: type is ${type} in live, ${is.type} in staging`];
    }),
  ];
}
