import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { backupErrors } from '../core/errors/catalogue/backup.js';
import type { SequenceState, TablePlace, TableSchema } from './postgres-schema.js';

/** The name of the file that says what a backup holds. */
export const MANIFEST = 'manifest.json';

/** A file of a backup. Bytes; SHA-256 in hexadecimal. */
export interface BackedUpFile {
  readonly file: string;
  readonly what: 'database' | 'input' | 'csv' | 'schema';
  readonly bytes: number;
  readonly sha256: string;
}

/** A table of a backup that stands in a CSV file. */
export interface BackedUpTable {
  readonly table: string;
  readonly file: string;
  readonly rows: number;
  /** Rows that are not in the file, since their text cannot be written as UTF-8; the database file has them. */
  readonly unreadable: number;
  /** Of PostgreSQL: what puts it back. */
  readonly place?: TablePlace;
  readonly columns?: readonly string[];
  readonly schema?: TableSchema;
  readonly sequences?: readonly SequenceState[];
}

/** What a backup says of itself, as manifest.json has it. */
export interface Manifest {
  /** 1: by earlier versions; no table of it can be put back by `restore`. */
  readonly format: 1 | 2;
  readonly sluice: string;
  readonly pipeline: string;
  /** ISO 8601, UTC. */
  readonly made_at: string;
  readonly source: { readonly kind: 'sqlite' | 'postgres'; readonly name: string };
  /** The rows of every table in the copy of the SQLite file; null for PostgreSQL. */
  readonly database: { readonly file: string; readonly rows: Readonly<Record<string, number>> } | null;
  readonly tables: readonly BackedUpTable[];
  readonly files: readonly BackedUpFile[];
}

/** The size and SHA-256 of the file at `path`; it is read once, in pieces. */
export async function printOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
}

/** The manifest in `directory`. Throws usage `not_a_backup`. */
export async function readManifest(directory: string): Promise<Manifest> {
  const wrong = (why: string, cause?: unknown) =>
    backupErrors.not_a_backup.folder({ folder: directory, why }, { cause });
  const path = join(directory, MANIFEST);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw wrong(error.code === 'ENOENT' ? `it has no ${MANIFEST}` : error.message, error);
  });
  let read: Partial<Manifest>;
  try {
    read = JSON.parse(text) as Partial<Manifest>;
  } catch (error) {
    throw wrong(`its ${MANIFEST} is damaged: ${(error as Error).message}`, error);
  }
  if ((read.format !== 1 && read.format !== 2) || !Array.isArray(read.files) || !Array.isArray(read.tables))
    throw wrong(`its ${MANIFEST} is of another kind or version`);
  if (read.files.some(({ file }) => typeof file !== 'string' || basename(file) !== file))
    throw wrong(`its ${MANIFEST} names a file outside the folder`);
  return read as Manifest;
}
