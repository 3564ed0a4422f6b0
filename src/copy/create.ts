import { fillingErrors } from '../core/errors/catalogue/filling.js';
import { headerErrors } from '../core/errors/catalogue/headers.js';
import { tableErrors } from '../core/errors/catalogue/tables.js';
import { nearest } from '../core/errors/nearest.js';
import type { NewTable } from '../core/pipeline.js';
import type { PgDatabase } from '../db/connect.js';
import { ident } from '../db/quote.js';
import { readAsSql, readings } from '../db/table-name.js';
import { TO_OUR_PATH } from '../db/users-path.js';
import { noName, unfit } from './naming.js';
import { createTableSql, type ProposedTable } from './propose-table.js';
import type { CopyRequest } from './request.js';
import { type Look, sampleColumns } from './sample.js';
import type { Surroundings } from './silent-run.js';
import { keyInstead } from './unfilled.js';

/** PostgreSQL's own limit. */
const MOST_COLUMNS = 1600;

/** A table that is not there, with what it would be. */
export interface Proposal extends ProposedTable {
  readonly ddl: string;
  /** Rows that the types were taken from, and whether those were all. */
  readonly sampled: number;
  readonly complete: boolean;
}

/**
 * The table that the request's files ask for, or undefined where there is one of that name already. Reads
 * the files, or a good part of large ones; writes nothing. Throws usage errors for inputs that can be read only
 * once, names that no column can have, a schema that is not there, a key that is no column.
 */
export async function proposeTable(
  request: CopyRequest,
  around: Surroundings,
  look?: Look,
): Promise<Proposal | undefined> {
  const place = await placeOf(request.into, around.database);
  if (place === undefined) return undefined;
  const { columns, sampled, complete } = await sampleColumns(request, around, look);
  for (const { name } of columns) {
    const flag = Object.values(request.map ?? {}).includes(name) ? '--map' : '--columns';
    assertName(unfit(name), name, flag);
  }
  if (columns.length > MOST_COLUMNS)
    throw tableErrors.too_many_columns({ table: place.table, count: columns.length, most: MOST_COLUMNS });
  const names = columns.map(({ name }) => name);
  for (const column of request.key ?? []) {
    if (names.includes(column)) continue;
    const close = nearest(column, names);
    throw fillingErrors.no_such_column.inNewTable({
      column,
      columns: names,
      corrected: close === undefined ? undefined : keyInstead(request.key ?? [], column, close),
    });
  }
  const proposed = { ...place, columns, key: request.key ?? [] };
  return { ...proposed, ddl: createTableSql(proposed), sampled, complete };
}

/** How a run makes the table. Its types are the server's own, whatever the user's search_path has in front of them. Pure. */
export function newTable({ ddl }: Proposal): NewTable {
  return { create: `${TO_OUR_PATH};\n${ddl}` };
}

/** Where the table would stand; undefined where something of that name is there. */
async function placeOf(
  into: string,
  database: PgDatabase,
): Promise<{ schema: string; table: string } | undefined> {
  const meant = readings(into);
  const { schema: given, table } = readAsSql(into);
  assertName(noName(table), table, '--into');
  const { schemas } = await database.usersPath();
  const schema = given ?? schemas[0];
  const [found] = await database.query<{ there: boolean; exists: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = $1::text) AS there,
            EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS w (schema, name)
                    JOIN pg_class c ON c.relname = w.name JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = w.schema OR (w.schema IS NULL AND n.nspname = ANY ($4::text[]))) AS exists`,
    [schema ?? null, meant.map((each) => each.schema), meant.map(({ table: name }) => name), schemas],
  );
  if (found?.exists === true) return undefined;
  if (found?.there !== true || schema === undefined)
    throw given === null
      ? tableErrors.no_such_schema.onPath({ table })
      : tableErrors.no_such_schema.toCreateIn({ schema: given, quoted: ident(given), table });
  return { schema, table };
}

function assertName(why: string | undefined, name: string, flag: string): void {
  if (why !== undefined) throw headerErrors.bad_name.given({ name, why, flag });
}
