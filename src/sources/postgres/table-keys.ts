import type { Database } from '../../core/run.js';
import { ident, qualified } from '../../db/quote.js';
import { readings, type TableName } from '../../db/table-name.js';

/** Different values that are asked for together. */
const PAGE = 20_000;

/**
 * The values of a column of a table along the user's search_path, as text, those that occur several times so many times;
 * NULL is left out. In pages on the session of `database`, so that it needs none of its own, and memory stays flat.
 */
export async function* tableKeys(
  database: Pick<Database, 'query'>,
  table: string,
  column: string,
): AsyncIterable<readonly string[]> {
  const [place] = readings(table) as [TableName];
  const from = place.schema === null ? ident(place.table) : qualified(place.schema, place.table);
  const value = `t.${ident(column)}`;
  for (let after: string | undefined; ; ) {
    const page = await database.query<{ key: string; n: string }>(
      `SELECT ${value}::text AS key, count(*) AS n FROM ${from} t
       WHERE ${after === undefined ? `${value} IS NOT NULL` : `${value} > $1`}
       GROUP BY ${value} ORDER BY ${value} LIMIT ${PAGE}`,
      after === undefined ? [] : [after],
    );
    if (page.length === 0) return;
    after = page.at(-1)?.key;
    yield page.flatMap(({ key, n }) => (n === '1' ? [key] : Array<string>(Number(n)).fill(key)));
  }
}
