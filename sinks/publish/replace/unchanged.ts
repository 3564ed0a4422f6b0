import { askUntil } from '../../../src/db/ask-until.js';
import { primaryKey } from '../../../src/db/catalog/primary-key.js';
import type { PgDatabase } from '../../../src/db/connect.js';
import { ident, qualified } from '../../../src/db/quote.js';

/** Blocks that are compared first, from all over the table: where one row in a hundred differs, they nearly always tell. */
const SAMPLED_BLOCKS = 8;
/** And so many at its end, where what is new mostly stands. */
const LAST_BLOCKS = 2;

interface Place {
  readonly schema: string;
  readonly table: string;
}

/**
 * Whether a staged table holds exactly the rows that live holds. It gives up at the first difference: a sample by primary
 * key, then the number of rows, then everything. Without a primary key it cannot tell, and says no; nor can it where the
 * server has not answered at the moment `until`.
 */
export async function holdsSameRows(
  database: PgDatabase,
  live: Place,
  staged: Place,
  until: number,
): Promise<boolean> {
  const key = await primaryKey(database, live);
  if (key.length === 0) return false;
  const [here, there] = [qualified(live.schema, live.table), qualified(staged.schema, staged.table)];
  const on = key.map((column) => `l.${ident(column)} = s.${ident(column)}`).join(' AND ');
  // *<> compares the rows' bytes, so it also knows types without equality, and 1.0 is not 1.00.
  const differ = (rows: string) =>
    `SELECT EXISTS (SELECT FROM ${rows} s LEFT JOIN ONLY ${here} l ON ${on} WHERE l.ctid IS NULL OR l.* *<> s.*) AS no`;
  const no = async (sql: string) => (await askUntil<{ no: boolean }>(database, until, sql))?.no !== false;
  const blocks = await blocksOf(database, there);
  if (blocks > SAMPLED_BLOCKS + LAST_BLOCKS && (await no(differ(sampleOf(there, blocks))))) return false;
  if (await no(`SELECT (SELECT count(*) FROM ${there}) <> (SELECT count(*) FROM ONLY ${here}) AS no`))
    return false;
  // As many rows on both sides and a partner for each: then the partners are all there are.
  return !(await no(differ(there)));
}

async function blocksOf(database: PgDatabase, table: string): Promise<number> {
  const [size] = await database.query<{ blocks: number }>(
    `SELECT (pg_catalog.pg_relation_size($1::pg_catalog.regclass) / pg_catalog.current_setting('block_size')::int8)::float8 AS blocks`,
    [table],
  );
  return size?.blocks ?? 0;
}

/** Rows of some blocks of a table that has so many, and of its last ones, as SQL. */
function sampleOf(table: string, blocks: number): string {
  const percent = (100 * SAMPLED_BLOCKS) / blocks;
  return `(SELECT * FROM ${table} TABLESAMPLE SYSTEM (${percent}) UNION ALL SELECT * FROM ${table} WHERE ctid >= '(${blocks - LAST_BLOCKS},0)'::pg_catalog.tid)`;
}
