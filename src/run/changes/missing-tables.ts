import { tableErrors } from '../../core/errors/catalogue/tables.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { NewTable } from '../../core/pipeline.js';
import { type ColumnFacts, readColumns } from '../../db/catalog/columns.js';
import type { PgDatabase } from '../../db/connect.js';
import { isLockFailure } from '../../db/locks/attempts.js';
import { patiently } from '../../db/locks/patiently.js';
import { ident, literal, qualified } from '../../db/quote.js';
import { sqlstateOf } from '../../db/server-error.js';
import { pathStatement, TO_OUR_PATH, type UsersPath } from '../../db/users-path.js';
import type { FoundTable } from '../given/tables.js';
import type { Job } from '../job/job.js';
import { Change, type Site } from './change.js';

type Place = Pick<FoundTable, 'schema' | 'table'>;

/** A table that a batch has made, as the ledger's `options.made` keeps it. */
export interface MadeTable extends Place {
  readonly oid: number;
}

/**
 * The columns that a missing table will have: it is made in a transaction that is rolled back. Throws
 * `create_failed` with what the server says.
 */
export async function futureColumns(
  database: PgDatabase,
  at: Place,
  sql: NewTable,
): Promise<readonly ColumnFacts[]> {
  const client = await database.connect('to see a table that is missing');
  try {
    await client.query(`BEGIN; ${pathStatement((await database.usersPath()).text, true)}`);
    await client.query(sql.create);
    await client.query(TO_OUR_PATH);
    return await readColumns(
      { query: async (text, parameters = []) => (await client.query(text, [...parameters])).rows },
      at.schema,
      at.table,
    );
  } catch (error) {
    throw createFailed(error, at);
  } finally {
    await client.query('ROLLBACK').catch(() => {});
    await client.end().catch(() => {});
  }
}

/**
 * The tables that the pipeline knows how to make and that are missing: they are made empty, all or none, and recorded
 * with the batch as its own. A run that publishes nothing takes them away again, and so does a rollback.
 */
export class MissingTables extends Change {
  readonly question = 'publishing';
  /** The names of those that were made. */
  made: readonly string[] = [];

  constructor(private readonly job: Job) {
    super();
  }

  /** Makes them, if any, and has the job find its tables again. Throws `create_failed`. */
  override async stage(): Promise<void> {
    const { missing, options } = this.job;
    if (missing.length === 0) return;
    const tables = missing.map(({ table }) => table);
    const statements = createStatements(
      this.job.batch as string,
      missing.map(({ table, sql }) => ({ table, sql })),
      await options.database.usersPath(),
    );
    try {
      await patiently(await options.database.session(), options.database.patience, statements);
    } catch (error) {
      throw createFailed(error, tables[0] as Place);
    }
    await this.job.findTables();
    this.made = tables.map(({ schema, table }) => `${schema}.${table}`);
  }

  override async discard(): Promise<void> {
    const { database, events } = this.job.options;
    const { dropped, kept } = await dropMade(database, this.job.batch as string);
    if (dropped.length > 0)
      events?.note?.(`dropped again, since nothing is published: ${dropped.join(', ')}`);
    if (kept.length > 0)
      events?.warn?.(
        `${kept.join(', ')}, made for this run, could not be dropped again: they stay, empty or in use`,
      );
  }
}

/** Takes them away again once all that the batch has published is taken back: as before it, there were none. */
export class MissingTablesUndo extends Change {
  readonly question = 'publishing';

  constructor(
    private readonly site: Site,
    private readonly batch: string,
  ) {
    super();
  }

  override async tidy(): Promise<void> {
    const { database, events } = this.site;
    const { dropped, kept } = await dropMade(database, this.batch);
    if (dropped.length > 0) events?.note?.(`dropped, since this batch had made them: ${dropped.join(', ')}`);
    if (kept.length > 0)
      events?.warn?.(
        `${kept.join(', ')}, which this batch had made, stay: at least one of them is in use by now`,
      );
  }
}

