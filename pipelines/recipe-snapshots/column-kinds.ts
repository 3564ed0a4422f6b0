import type { Run } from 'sluice';

/** What a column's value is in Python, of which json.dumps writes an int without a point and a float with one. */
export type PythonKind = 'int' | 'float' | 'text';

/** The kind of a column of the application's table; text where there is no such column. */
export type KindOf = (column: string) => PythonKind;

const KINDS: Readonly<Record<string, PythonKind>> = {
  int2: 'int',
  int4: 'int',
  int8: 'int',
  float4: 'float',
  float8: 'float',
  numeric: 'float',
};

/**
 * The kinds of the columns of `recipes`, as the application has them, whatever the rows come from: a document may
 * write 24 for what the table keeps as 24.0, and a query gives 24 for both.
 */
export async function recipeKinds(run: Run): Promise<KindOf> {
  const columns = await run.database.query<{ name: string; type: string }>(
    `SELECT a.attname AS name, coalesce(b.typname, t.typname) AS type
     FROM pg_catalog.pg_attribute a
     JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
     WHERE a.attrelid = 'recipes'::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped`,
  );
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  return (column) => KINDS[types.get(column) ?? ''] ?? 'text';
}
