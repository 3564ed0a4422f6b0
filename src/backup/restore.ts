import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline as piped } from 'node:stream/promises';
import type { Client } from 'pg';
import { from } from 'pg-copy-streams';
import { backupErrors } from '../core/errors/catalogue/backup.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import type { Run } from '../core/run.js';
import { driverClient } from '../db/driver.js';
import { ident, literal, qualified } from '../db/quote.js';
import { isServerError } from '../db/server-error.js';
import { tableText } from '../db/table-name.js';
import { ourDatabase } from '../db/users-path.js';
import { type BackedUpTable, type Manifest, printOf, readManifest } from './manifest.js';
import type { TablePlace, TableSchema } from './postgres-schema.js';
import { asleep, awake } from './restore-around.js';

/** What was put back. */
export interface Restored {
  readonly directory: string;
  /** In the order in which they were restored; `made`: the table was missing. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly made: boolean }[];
  /** What was not, and why, a sentence each. */
  readonly notes: readonly string[];
}

/** A table of a backup that can be put back. */
interface Kept extends BackedUpTable {
  readonly place: TablePlace;
  readonly schema: TableSchema;
  readonly columns: readonly string[];
}

/**
 * Puts the tables of a backup back into the database of `run`, in one transaction: those that are missing are made as they
 * were, those that are there must be empty. Their triggers do not fire, their foreign keys are asked at the end, and their
 * sequences go on where they were. Every file is compared with the manifest before, and the rows are counted. Throws usage
 * `not_a_backup`, `nothing_to_restore`; refused `damaged_backup`, `not_empty`, `other_columns`; failed `restore_failed`.
 */
export async function restoreBackup(directory: string, run: Run): Promise<Restored> {
  const manifest = await readManifest(directory);
  const { tables, notes } = restorable(manifest, directory);
  await assertWhole(directory, manifest, tables);
  const client = await driverClient(ourDatabase(run.database).connect('restore'));
  client.on('error', () => {});
  let at: string | undefined;
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL check_function_bodies = off');
    const missing = await missingOf(client, tables);
    await assertEmpty(client, tables, missing);
    for (const { schema } of missing) await makeNeeds(client, schema);
    for (const { table, schema } of missing) {
      at = table;
      await client.query(schema.create);
    }
    const existing = tables.filter((each) => !missing.includes(each));
    const sleeping = await asleep(client, existing.map(nameOf));
    const done: { table: string; rows: number; made: boolean }[] = [];
    for (const each of tables) {
      run.signal.throwIfAborted();
      at = each.table;
      const rows = await copyRows(client, each, join(directory, each.file), run.signal);
      done.push({
        table: tableText({ schema: each.place.schema, table: each.place.name }),
        rows,
        made: missing.includes(each),
      });
    }
    for (const { table, schema } of missing) {
      at = table;
      for (const sql of schema.after) await client.query(sql);
    }
    for (const { table, sequences = [] } of tables) {
      at = table;
      for (const { sequence, last } of sequences)
        if (last !== null) await setSequence(client, sequence, last);
    }
    at = undefined;
    await awake(client, sleeping);
    notes.push(...(await addKeys(client, missing)));
    await client.query('COMMIT');
    return { directory, tables: done, notes };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    run.signal.throwIfAborted();
    throw explained(error, at);
  } finally {
    await client.end().catch(() => {});
  }
}

const nameOf = ({ place }: { readonly place: TablePlace }) => qualified(place.schema, place.name);

function restorable(manifest: Manifest, directory: string): { tables: Kept[]; notes: string[] } {
  const tables: Kept[] = [];
  const notes: string[] = [];
  for (const table of manifest.tables) {
    const { place, schema, columns } = table;
    if (place === undefined || schema === undefined || columns === undefined) continue;
    if (place.relkind === 'r' || place.relkind === 'p') tables.push({ ...table, place, schema, columns });
    else notes.push(`${table.table} was no table of its own (a view, say), and is left out`);
    if (place.relkind === 'p')
      notes.push(`${table.table} was partitioned: where it is made now, it is one table`);
  }
  const { database } = manifest;
  if (database !== null)
    notes.push(`the SQLite file is ${join(directory, database.file)}: copy it to where it is to be`);
  for (const { file, what } of manifest.files)
    if (what === 'input') notes.push(`the input is ${join(directory, file)}`);
  if (tables.length > 0) return { tables, notes };
  throw manifest.format === 1 && manifest.source.kind === 'postgres'
    ? backupErrors.nothing_to_restore.earlierVersion({ folder: directory }, { details: notes })
    : backupErrors.nothing_to_restore.files({ folder: directory }, { details: notes });
}

