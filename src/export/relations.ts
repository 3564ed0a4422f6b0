import { columnErrors } from '../core/errors/catalogue/columns.js';
import { tableErrors } from '../core/errors/catalogue/tables.js';
import { nearest } from '../core/errors/nearest.js';
import { findRelation, relationNames } from '../db/catalog/relation.js';
import type { PgDatabase } from '../db/connect.js';
import { tableText } from '../db/table-name.js';

/** A table, view or anything else with rows, found in the database. */
export interface ExportedRelation {
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
export async function relationToExport(
  database: PgDatabase,
  wanted: string,
  columns: readonly string[] | undefined,
): Promise<ExportedRelation> {
  const found = await findRelation(database, wanted);
  if (found === undefined) {
    const meant = nearest(wanted, await relationNames(database, ['r', 'p', 'v', 'm', 'f']));
    throw tableErrors.no_such_table.toExport({ table: wanted, meant });
  }
  const { schema, table, rows } = found;
  const [facts] = await database.query<{
    plain: boolean;
    columns: { name: string; generated: boolean }[] | null;
  }>(
    `SELECT c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS plain,
            (SELECT json_agg(json_build_object('name', a.attname, 'generated', a.attgenerated <> '') ORDER BY a.attnum)
             FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM pg_class c WHERE c.oid = $1`,
    [found.oid],
  );
  const { schemas } = await database.usersPath();
  const all = facts?.columns ?? [];
  const name = tableText({ schema: schemas[0] === schema ? null : schema, table });
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
    schema,
    table,
    name,
    columns: chosen,
    generated: generated.filter((each) => !chosen.includes(each)),
    // COPY of a table gives no generated column.
    plain: facts?.plain === true && !chosen.some((each) => generated.includes(each)),
    estimatedRows: rows < 0 ? undefined : rows,
  };
}
