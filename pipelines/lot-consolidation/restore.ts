import {
  again,
  flow,
  ident,
  json,
  merge,
  named,
  type Pipeline,
  pipeline,
  plural,
  type Row,
  type Run,
  refused,
  SluiceError,
  type Source,
  type Stage,
  type Target,
} from 'sluice';
import { type Carrying, carried, type Others, othersOf, unknownOf } from './others.js';
import { LOT_COLUMNS, SERIAL_COLUMNS } from './tables.js';

type Kept = Readonly<Record<string, string | number | null>>;
type Live = Readonly<Record<string, string | null>>;

/** Conflicts that a refusal names; the others are counted. */
const NAMED = 100;

interface Restored {
  /** What messages call a row: 'LOT', 'serial'. */
  readonly what: string;
  readonly table: Carrying;
  /** The columns that the migration changed, with what the file has of before and after. */
  readonly changed: Readonly<Record<string, { readonly before: string; readonly after: string }>>;
  /** Whether the migration took the row away. */
  readonly gone: (row: Kept) => boolean;
}

const LOTS: Restored = {
  what: 'LOT',
  table: 'lots',
  changed: { lot_number: { before: 'old_lot_number', after: 'new_lot_number' } },
  gone: (row) => String(row.consolidated_into) !== String(row.id),
};

const SERIALS: Restored = {
  what: 'serial',
  table: 'serials',
  changed: {
    lot_id: { before: 'old_lot_id', after: 'new_lot_id' },
    serial_number: { before: 'old_serial_number', after: 'new_serial_number' },
  },
  gone: () => false,
};

/**
 * The rows as they are to be: what the migration changed is as before, everything else as live has it now; a row that
 * the migration took away is the file's. Asks live once a chunk. What is neither as the migration left it nor as it
 * was before is a conflict: refused('changed_since') at the end, naming them, unless `overwrite`.
 */
function before(of: Restored, { columns = [] }: Target, overwrite: boolean): Stage<Kept, Row> {
  const names = new Map(
    carried(of.table, unknownOf(of.table, columns)).map(({ column, as }) => [column, as]),
  );
  return named(`old ${of.what}s`, async function* (rows, run) {
    const conflicts: string[] = [];
    let more = 0;
    const conflict = (row: Kept, says: string) => {
      if (overwrite) return;
      if (conflicts.length < NAMED) conflicts.push(`${of.what} ${row.id}: ${says}`);
      else more += 1;
    };
    for await (const chunk of rows) {
      const ids = chunk.map((row) => String(row.id));
      const found = await run.database.query<Record<string, string | null>>(
        `SELECT ${columns.map((name) => `t.${ident(name)}::text AS ${ident(name)}`).join(', ')}
         FROM ${ident(of.table)} t WHERE t.id = ANY ($1::bigint[])`,
        [ids],
      );
      const live = new Map<string, Live>(found.map((row) => [String(row.id), row]));
      yield chunk.map((row) => {
        const now = live.get(String(row.id));
        if (now === undefined && !of.gone(row)) conflict(row, 'deleted since; it would come back');
        for (const [column, file] of Object.entries(of.changed)) {
          const value = now?.[column];
          const known = [row[file.before], ...(of.gone(row) ? [] : [row[file.after]])];
          if (value !== undefined && !known.some((each) => String(each) === value))
            conflict(row, `its ${column} is ${value} now, and was ${row[file.after]} after the migration`);
        }
        const restored = Object.entries(of.changed).map(([column, file]) => [column, row[file.before]]);
        return {
          ...Object.fromEntries(
            columns.map((name) => [name, now === undefined ? row[names.get(name) ?? name] : now[name]]),
          ),
          ...Object.fromEntries(restored),
        };
      });
    }
    if (conflicts.length === 0) return;
    throw refused(
      'changed_since',
      `${plural(conflicts.length + more, of.what)} ${conflicts.length + more === 1 ? 'was' : 'were'} changed since the migration`,
      {
        details: [...conflicts, ...(more > 0 ? [`and ${more} more`] : [])],
        state: 'nothing was published; live tables are untouched',
        next: again(
          { flags: { discardWrites: true } },
          { lead: 'to have the numbers of before all the same' },
        ),
      },
    );
  });
}

/** Those of the owner's own columns that the rows of the file have; none where the file cannot be read, as its check tells. */
async function keptOf(table: Carrying, others: Others, rows: Source<Kept>, run: Run): Promise<string[]> {
  try {
    for await (const [first] of rows.read(run))
      return carried(table, others[table])
        .filter(({ as }) => first !== undefined && Object.hasOwn(first, as))
        .map(({ column }) => column);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.kind === 'interrupted') throw error;
  }
  return [];
}

/**
 * The pipeline that takes back what `file` (a migration_backup_….json) says the migration changed: numbers, assignments
 * and LOTs that went. Whatever else was changed since, and rows that were added since, stay as they are.
 */
export function restoreLots(file: string, options: { readonly discardWrites: boolean }): Pipeline {
  const inputs = { lots: json<Kept>(file, { at: 'lots' }), serials: json<Kept>(file, { at: 'serials' }) };
  return pipeline({
    name: 'lot-consolidation-restore',
    summary: `Takes back what the migration of ${file} changed`,
    inputs,
    tables: {
      lots: merge('lots', { columns: LOT_COLUMNS, key: ['id'] }),
      serials: merge('serials', { columns: SERIAL_COLUMNS, key: ['id'] }),
    },
    fills: async ({ run }) => {
      const others = await othersOf(run.database, { updatable: true });
      return {
        lots: [...LOT_COLUMNS, ...(await keptOf('lots', others, inputs.lots, run))],
        serials: [...SERIAL_COLUMNS, ...(await keptOf('serials', others, inputs.serials, run))],
      };
    },
    flows: ({ inputs, tables }) => [
      flow(inputs.lots)
        .through(before(LOTS, tables.lots, options.discardWrites))
        .into(tables.lots),
      flow(inputs.serials)
        .through(before(SERIALS, tables.serials, options.discardWrites))
        .into(tables.serials),
    ],
  });
}