async function assertWhole(directory: string, manifest: Manifest, tables: readonly Kept[]): Promise<void> {
  const damaged: string[] = [];
  for (const { file } of tables) {
    const was = manifest.files.find((each) => each.file === file);
    const is = await printOf(join(directory, file)).catch((error: Error) => error);
    if (is instanceof Error) damaged.push(`${file}: ${is.message}`);
    else if (is.sha256 !== was?.sha256) damaged.push(`${file}: its content is another one (SHA-256)`);
  }
  if (damaged.length === 0) return;
  throw backupErrors.damaged_backup({ folder: directory }, { details: damaged });
}

async function missingOf(client: Client, tables: readonly Kept[]): Promise<Kept[]> {
  const missing: Kept[] = [];
  for (const each of tables) {
    const { rows } = await client.query<{ kind: string }>(
      `SELECT (SELECT c.relkind::text FROM pg_class c WHERE c.oid = to_regclass($1)) AS kind`,
      [nameOf(each)],
    );
    const kind = rows[0]?.kind ?? null;
    if (kind === null) missing.push(each);
    else if (kind !== 'r' && kind !== 'p') throw backupErrors.not_empty.noTable({ table: each.table });
  }
  return missing;
}

/** The tables that are there are locked, have no rows, and have the columns of the files. */
async function assertEmpty(client: Client, tables: readonly Kept[], missing: readonly Kept[]): Promise<void> {
  const full: string[] = [];
  const other: string[] = [];
  for (const each of tables) {
    if (missing.includes(each)) continue;
    await client.query(`LOCK TABLE ${nameOf(each)} IN ACCESS EXCLUSIVE MODE`);
    const { rows } = await client.query<{ full: boolean; lacking: string[] | null }>(
      `SELECT EXISTS (SELECT FROM ${nameOf(each)}) AS full,
              (SELECT array_agg(w.name) FROM unnest($2::text[]) AS w (name) WHERE NOT EXISTS (
                 SELECT FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attname = w.name AND a.attnum > 0
                   AND NOT a.attisdropped AND a.attgenerated = '')) AS lacking`,
      [nameOf(each), each.columns],
    );
    if (rows[0]?.full === true) full.push(each.table);
    if (rows[0]?.lacking != null) other.push(`${each.table} lacks ${rows[0].lacking.join(', ')}`);
  }
  if (full.length > 0) throw backupErrors.not_empty.filled({ tables: full });
  if (other.length > 0) throw backupErrors.other_columns({ details: other });
}

/** What the table needs and is missing. */
async function makeNeeds(client: Client, { needs }: TableSchema): Promise<void> {
  const FIND = {
    schema: 'to_regnamespace',
    type: 'to_regtype',
    sequence: 'to_regclass',
    function: 'to_regprocedure',
  } as const;
  for (const { kind, name, sql } of needs) {
    const { rows } = await client.query<{ there: boolean }>(`SELECT ${FIND[kind]}($1) IS NOT NULL AS there`, [
      name,
    ]);
    if (rows[0]?.there !== true) await client.query(sql);
  }
}

async function copyRows(client: Client, table: Kept, file: string, signal: AbortSignal): Promise<number> {
  const columns = table.columns.map(ident).join(', ');
  const copy = client.query(
    from(
      `COPY ${nameOf(table)} (${columns}) FROM STDIN WITH (FORMAT csv, HEADER true, NULL '', ENCODING 'UTF8')`,
    ),
  );
  await piped(createReadStream(file), copy, { signal });
  if (copy.rowCount === table.rows) return copy.rowCount;
  throw backupErrors.restore_failed.rows({
    table: table.table,
    file: table.file,
    rows: copy.rowCount,
    had: table.rows,
  });
}

async function setSequence(client: Client, sequence: string, last: string): Promise<void> {
  await client.query(
    `SELECT setval(s.oid::regclass, ${literal(last)}::int8) FROM pg_class s WHERE s.oid = to_regclass($1) AND s.relkind = 'S'`,
    [sequence],
  );
}

/** Keys to tables that are not there cannot be made: a sentence for each such table. */
async function addKeys(client: Client, made: readonly Kept[]): Promise<string[]> {
  const without = new Map<string, Set<string>>();
  for (const { table, schema } of made)
    for (const { sql, references } of schema.foreignKeys) {
      const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
        references,
      ]);
      if (rows[0]?.there === true) await client.query(sql);
      else without.set(references, (without.get(references) ?? new Set()).add(table));
    }
  return [...without].map(
    ([references, tables]) =>
      `${references} is not there, so these are made without their foreign keys to it: ${[...tables].join(', ')}`,
  );
}

function explained(error: unknown, table: string | undefined): unknown {
  if (error instanceof SluiceError) return error;
  if (!isServerError(error)) return error;
  const { message, detail } = error;
  return backupErrors.restore_failed.server(
    { table, why: `${message}${detail === undefined ? '' : ` (${detail})`}` },
    { cause: error },
  );
}