/**
 * What makes `missing` for `batch`: every table, then what follows on all of them, then the record. They are
 * made along the user's search_path. Pure.
 */
export function createStatements(
  batch: string,
  missing: readonly { readonly table: Place; readonly sql: NewTable }[],
  path: UsersPath,
): string[] {
  const names = missing.map(({ table }) => literal(qualified(table.schema, table.table)));
  return [
    pathStatement(path.text, true),
    ...missing.map(({ sql }) => sql.create),
    ...missing.flatMap(({ sql }) => sql.after ?? []),
    TO_OUR_PATH,
    `UPDATE sluice.migration_batch SET options = options || jsonb_build_object('made', (SELECT jsonb_agg(jsonb_build_object('schema', n.nspname, 'table', c.relname, 'oid', c.oid::bigint) ORDER BY c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (ARRAY[${names.join(', ')}]::regclass[]))) WHERE id = ${literal(batch)}`,
  ];
}

/**
 * Takes away the tables that a batch has made: those that are still the same tables and empty, all at once and
 * never with CASCADE, and only while no other batch of the pipeline may be filling them. Gives the names of
 * those that are gone and of those that stay, because somebody uses them by now.
 */
export async function dropMade(
  database: PgDatabase,
  batch: string,
): Promise<{ readonly dropped: readonly string[]; readonly kept: readonly string[] }> {
  const made = await madeBy(database, batch);
  if (made.length === 0) return { dropped: [], kept: [] };
  const names = made.map(({ schema, table }) => `${schema}.${table}`);
  const [others] = await database.query<{ busy: boolean }>(
    `SELECT EXISTS (SELECT FROM sluice.migration_batch o JOIN sluice.migration_batch b ON b.pipeline = o.pipeline
       WHERE b.id = $1 AND o.id <> b.id AND o.status IN ('pending', 'running', 'staged')) AS busy`,
    [batch],
  );
  if (others?.busy === true) return { dropped: [], kept: names };
  const tables = made.map(({ schema, table }) => qualified(schema, table));
  const filled = tables.map((table) => `EXISTS (SELECT FROM ${table})`).join(' OR ');
  const locks = `LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE`;
  const refuse = `DO ${literal(`BEGIN IF ${filled} THEN RAISE EXCEPTION 'not empty'; END IF; END`)}`;
  try {
    await patiently(await database.session(), database.patience, [
      locks,
      refuse,
      `DROP TABLE ${tables.join(', ')}`,
      `UPDATE sluice.migration_batch SET options = options - 'made' WHERE id = ${literal(batch)}`,
    ]);
    return { dropped: names, kept: [] };
  } catch {
    return { dropped: [], kept: names };
  }
}

/** The tables that the batch has made and that are still there under their names. */
export async function madeBy(database: PgDatabase, batch: string): Promise<MadeTable[]> {
  return database.query<MadeTable & Record<string, unknown>>(
    `SELECT m.schema, m."table", m.oid::float8 AS oid
     FROM sluice.migration_batch b
     CROSS JOIN LATERAL jsonb_to_recordset(coalesce(b.options->'made', '[]')) m(schema text, "table" text, oid bigint)
     JOIN pg_namespace n ON n.nspname = m.schema
     JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m."table" AND c.oid::bigint = m.oid
     WHERE b.id = $1 ORDER BY m.oid`,
    [batch],
  );
}

function createFailed(error: unknown, { schema, table }: Place): SluiceError {
  const { message } = error as { message?: string };
  const sqlstate = sqlstateOf(error);
  const known = { sqlstate, cause: error };
  const of = { table: `${schema}.${table}`, why: message ?? String(error) };
  const { create_failed: cannot } = tableErrors;
  if (sqlstate === '42501') return cannot.missingNoRights({ ...of, schema: ident(schema) }, known);
  if (sqlstate === '42P07') return cannot.missingMade(of, known);
  return isLockFailure(error) ? cannot.missingLocked(of, known) : cannot.missing(of, known);
}
