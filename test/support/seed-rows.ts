import type { Client } from 'pg';
import { idents, qualified } from '../../src/db/quote.js';

// Values are the same for every column of a type, so that a table's row is the parent of the rows of others. A column
// of a foreign key takes what a row of its parent has, where there is one.
const EMPTY = `
SELECT n.nspname AS schema, c.relname AS table, coalesce(json_agg(json_build_object('name', a.attname,
    'value', coalesce(
      (SELECT format('(SELECT p.%I FROM %I.%I p WHERE p.%I IS NOT NULL ORDER BY 1 LIMIT 1)', pa.attname, pn.nspname, pc.relname, pa.attname)
        FROM pg_constraint k JOIN pg_class pc ON pc.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
        JOIN pg_attribute pa ON pa.attrelid = pc.oid AND pa.attnum = k.confkey[array_position(k.conkey, a.attnum)]
        WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid <> c.oid AND a.attnum = ANY (k.conkey) ORDER BY k.conname LIMIT 1),
      'NULL'),
    'type', format_type(a.atttypid, a.atttypmod), 'category', b.typcategory,
    'label', (SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder LIMIT 1), 'base', b.typname)
    ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL), '[]') AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  AND NOT a.atthasdef AND a.attidentity = ''
LEFT JOIN LATERAL (SELECT bt.* FROM pg_type t JOIN pg_type bt ON bt.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  WHERE t.oid = a.atttypid) b ON true
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|sluice)' AND n.nspname <> 'information_schema'
GROUP BY 1, 2 ORDER BY count(*) FILTER (WHERE EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f')), 1, 2`;

interface EmptyTable {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly {
    readonly name: string;
    readonly value: string;
    readonly type: string;
    readonly category: string;
    readonly label: string | null;
    readonly base: string;
  }[];
}

/** Text that a type of the category takes; `n` makes two rows differ. */
function sample({ category, label, base }: EmptyTable['columns'][number], n: number, from: number): string {
  if (label !== null) return label;
  const of: Record<string, string> = {
    N: String(from + n),
    S: 'xy'[n - 1] as string,
    B: 'true',
    D: base === 'time' || base === 'timetz' ? `0${n}:00` : `2020-01-0${n}`,
    T: `${n} days`,
    A: '{}',
    R: 'empty',
    I: `127.0.0.${n}`,
    G: '(0,0)',
    V: `${n}`,
  };
  if (base === 'uuid') return `00000000-0000-4000-8000-00000000000${n}`;
  if (base.startsWith('json')) return '{}';
  if (base === 'bytea') return '\\x00';
  if (base === 'xml') return '<x/>';
  if (base === 'tsvector') return 'x';
  return of[category] ?? '';
}

/**
 * Gives every table without rows one or two, past its triggers and foreign keys but such that its keys hold where their
 * parents are tables of this kind. What a table's constraints do not take is left out. Returns how many tables stay
 * empty. `session` has session_replication_role replica.
 */
export async function seedRows(session: Client): Promise<number> {
  const { rows: tables } = await session.query<EmptyTable>(EMPTY);
  // Parents first, as far as their order tells; what has no parent yet gets its turn again.
  const empty = new Set(tables);
  for (const pass of ['parents', 'parents', 'any'] as const)
    for (const table of tables) if (await seed(session, table, pass)) empty.delete(table);
  return empty.size;
}

/** `parents`: only where the rows' parents are there. */
async function seed(
  session: Client,
  { schema, table, columns }: EmptyTable,
  pass: 'parents' | 'any',
): Promise<boolean> {
  const at = qualified(schema, table);
  const { rows: some } = await session.query(`SELECT FROM ${at} LIMIT 1`);
  if (some.length > 0) return true;
  const values = columns.map(({ value, type }, n) => {
    const made = `$${n + 1}::${type}`;
    if (value === 'NULL') return made;
    return pass === 'any'
      ? `coalesce(${value}, ${made})`
      : `CASE WHEN ${made} IS NULL THEN NULL ELSE ${value} END`;
  });
  const insert =
    columns.length === 0
      ? `INSERT INTO ${at} DEFAULT VALUES`
      : `INSERT INTO ${at} (${idents(columns.map(({ name }) => name))}) VALUES (${values.join(', ')})`;
  // A year, where a small number does not do.
  for (const from of [0, 2000]) {
    let made = 0;
    for (const n of [1, 2]) {
      const row = columns.map((column) => sample(column, n, from));
      made += (await session.query(insert, row).catch(() => ({ rowCount: 0 }))).rowCount ?? 0;
    }
    if (made > 0) return true;
  }
  return false;
}
