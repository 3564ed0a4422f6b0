import { chmod, copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OldSystem } from '../../core/assessment.js';
import { failed, nearest, SluiceError, usage } from '../../core/errors.js';
import { again } from '../../core/next.js';
import { packageVersion } from '../../core/package.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { ident, literal } from '../../db/quote.js';
import { query } from '../../sources/postgres.js';
import { SqliteFile } from '../../sources/sqlite/database.js';
import { sqlite } from '../../sources/sqlite/index.js';
import { catalogOf, oldSystem, rowsOf, sqlitePath } from '../old-system.js';
import { writeCsv } from './csv-file.js';
import { type BackedUpFile, type BackedUpTable, MANIFEST, type Manifest, printOf } from './manifest.js';
import { postgresSchema } from './postgres-schema.js';

/** Where backups go when nothing else is said. */
export const BACKUPS = join('.sluice', 'backups');

/** A backup that was made, and where. */
export interface BackedUp extends Manifest {
  readonly directory: string;
}

/**
 * Backs up the system that `inputs` come from into a new dated folder in `into`, readable by its owner only: an SQLite
 * file as a whole, the critical tables as CSV, the schema as SQL, and a manifest of row counts and SHA-256. All of one
 * state. A backup that fails leaves nothing. Throws failed `cannot_write`, usage `no_such_table`, and what
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
  const tables = await criticalTables(pipeline, system, path, run);
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
    const written: BackedUpTable[] = [];
    for (const table of tables) {
      run.signal.throwIfAborted();
      const file = unused(`${table.replace(/[/\\:]/g, '_')}.csv`, files);
      written.push({ table, file, ...(await exportTable(table, join(unfinished, file), system, path, run)) });
      await add(file, 'csv');
    }
    const schema = path === undefined ? await postgresSchema(system, tables) : await sqliteSchema(system);
    await writeFile(join(unfinished, 'schema.sql'), schema, { mode: 0o600 }).catch(cannotWrite);
    await add('schema.sql', 'schema');
    const manifest: Manifest = {
      format: 1,
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

/** The tables that become CSV files; each is there. */
async function criticalTables(
  pipeline: Pipeline,
  system: OldSystem,
  path: string | undefined,
  run: Run,
): Promise<string[]> {
  const all = path === undefined ? undefined : await (await SqliteFile.shared(path, run)).tables();
  const declared = pipeline.backup?.tables;
  if (all !== undefined && declared === undefined) return all;
  const targets = Object.values(pipeline.tables).map(({ table }) => table);
  const wanted = [...new Set(declared ?? pipeline.assess?.tables ?? targets)];
  for (const table of wanted)
    if ((await rowsOf(system, table)) === undefined) {
      const meant = nearest(table, all ?? []);
      throw usage('no_such_table', `there is no table ${table} in ${system.name} to be backed up`, {
        table,
        state: 'nothing was written',
        next: meant === undefined ? 'is it the right one?' : `did you mean ${meant}?`,
      });
    }
  return wanted;
}

async function exportTable(
  table: string,
  file: string,
  system: OldSystem,
  path: string | undefined,
  run: Run,
): Promise<Pick<BackedUpTable, 'rows' | 'unreadable'>> {
  let unreadable = 0;
  // A spread would read the getter of the scratch folder, which is made when it is asked for: it is needed anyway.
  const counting: Run = {
    ...run,
    reject() {
      unreadable += 1;
    },
    progress() {},
  };
  const source =
    path === undefined
      ? query(`SELECT * FROM ${system.table(table)}`, { name: table })
      : sqlite(path, { table, asStored: true });
  const rows = await writeCsv(file, await columnsOf(table, system), source, counting);
  return { rows, unreadable };
}

async function columnsOf(table: string, system: OldSystem): Promise<string[]> {
  const rows = await (system.kind === 'sqlite'
    ? system.query(`SELECT name FROM pragma_table_info(${literal(table)}) ORDER BY cid`)
    : catalogOf(
        system,
        table,
        (oid) =>
          `SELECT attname AS name FROM pg_attribute WHERE attrelid = ${oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      ));
  return rows.map((row) => row.name as string);
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
  throw failed(
    'cannot_write',
    `the backup cannot be written${path === undefined ? '' : ` to ${path}`}: ${code === 'ENOSPC' ? 'no space left' : message}`,
    {
      cause: error,
      state: 'nothing was changed',
      next: again({}, { lead: 'free space there, or name another place (--into); then' }),
    },
  );
}

/** A name that none of the files has, where letters' case does not count. */
function unused(name: string, files: readonly BackedUpFile[]): string {
  const taken = new Set(files.map(({ file }) => file.toLowerCase()));
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : name.replace(/\.csv$/, `-${n}.csv`);
    if (!taken.has(tried.toLowerCase())) return tried;
  }
}
