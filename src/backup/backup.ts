import { chmod, copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OldSystem } from '../core/assessment.js';
import { fileErrors } from '../core/errors/catalogue/files.js';
import { sqliteErrors } from '../core/errors/catalogue/sqlite.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { isRemote, pathInUrl } from '../core/input-url.js';
import { packageVersion } from '../core/package.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Run } from '../core/run.js';
import type { Source } from '../core/types.js';
import { ident, literal } from '../db/quote.js';
import { bytesOfSource } from '../sources/bytes/open.js';
import { databaseSystem, oldSystem, sqlitePath } from '../sources/old-system.js';
import { query } from '../sources/postgres/index.js';
import { SqliteFile } from '../sources/sqlite/database.js';
import { sqlite } from '../sources/sqlite/index.js';
import { writeCsv } from './csv-file.js';
import { type BackedUpFile, type BackedUpTable, MANIFEST, type Manifest, printOf } from './manifest.js';
import {
  placeOf,
  schemaText,
  sequencesOf,
  storedColumns,
  type TableSchema,
  tableSchema,
} from './postgres-schema.js';
import { databaseTables, sqliteTables } from './tables.js';

/** Where backups go when nothing else is said. */
export const BACKUPS = join('.sluice', 'backups');

/** A backup that was made, and where. */
export interface BackedUp extends Manifest {
  readonly directory: string;
}

/**
 * Backs up what the pipeline reads and changes into a new dated folder in `into`, readable by its owner only: an SQLite
 * file and input files as a whole, tables as CSV, their schema as SQL, and a manifest of row counts and SHA-256. All that is
 * of one database is of one state. A backup that fails leaves nothing. Throws failed `cannot_write`, usage `no_such_table`, and what
 * `oldSystem` and reading throw.
 *
 * The WebAssembly build of SQLite has no online backup API. What stands in its place does the same: the file's pages as
 * they were committed at one moment, while the application goes on writing (see `copyConsistently`), and
 * then the pages of the log are put into the copy by a checkpoint.
 */
