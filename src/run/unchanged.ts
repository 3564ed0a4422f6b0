import type { Database } from '../core/run.js';
import { primaryKey } from '../db/catalog/primary-key.js';
import { ident, qualified } from '../db/quote.js';
import type { Job } from './job.js';
import type { Staged } from './staging.js';
import type { LiveTable } from './tables.js';
import { isMissing, planViews } from './views.js';

/** Rows compared first: where a table has changed at all, one of them nearly always tells. */
const SAMPLE = 500;

/**
 * Whether a publish would change nothing: staging holds exactly what live holds, row for row, in every table
 * that is replaced, nothing in every table whose rows are added or changed, and no view is to be made. It gives
 * up at the first difference: the number of rows, then a sample by primary key, then everything.
 */
export async function isUnchanged(job: Job, staged: Staged): Promise<boolean> {
  const { database } = job.options;
  for (const table of job.tables) {
    const place = staged.places.get(table.target) as { schema: string; table: string };
    if (table.target.mode !== 'replace') {
      // A merge that deletes what staging lacks changes something just by having nothing.
      if (table.target.missingRows === 'delete') return false;
      if (!(await isEmpty(database, qualified(place.schema, place.table)))) return false;
      continue;
    }
    const key = await primaryKey(database, table);
    if (key.length === 0) return false;
    if (!(await same(database, table, qualified(place.schema, place.table), key))) return false;
  }
  return job.tables.length > 0 && !(await planViews(job)).some(isMissing);
}

async function isEmpty(database: Database, staged: string): Promise<boolean> {
  const [row] = await database.query<{ empty: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ${staged}) AS empty`,
  );
  return row?.empty === true;
}

async function same(
  database: Database,
  table: LiveTable,
  staged: string,
  key: readonly string[],
): Promise<boolean> {
  const live = qualified(table.schema, table.table);
  const on = key.map((column) => `l.${ident(column)} = s.${ident(column)}`).join(' AND ');
  // *<> compares the rows' bytes, so it also knows types without equality, and 1.0 is not 1.00.
  const [sample] = await database.query<{ differs: boolean }>(
    `SELECT EXISTS (SELECT FROM (SELECT * FROM ${staged} LIMIT ${SAMPLE}) s LEFT JOIN ONLY ${live} l ON ${on}
                    WHERE l.ctid IS NULL OR l.* *<> s.*) AS differs`,
  );
  if (sample?.differs !== false) return false;
  const [counts] = await database.query<{ equal: boolean }>(
    `SELECT (SELECT count(*) FROM ${staged}) = (SELECT count(*) FROM ONLY ${live}) AS equal`,
  );
  if (counts?.equal !== true) return false;
  // As many rows on both sides and a partner for each: then the partners are all there are.
  const [all] = await database.query<{ differs: boolean }>(
    `SELECT EXISTS (SELECT FROM ${staged} s LEFT JOIN ONLY ${live} l ON ${on}
                    WHERE l.ctid IS NULL OR l.* *<> s.*) AS differs`,
  );
  return all?.differs === false;
}
