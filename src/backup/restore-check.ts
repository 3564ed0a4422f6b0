import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors/sluice-error.js';
import { count, plural } from '../core/plural.js';
import type { Run } from '../core/run.js';
import { csv } from '../sources/csv/index.js';
import { SqliteFile } from '../sources/sqlite/database.js';
import { countAll } from './backup.js';
import { MANIFEST, type Manifest, printOf, readManifest } from './manifest.js';

/** One thing that was looked at, and what is wrong with it. */
interface Looked {
  readonly file: string;
  /** What was compared: `1,204 rows, SHA-256`. */
  readonly what: string;
  readonly wrong: readonly string[];
}

export interface RestoreChecked {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly looked: readonly Looked[];
  /** Files that the manifest does not name; they are nobody's loss. */
  readonly strangers: readonly string[];
  readonly ok: boolean;
}

/**
 * Reads a whole backup as a restore would and compares it with its manifest: every file's size and SHA-256, the rows of
 * every CSV file by reading them, the SQLite file by opening it: SQLite's own integrity check, and the rows of every
 * table. All of it is looked at, whatever is wrong. Throws usage `not_a_backup`.
 */
export async function checkRestore(directory: string, run: Run): Promise<RestoreChecked> {
  const manifest = await readManifest(directory);
  const looked: Looked[] = [];
  for (const { file, bytes, sha256 } of manifest.files) {
    run.signal.throwIfAborted();
    const path = join(directory, file);
    const wrong: string[] = [];
    const what = [plural(bytes, 'byte', undefined, count(bytes)), 'SHA-256'];
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) {
      looked.push({
        file,
        what: what.join(', '),
        wrong: [found.code === 'ENOENT' ? 'it is missing' : found.message],
      });
      continue;
    }
    const print = await printOf(path);
    if (print.bytes !== bytes) wrong.push(`it has ${plural(print.bytes, 'byte')}, and had ${bytes}`);
    else if (print.sha256 !== sha256) wrong.push('its content is another one (SHA-256)');
    const table = manifest.tables.find((each) => each.file === file);
    if (table !== undefined) {
      what.push(plural(table.rows, 'row', undefined, count(table.rows)));
      wrong.push(...(await rowsWrong(path, table.rows, run)));
    }
    if (manifest.database?.file === file) {
      what.push(`integrity, rows of ${plural(Object.keys(manifest.database.rows).length, 'table')}`);
      wrong.push(...(await databaseWrong(path, manifest.database.rows, run)));
    }
    looked.push({ file, what: what.join(', '), wrong });
  }
  const known = new Set([MANIFEST, ...manifest.files.map(({ file }) => file)]);
  const strangers = (await readdir(directory)).filter((name) => !known.has(name)).sort();
  return { directory, manifest, looked, strangers, ok: looked.every(({ wrong }) => wrong.length === 0) };
}

async function rowsWrong(path: string, wanted: number, run: Run): Promise<string[]> {
  let rows = 0;
  let bad = 0;
  const counting: Run = {
    ...run,
    reject() {
      bad += 1;
    },
  };
  try {
    for await (const chunk of csv(path).read(counting)) rows += chunk.length;
  } catch (error) {
    return [`it cannot be read: ${messageOf(error)}`];
  }
  return [
    ...(rows === wanted ? [] : [`it has ${plural(rows, 'row')}, and had ${wanted}`]),
    ...(bad === 0 ? [] : [`${bad} of its records cannot be read`]),
  ];
}

async function databaseWrong(
  path: string,
  wanted: Readonly<Record<string, number>>,
  run: Run,
): Promise<string[]> {
  try {
    const file = await SqliteFile.open(path, run.scratch, run.signal);
    try {
      const said = (await file.all('PRAGMA integrity_check(5)')).map((row) => String(row.integrity_check));
      if (said.join() !== 'ok') return said.map((line) => `SQLite's integrity check: ${line}`);
      const rows = await countAll(file);
      return Object.entries(wanted)
        .filter(([table, n]) => rows[table] !== n)
        .map(([table, n]) => {
          const has = rows[table];
          return has === undefined
            ? `its table ${table} is gone; it had ${plural(n, 'row')}`
            : `its table ${table} has ${plural(has, 'row')}, and had ${n}`;
        });
    } finally {
      await file.close();
    }
  } catch (error) {
    return [`it cannot be opened: ${messageOf(error)}`];
  }
}

const messageOf = (error: unknown) =>
  error instanceof SluiceError || error instanceof Error ? error.message : String(error);
