import type { Database } from '../core/run.js';
import { primaryKey } from '../db/catalog/primary-key.js';
import { ident, qualified } from '../db/quote.js';
import type { Job } from './job.js';
import type { Staged } from './staging.js';
import type { LiveTable } from './tables.js';

/** Rows compared first: where a table has changed at all, one of them nearly always tells. */
const SAMPLE = 500;

/**
 * Whether staging holds exactly what live holds, row for row, in every table, so that a publish would change
 * nothing. Only asked where all tables are replaced. It gives up at the first difference: the number of rows,
 * then a sample by primary key, then everything.
 */
export async function isUnchanged(job: Job, staged: Staged): Promise<boolean> {
  if (job.tables.some(({ target }) => target.mode !== 'replace')) return false;
  const { database } = job.options;
  for (const table of job.tables) {
    const place = staged.places.get(table.target) as { schema: string; table: string };
    const key = await primaryKey(database, table);
    if (key.length === 0) return false;
    if (!(await same(database, table, qualified(place.schema, place.table), key))) return false;
  }
  return job.tables.length > 0;
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
