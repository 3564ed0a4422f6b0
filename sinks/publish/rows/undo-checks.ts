import type { ClientBase } from 'pg';
import { ident, literal } from '../../../src/db/quote.js';
import { hiddenCheck, type Offence, offence, raiseWhen, SQLSTATE } from './refusals.js';
import { differs, imageHash, keyJson, sameKey } from './sql.js';
import type { UndoTable } from './undo-survey.js';

/**
 * The published rows that are not as they were published: changed, deleted, or, for rows that the publish
 * deleted, there again. A SELECT with one text column `line`. A row without a key is known by its hash and by the
 * transaction that wrote it: others may be equal to it, and only their number counts among those that were added.
 */
function changedSince(table: UndoTable): string {
  const { live, written, deleted } = table.objects;
  if (table.key.length === 0) {
    const { ours } = table;
    const known = ours === null || ours.with.length === 0 ? '' : `WITH ${ours.with.join(', ')} `;
    const those = ours === null ? '' : `${ours.join('l')} WHERE ${ours.is('l')}`;
    return `${known}SELECT 'a row that was added is not there any more' AS line FROM (SELECT w.sluice_hash AS h, count(*) AS n FROM ${written} w GROUP BY w.sluice_hash) p LEFT JOIN (SELECT ${imageHash(table.image, 'l')} AS h, count(*) AS n FROM ${live} l${those} GROUP BY 1) q ON q.h OPERATOR(pg_catalog.=) p.h CROSS JOIN LATERAL generate_series(1, p.n - coalesce(q.n, 0)) g`;
  }
  const first = table.key[0] as UndoTable['key'][number];
  const gone = `l.${ident(first.name)} IS NULL`;
  return [
    `SELECT ${keyJson(table.key, 'w')}::text || CASE WHEN ${gone} THEN ' deleted' ELSE ' changed' END AS line FROM ${written} w LEFT JOIN ${live} l ON ${sameKey(table.key, 'l', 'w')} WHERE ${gone} OR w.sluice_hash IS NULL OR w.sluice_hash OPERATOR(pg_catalog.<>) ${imageHash(table.image, 'l')}`,
    `SELECT ${keyJson(table.key, 'd')}::text || ' there again' AS line FROM ${deleted} d JOIN ${live} l ON ${sameKey(table.key, 'l', 'd')}`,
  ].join(' UNION ALL ');
}

/** The rows that are not as they were before the publish; the same shape as changedSince. */
export function notAsBefore(table: UndoTable): string {
  const { live, before, deleted, written } = table.objects;
  if (table.key.length === 0) return `SELECT NULL::text AS line WHERE false`;
  const wrong = (saved: string) =>
    `SELECT ${keyJson(table.key, 'b')}::text AS line FROM ${saved} b WHERE NOT EXISTS (SELECT FROM ${live} l WHERE ${sameKey(table.key, 'l', 'b')} AND NOT (${differs(table.image, 'l', 'b')}))`;
  return [
    wrong(before),
    wrong(deleted),
    `SELECT ${keyJson(table.key, 'w')}::text AS line FROM ${written} w JOIN ${live} l ON ${sameKey(table.key, 'l', 'w')} WHERE w.sluice_kind = 'added'`,
  ].join(' UNION ALL ');
}

/** Statements that raise, under the lock, where the table was undone already or rows have changed since. */
export function undoChecks(table: UndoTable, discardWrites: boolean): string[] {
  const name = `${table.live.schema}.${table.live.table}`;
  const where = `schema_name = ${literal(table.live.schema)} AND table_name = ${literal(table.live.table)}`;
  const again = raiseWhen(
    SQLSTATE.alreadyUndone,
    'the publish was undone before',
    offence(
      name,
      `SELECT undone_at::text AS line FROM ${table.objects.counts} WHERE ${where} AND undone_at IS NOT NULL`,
    ),
  );
  const changed = raiseWhen(
    SQLSTATE.changedSince,
    'rows were changed since they were published',
    offence(name, changedSince(table)),
  );
  const hidden = hiddenCheck(table.live);
  return discardWrites ? [hidden, again] : [hidden, again, changed];
}

/** What an undo would do to one table. */
export interface UndoPreview {
  readonly table: string;
  /** Rows whose before-images would be put back, that were added and would go, that would come back. */
  readonly restored: number;
  readonly removed: number;
  readonly reinserted: number;
  /** Rows changed since the publish; undo is refused while there are any, unless writes are discarded. */
  readonly changedSince: { readonly count: number; readonly list: readonly string[] };
}

/** Looks at live without locking or changing anything; what it says holds for the moment. */
export async function previewUndo(client: ClientBase, tables: readonly UndoTable[]): Promise<UndoPreview[]> {
  const previews: UndoPreview[] = [];
  for (const table of tables) {
    const name = `${table.live.schema}.${table.live.table}`;
    const { deleted, written } = table.objects;
    const { rows } = await client.query(
      `SELECT (SELECT count(*) FROM ${written} w WHERE w.sluice_kind = 'changed')::float8 AS restored, (SELECT count(*) FROM ${written} w WHERE w.sluice_kind = 'added')::float8 AS removed, (SELECT count(*) FROM ${deleted})::float8 AS reinserted, (${offence(name, changedSince(table))}) AS since`,
    );
    const { since, ...counts } = rows[0] as Omit<UndoPreview, 'table'> & { since: Offence | null };
    previews.push({
      table: name,
      ...counts,
      changedSince: { count: since?.count ?? 0, list: since?.list ?? [] },
    });
  }
  return previews;
}
