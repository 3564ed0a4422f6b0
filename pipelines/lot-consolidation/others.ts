import { createHash } from 'node:crypto';
import type { AnyRow, Database, Row, Run } from 'sluice';
import { extend } from 'sluice/transforms';
import { LOT_COLUMNS, SERIAL_COLUMNS } from './tables.js';

/** What a row of the input calls the tables whose columns it has. */
export const PREFIX = { lots: 'lot.', serials: 'serial.' } as const;
const KNOWN = { lots: LOT_COLUMNS, serials: SERIAL_COLUMNS } as const;

/** The two tables whose own columns are carried along. */
export type Carrying = keyof typeof PREFIX;

/** The columns of both tables that the pipeline does not know: the owner's own. */
export type Others = Readonly<Record<Carrying, readonly string[]>>;

/** The longest name that PostgreSQL keeps whole, in bytes. */
const LONGEST_NAME = 63;

/** A column of the owner's own, with the name that it has in the rows of the input: `lot.inspector`. */
export interface Carried {
  readonly column: string;
  readonly as: string;
}

/** `others` of a table with their names in the rows of the input. */
export function carried(table: Carrying, others: readonly string[]): Carried[] {
  return others.map((column) => ({ column, as: nameInRows(`${PREFIX[table]}${column}`) }));
}

/** A name that PostgreSQL would cut off has a hash of the whole at its end. */
function nameInRows(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  const hash = `~${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
  let start = '';
  for (const character of name) {
    if (Buffer.byteLength(start + character + hash) > LONGEST_NAME) break;
    start += character;
  }
  return start + hash;
}

/** Those of `columns` of a table that the pipeline does not know. */
export function unknownOf(table: Carrying, columns: readonly string[] = []): readonly string[] {
  return columns.filter((column) => !KNOWN[table].some((known) => known === column));
}

/**
 * The owner's own columns of `lots` and `serials`, in their order: all but those that the database computes.
 * `updatable`: but for those, too, that no UPDATE may set (GENERATED ALWAYS AS IDENTITY).
 */
export async function othersOf(
  database: Database,
  { updatable = false }: { readonly updatable?: boolean } = {},
): Promise<Others> {
  const rows = await database.query<{ table: Carrying; column: string }>(
    `SELECT w.name AS "table", a.attname AS "column"
     FROM unnest(ARRAY['lots', 'serials']) w(name) JOIN pg_attribute a ON a.attrelid = to_regclass(w.name)::oid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''${updatable ? " AND a.attidentity <> 'a'" : ''}
     ORDER BY a.attnum`,
  );
  const of = (table: Carrying) =>
    unknownOf(
      table,
      rows.filter((row) => row.table === table).map(({ column }) => column),
    );
  return { lots: of('lots'), serials: of('serials') };
}

/** The columns that a run fills: those that the pipeline knows, and the owner's own. */
export async function filledColumns({ run }: { readonly run: Run }): Promise<Record<Carrying, string[]>> {
  const others = await othersOf(run.database);
  return { lots: [...LOT_COLUMNS, ...others.lots], serials: [...SERIAL_COLUMNS, ...others.serials] };
}

/**
 * A function that gives the row that is made of one of the input's the owner's own columns, called as the table has them,
 * or, with `as`, as the input does.
 */
export function carrying(
  table: Carrying,
  columns: readonly string[] | undefined,
  called: keyof Carried = 'column',
) {
  const all = carried(table, unknownOf(table, columns));
  if (all.length === 0) return <R extends AnyRow>(made: R, _from: Row): R => made;
  const withOthers = extend<Row>(...all.map((each) => each[called]));
  return <R extends AnyRow>(made: R, from: Row): R =>
    withOthers(made, Object.fromEntries(all.map((each) => [each[called], from[each.as] ?? null])));
}
