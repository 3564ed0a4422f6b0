import { columnErrors } from '../core/errors/catalogue/columns.js';
import { tableErrors } from '../core/errors/catalogue/tables.js';
import { nearest } from '../core/errors/nearest.js';
import type { PgDatabase } from '../db/connect.js';
import { readings, tableText } from '../db/table-name.js';

/** A table, view or anything else with rows, found in the database. */
export interface Relation {
  readonly schema: string;
  readonly table: string;
  /** As it is typed. */
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns whose values come from others, and which nothing can load: left out unless they are asked for. */
  readonly generated: readonly string[];
  /** COPY reads it by itself. */
  readonly plain: boolean;
  /** As the planner's statistics estimate them; undefined where they do not say. */
  readonly estimatedRows: number | undefined;
}

/**
 * Finds what `wanted` means: `schema.table`, or a bare name along the user's search path. `columns`: those that are
 * exported, in their order. Throws usage `no_such_table`, `unknown_column`.
 */
export async function findRelation(
  database: PgDatabase,
  wanted: string,
  columns: readonly string[] | undefined,
): Promise<Relation> {
  const meant = readings(wanted);
  const { schemas } = await database.usersPath();
  const [row] = await database.query<{
    schema: string;
    table: string;
    plain: boolean;
    rows: number | null;
    columns: { name: string; generated: boolean }[] | null;
  }>(
    `SELECT n.nspname AS schema, c.relname AS "table",
            c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS plain,
            CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN c.reltuples::float8 END AS rows,
            (SELECT json_agg(json_build_object('name', a.attname, 'generated', a.attgenerated <> '') ORDER BY a.attnum)
             FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema, name, place)
     JOIN pg_class c ON c.relname = w.name JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND (n.nspname = w.schema OR (w.schema IS NULL AND n.nspname = ANY ($3::text[])))
     ORDER BY w.place, array_position($3::text[], n.nspname::text) LIMIT 1`,
    [meant.map(({ schema }) => schema), meant.map(({ table }) => table), schemas],
  );
  if (row === undefined) throw await missing(database, wanted, schemas);
  const all = row.columns ?? [];
  const name = tableText({ schema: schemas[0] === row.schema ? null : row.schema, table: row.table });
  for (const column of columns ?? []) {
    if (all.some((each) => each.name === column)) continue;
    const names = all.map((each) => each.name);
    throw columnErrors.unknown_column.inExport({
      table: name,
      column,
      meant: nearest(column, names),
      columns: names,
    });
  }
  const generated = all.filter((each) => each.generated).map((each) => each.name);
  const chosen = columns ?? all.filter((each) => !each.generated).map((each) => each.name);
  return {
    schema: row.schema,
    table: row.table,
    name,
    columns: chosen,
    generated: generated.filter((each) => !chosen.includes(each)),
    // COPY of a table gives no generated column.
    plain: row.plain && !chosen.some((each) => generated.includes(each)),
    estimatedRows: row.rows ?? undefined,
  };
}

async function missing(database: PgDatabase, wanted: string, schemas: readonly string[]) {
  const found = await database.query<{ schema: string | null; table: string }>(
    `SELECT CASE WHEN n.nspname = ANY ($1::text[]) THEN NULL ELSE n.nspname END AS schema, c.relname AS "table"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sluice')
     ORDER BY 2, 1 LIMIT 1000`,
    [schemas],
  );
  return tableErrors.no_such_table.toExport({ table: wanted, meant: nearest(wanted, found.map(tableText)) });
}
