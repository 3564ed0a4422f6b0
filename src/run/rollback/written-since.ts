import { type Ours, readRestored, writtenBy } from '../../../sinks/publish/rows/restored.js';
import { previewUndo, type UndoPreview } from '../../../sinks/publish/rows/undo-checks.js';
import type { UndoTable } from '../../../sinks/publish/rows/undo-survey.js';
import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import { plural } from '../../core/plural.js';
import { primaryKey } from '../../db/catalog/primary-key.js';
import type { PgDatabase } from '../../db/connect.js';
import { type Published, undoneSince } from '../../db/ledger/published.js';
import { ident, literal, qualified } from '../../db/quote.js';
import type { UndoneTable } from './rolled-back.js';

/** Rows named in a refusal, per table. */
const LISTED = 10;

/** Looks at every table of an undo; locks and changes nothing, so that it holds for the moment. */
export async function previewTables(
  database: PgDatabase,
  batch: string,
  published: readonly Published[],
  rowTables: readonly UndoTable[],
): Promise<UndoneTable[]> {
  const client = await database.session();
  const previews = new Map<string, UndoPreview>();
  for (const preview of await previewUndo(client, rowTables)) previews.set(preview.table, preview);
  const tables: UndoneTable[] = [];
  for (const each of published) {
    const table = `${each.table_schema}.${each.table_name}`;
    const known = { table, mode: each.mode, rows: each.rows_staged };
    const preview = previews.get(table);
    tables.push(
      preview === undefined
        ? {
            ...known,
            ...{ restored: null, removed: each.rows_staged, reinserted: each.changes?.deleted ?? null },
            written_since: each.mode === 'replace' ? await writtenSince(database, batch, each) : NONE,
          }
        : {
            ...known,
            ...{ restored: preview.restored, removed: preview.removed, reinserted: preview.reinserted },
            written_since: { rows: preview.changedSince.count, list: preview.changedSince.list },
          },
    );
  }
  return tables;
}

const NONE = { rows: 0, list: [] };

/** Throws `written_since` where any of the tables was written to, listing rows of each; `lost` says what that means. */
export function assertUnwritten(tables: readonly UndoneTable[], lost = 'rolling back would lose them'): void {
  const written = tables.filter((each) => each.written_since.rows > 0);
  if (written.length === 0) return;
  throw rollbackErrors.written_since({ lost }, { details: written.flatMap(writtenLines) });
}

/** The lines that tell what was written to a table. */
export function writtenLines({ table, written_since: { rows, list } }: UndoneTable): string[] {
  if (rows === 0) return [];
  const listed = list.slice(0, LISTED).map((line) => `  ${line}`);
  const more = list.length > LISTED || (list.length > 0 && rows > list.length);
  return [
    `${table}: ${plural(rows, 'row')} written since`,
    ...listed,
    ...(more ? [`  … and ${rows - listed.length} more`] : []),
  ];
}

const isXid = (each: unknown): each is string => /^\d+$/.test(String(each));

/** The transactions that wrote a published table's rows, as xmin has them; undefined where the ledger does not know. */
export function writersOf({
  mode,
  facts: { writers, xid },
}: Pick<Published, 'mode' | 'facts'>): string[] | undefined {
  if (Array.isArray(writers)) return writers.filter(isXid).map(String);
  // A swapped-in table was written by its load.
  if (mode === 'replace' || !isXid(xid)) return undefined;
  return [String(BigInt(xid) % 4294967296n)];
}

/**
 * The rows that the batch wrote: a row carries the transaction that wrote it, and the ledger has those of the load; or
 * what the undo of a later batch has put back as it was. Undefined where the ledger has none. Batches published before the ledger
 * had them are told by the publishing transaction: a row of a newer one was written since; writers that are older than
 * the publish, and still write after it, are missed there.
 */
async function byBatch(
  database: PgDatabase,
  batch: string,
  { facts: { writers, xid }, table_schema: schema, table_name: table }: Published,
): Promise<Ours | undefined> {
  if (Array.isArray(writers)) {
    const target = { schema, table };
    const undone = await undoneSince(database, batch, target);
    return writtenBy(writers.filter(isXid), await readRestored(await database.session(), target, undone));
  }
  // age() compares 32-bit ids around the current one, so it is right for two billion transactions.
  if (!isXid(xid)) return undefined;
  const older = `pg_catalog.age((${literal(xid)}::numeric % 4294967296)::text::pg_catalog.xid)`;
  return { with: [], join: () => '', is: (alias) => `(pg_catalog.age(${alias}.xmin) > ${older})` };
}

/**
 * The rows of a swapped-in table that others wrote after the publish, without anything having watched: inserted or
 * updated rows bear another transaction than the load's, and of the published ones so many are gone as are missing.
 */
async function writtenSince(
  database: PgDatabase,
  batch: string,
  table: Published,
): Promise<UndoneTable['written_since']> {
  const live = qualified(table.table_schema, table.table_name);
  const ours = await byBatch(database, batch, table);
  if (ours === undefined) return NONE;
  const known = ours.with.length === 0 ? '' : `WITH ${ours.with.join(', ')} `;
  const newer = `NOT ${ours.is('t')}`;
  const from = `FROM ONLY ${live} t${ours.join('t')}`;
  const [counts] = await database.query<{ now: number; since: number }>(
    `${known}SELECT count(*)::float8 AS now, count(*) FILTER (WHERE ${newer})::float8 AS since ${from}`,
  );
  const { now, since } = counts as { now: number; since: number };
  // A row that was updated counts as newer and as gone.
  const gone = Math.max(0, table.rows_staged - (now - since));
  if (since === 0 && gone === 0) return NONE;
  const key = await primaryKey(database, { schema: table.table_schema, table: table.table_name });
  const rows =
    since === 0
      ? []
      : await database.query<{ key: string }>(
          `${known}SELECT ${key.length === 0 ? 't::text' : `concat_ws(', ', ${key.map((column) => `t.${ident(column)}`).join(', ')})`} AS key
           ${from} WHERE ${newer} ORDER BY 1 LIMIT ${LISTED}`,
        );
  const listed = rows.map((row) => `${key.length === 0 ? '' : `${key.join(', ')} = `}${row.key}`);
  return {
    rows: Math.max(since, gone),
    list: [
      ...(gone > 0 ? [`${gone} of the published rows are deleted or updated`] : []),
      ...listed.map((line) => `inserted or updated: ${line}`),
    ],
  };
}