export async function backUp(
  pipeline: Pipeline,
  inputs: Readonly<Record<string, Source>>,
  run: Run,
  into: string,
): Promise<BackedUp> {
  const system = await oldSystem(inputs, run, true);
  const path = sqlitePath(inputs);
  // Beside a file the tables are read on the run's snapshot, and nothing of ours outlives the backup.
  const target = path === undefined ? system : await databaseSystem(run, false);
  const old =
    path === undefined
      ? []
      : await sqliteTables(pipeline, system, await (await SqliteFile.shared(path, run)).tables());
  const current = await databaseTables(pipeline, target, path === undefined ? inputs : undefined);
  const made = new Date();
  const folder = await newFolder(into, `${pipeline.name}-${stamp(made)}`);
  const unfinished = `${folder}.unfinished`;
  try {
    await mkdir(unfinished, { mode: 0o700 }).catch(cannotWrite);
    const files: BackedUpFile[] = [];
    const add = async (file: string, what: BackedUpFile['what']) => {
      files.push({ file, what, ...(await printOf(join(unfinished, file))) });
    };
    const database = path === undefined ? null : await copyDatabase(path, unfinished, run);
    if (database !== null) await add(database.file, 'database');
    for (const source of Object.values(inputs)) {
      if (source.kind !== 'file') continue;
      const file = unused(basename(pathInUrl(source.path ?? source.name)), files);
      await copyInput(source, join(unfinished, file), run);
      await add(file, 'input');
    }
    const written: BackedUpTable[] = [];
    const write = async (table: string, of: OldSystem, from: string | undefined) => {
      run.signal.throwIfAborted();
      const file = unused(`${table.replace(/[/\\:]/g, '_')}.csv`, files);
      const { columns, ...counts } = await exportTable(table, join(unfinished, file), of, from, run);
      await add(file, 'csv');
      return { entry: { table, file, ...counts }, columns };
    };
    for (const table of old) written.push((await write(table, system, path)).entry);
    const schemas: TableSchema[] = [];
    for (const table of current) {
      const { entry, columns } = await write(table, target, undefined);
      const place = await placeOf(target, table);
      const schema = await tableSchema(target, table);
      // A view's rows are those of tables.
      if (['r', 'p'].includes(place.relkind)) schemas.push(schema);
      written.push({ ...entry, columns, place, schema, sequences: await sequencesOf(target, table) });
    }
    const text = async (file: string, schema: string) => {
      await writeFile(join(unfinished, file), schema, { mode: 0o600 }).catch(cannotWrite);
      await add(file, 'schema');
    };
    if (path !== undefined) await text('schema.sql', await sqliteSchema(system));
    if (path === undefined || schemas.length > 0)
      await text(path === undefined ? 'schema.sql' : 'target-schema.sql', schemaText(schemas));
    const manifest: Manifest = {
      format: 2,
      sluice: packageVersion,
      pipeline: pipeline.name,
      made_at: made.toISOString(),
      source: { kind: system.kind, name: system.name },
      database,
      tables: written,
      files,
    };
    await writeFile(join(unfinished, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    await rename(unfinished, folder);
    return { ...manifest, directory: folder };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

interface Exported extends Pick<BackedUpTable, 'rows' | 'unreadable'> {
  readonly columns: readonly string[];
}

async function exportTable(
  table: string,
  file: string,
  system: OldSystem,
  path: string | undefined,
  run: Run,
): Promise<Exported> {
  let unreadable = 0;
  // A spread would read the getter of the scratch folder, which is made when it is asked for: it is needed anyway.
  const counting: Run = {
    ...run,
    reject() {
      unreadable += 1;
    },
    progress() {},
  };
  const columns = await columnsOf(table, system);
  const source =
    path === undefined
      ? query(`SELECT ${columns.map(ident).join(', ')} FROM ${system.table(table)}`, { name: table })
      : sqlite(path, { table, asStored: true });
  return { rows: await writeCsv(file, columns, source, counting), unreadable, columns };
}

async function columnsOf(table: string, system: OldSystem): Promise<string[]> {
  if (system.kind === 'postgres') return storedColumns(system, table);
  const rows = await system.query(`SELECT name FROM pragma_table_info(${literal(table)}) ORDER BY cid`);
  return rows.map((row) => row.name as string);
}

async function copyInput(source: Source, to: string, run: Run): Promise<void> {
  const bytes = await bytesOfSource(source, run).catch((error: unknown) => {
    if (isRemote(source.name)) throw error;
    return undefined;
  });
  if (bytes === undefined) throw sqliteErrors.no_file.toBackUp({ from: source.path ?? source.name });
  if (bytes.path !== undefined) await copyFile(bytes.path, to).catch(cannotWrite);
  else
    await writeFile(to, bytes.read(run.signal), { mode: 0o600 }).catch((error: unknown) => {
      throw error instanceof SluiceError ? error : cannotWrite(error as Error);
    });
  await chmod(to, 0o600);
}

async function copyDatabase(
  path: string,
  folder: string,
  run: Run,
): Promise<NonNullable<Manifest['database']>> {
  const file = await SqliteFile.shared(path, run);
  // What the log holds goes into the file, which is whole by itself then.
  await file.run('PRAGMA wal_checkpoint(TRUNCATE)');
  const name = basename(path);
  const to = join(folder, name);
  await copyFile(file.copy, to).catch(cannotWrite);
  await chmod(to, 0o600);
  return { file: name, rows: await countAll(file) };
}

/** The rows of every table of an SQLite file. */
export async function countAll(file: SqliteFile): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const table of await file.tables()) {
    const [counted] = await file.all(`SELECT count(*) AS n FROM ${ident(table)}`);
    rows[table] = Number(counted?.n);
  }
  return rows;
}

async function sqliteSchema(system: OldSystem): Promise<string> {
  const rows = await system.query('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid');
  const [version] = await system.query('PRAGMA user_version');
  return [
    '-- The schema as SQLite keeps it: tables, indexes, views, triggers.',
    ...rows.map(({ sql }) => `${sql};`),
    `PRAGMA user_version = ${version?.user_version ?? 0};`,
    '',
  ].join('\n');
}

/** A folder that is not there yet. */
async function newFolder(into: string, name: string): Promise<string> {
  await mkdir(into, { recursive: true, mode: 0o700 }).catch(cannotWrite);
  for (let n = 1; ; n++) {
    const folder = join(into, n === 1 ? name : `${name}-${n}`);
    const taken = await Promise.all(
      [folder, `${folder}.unfinished`].map((each) =>
        stat(each).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!taken.includes(true)) return folder;
  }
}

/** Local time, as people look for a backup. */
function stamp(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}

function cannotWrite(error: unknown): never {
  if (error instanceof SluiceError) throw error;
  const { code, message, path } = error as NodeJS.ErrnoException;
  throw fileErrors.cannot_write.backup(
    { path, why: code === 'ENOSPC' ? 'no space left' : message },
    { cause: error },
  );
}

/** A name that none of the files has, where letters' case does not count. */
function unused(name: string, files: readonly BackedUpFile[]): string {
  const taken = new Set([
    MANIFEST,
    'schema.sql',
    'target-schema.sql',
    ...files.map(({ file }) => file.toLowerCase()),
  ]);
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : name.replace(/(\.[^.]*)?$/, `-${n}$1`);
    if (!taken.has(tried.toLowerCase())) return tried;
  }
}
