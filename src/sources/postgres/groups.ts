import { queryErrors } from '../../core/errors/catalogue/query.js';
import type { PartPlace } from '../../core/parts.js';
import type { Run } from '../../core/run.js';
import type { KeyBounds, KeyValue } from './key-range.js';
import { OpenQuery } from './open-query.js';
import { rowParser } from './rows.js';

/** A part of a source that is cut by a key: so many rows, from the number `start` (0-based) on. */
export interface GroupsPlace extends PartPlace {
  readonly of: KeyBounds;
}

/** What a statement says of every value of a key: how many rows the source has of it. */
const ROWS = 'rows';

/**
 * The places of the parts of a source whose groups `sql` counts: as many whole groups as have `most` rows, or one that has
 * more. The same wherever the rows are the same. Throws `group_rows` where the statement counts no rows for a group.
 */
export async function placesOfGroups(
  run: Run,
  sql: string,
  { name, key, most }: { readonly name: string; readonly key: readonly string[]; readonly most: number },
): Promise<GroupsPlace[]> {
  const counts = await OpenQuery.begin(run, sql, { name, columns: [...key, ROWS] });
  const places: GroupsPlace[] = [];
  const parse = rowParser(counts.columns);
  let from: KeyValue | undefined;
  let start = 0;
  let end = 0;
  const close = (to: KeyValue | undefined) => {
    if (end === start && to !== undefined) return;
    const of = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    places.push({ start, end, line: start + 1, lines: end - start, of });
    start = end;
    from = to;
  };
  try {
    for (let piece = await counts.next(); piece !== undefined; piece = await counts.next()) {
      for (const row of parse(piece, 1)) {
        const rows = Number(row[ROWS]);
        if (!Number.isSafeInteger(rows) || rows < 1) throw queryErrors.group_rows.counted({ query: name });
        if (end > start && end + rows > start + most)
          close(key.map((column) => row[column] as string | null));
        end += rows;
      }
    }
  } finally {
    await counts.close();
  }
  close(undefined);
  return places;
}
