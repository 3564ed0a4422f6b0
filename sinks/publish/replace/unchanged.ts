import type { Database } from '../../../src/core/run.js';
import { primaryKey } from '../../../src/db/catalog/primary-key.js';
import { ident, qualified } from '../../../src/db/quote.js';

/** Rows compared first: where a table has changed at all, one of them nearly always tells. */
const SAMPLE = 500;

interface Place {
  readonly schema: string;
  readonly table: string;
}

/**
 * Whether a staged table holds exactly the rows that live holds. It gives up at the first difference: a sample by primary
 * key, then the number of rows, then everything; without a primary key it cannot tell, and says no.
 */
export async function holdsSameRows(database: Database, live: Place, staged: Place): Promise<boolean> {
  const key = await primaryKey(database, live);
  if (key.length === 0) return false;
  const [here, there] = [qualified(live.schema, live.table), qualified(staged.schema, staged.table)];
  const on = key.map((column) => `l.${ident(column)} = s.${ident(column)}`).join(' AND ');
  // *<> compares the rows' bytes, so it also knows types without equality, and 1.0 is not 1.00.
  const differ = (rows: string) =>
    `SELECT EXISTS (SELECT FROM ${rows} s LEFT JOIN ONLY ${here} l ON ${on} WHERE l.ctid IS NULL OR l.* *<> s.*) AS no`;
  const no = async (sql: string) => (await database.query<{ no: boolean }>(sql))[0]?.no !== false;
  if (await no(differ(`(SELECT * FROM ${there} LIMIT ${SAMPLE})`))) return false;
  if (await no(`SELECT (SELECT count(*) FROM ${there}) <> (SELECT count(*) FROM ONLY ${here}) AS no`))
    return false;
  // As many rows on both sides and a partner for each: then the partners are all there are.
  return !(await no(differ(there)));
}
