import type { ClientBase } from 'pg';
import { type RowColumn, readRowTable } from '../../../src/db/catalog/row-tables.js';
import { literal, qualified } from '../../../src/db/quote.js';
import { imageColumns } from './before-images.js';
import { columnsOf, namesOf, sameKey } from './sql.js';
import { COUNTS_TABLE, IMAGE_XMIN, rowObjects } from './target.js';

/** The undo of a merge or patch: which rows it has put back, and what had written them before. */
export interface Restored {
  /** The undo's own transaction, as the rows' xmin has it. */
  readonly xid: string;
  readonly key: readonly RowColumn[];
  /** The tables of images, quoted: each with the columns of the key, and IMAGE_XMIN. */
  readonly images: readonly string[];
}

/** An undo as the ledger knows it. */
export interface UndoneRows {
  readonly xid: string;
  /** The schema of its batch's images. */
  readonly undo: string;
}

/**
 * What is known of `undone` (undos of one table, the earliest first): those whose images are still there and fit the
 * table. Of the others the rows that they put back are nobody's that could be told.
 */
export async function readRestored(
  client: ClientBase,
  target: { readonly schema: string; readonly table: string },
  undone: readonly UndoneRows[],
): Promise<Restored[]> {
  if (undone.length === 0) return [];
  const live = await readRowTable(client, target.schema, target.table);
  const restored: Restored[] = [];
  for (const { xid, undo } of undone) {
    const objects = rowObjects(target, { undo, staging: '' });
    const images = [objects.before, objects.deleted];
    const saved = [await imageColumns(client, objects.before), await imageColumns(client, objects.deleted)];
    const counts = qualified(undo, COUNTS_TABLE);
    if (live === undefined || !saved.every((columns) => columns.has(IMAGE_XMIN))) continue;
    const known = await client.query<{ key: string[] }>(
      `SELECT pg_catalog.to_json(key_columns) AS key FROM ${counts} WHERE schema_name = $1 AND table_name = $2`,
      [target.schema, target.table],
    );
    const key = (known.rows[0]?.key ?? []).flatMap((name) => {
      const column = live.columns.find((each) => each.name === name);
      return column !== undefined && saved.every((columns) => columns.get(name) === column.type)
        ? [column]
        : [];
    });
    if (key.length > 0 && key.length === known.rows[0]?.key.length) restored.push({ xid, key, images });
  }
  return restored;
}

/** How a query tells the rows that some transactions have written from all others. */
export interface Ours {
  /** Queries for its WITH; may be none. */
  readonly with: readonly string[];
  /** Joins behind the table with `alias`. */
  readonly join: (alias: string) => string;
  /** The condition over a row of `alias`, or over an image with that xmin; never NULL. */
  readonly is: (alias: string, xmin?: string) => string;
}

/**
 * The rows that one of the transactions `writers` wrote, or that the undo of a later batch has put back where one of
 * them had written them: such a row bears the undo's transaction, and its image says whose it was. A row carries the
 * transaction that wrote it as xmin; freezing keeps it readable. Pure.
 */
export function writtenBy(writers: readonly string[], restored: readonly Restored[]): Ours {
  const own = `${literal(`{${writers.join(',')}}`)}::pg_catalog.xid[]`;
  const back = (i: number) => `sluice_back${i}`;
  // What an earlier undo has put back may be what a later one found and put back again.
  const upTo = (n: number): Pick<Ours, 'join' | 'is'> => ({
    join: (alias) =>
      restored
        .slice(0, n)
        .map(
          ({ key }, i) =>
            ` LEFT JOIN ${back(i)} ${alias}_${back(i)} ON ${sameKey(key, alias, `${alias}_${back(i)}`)}`,
        )
        .join(''),
    is: (alias, xmin = 'xmin') =>
      [
        `${alias}.${xmin} OPERATOR(pg_catalog.=) ANY (${own})`,
        ...restored
          .slice(0, n)
          .map(
            ({ xid }, i) =>
              `${alias}.${xmin} OPERATOR(pg_catalog.=) ${literal(xid)}::pg_catalog.xid AND ${alias}_${back(i)}.sluice_hit IS NOT NULL`,
          ),
      ].join(' OR '),
  });
  const all = upTo(restored.length);
  return {
    with: restored.map(({ key, images }, n) => {
      const { join, is } = upTo(n);
      const rows = images.map((image) => `SELECT ${namesOf(key)}, ${IMAGE_XMIN} FROM ${image}`);
      return `${back(n)} AS MATERIALIZED (SELECT DISTINCT ${columnsOf('b', key)}, true AS sluice_hit FROM (${rows.join(' UNION ALL ')}) b${join('b')} WHERE ${is('b', IMAGE_XMIN)})`;
    }),
    join: all.join,
    is: (alias, xmin) => `(${all.is(alias, xmin)})`,
  };
}
