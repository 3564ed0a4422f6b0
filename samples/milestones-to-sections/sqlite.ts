import { readFile, rm } from 'node:fs/promises';
import sqlite from 'node-sqlite3-wasm';
import { sampleFolder } from '../folder.js';

/** Where this sample's .sql files are. */
export const FILES = sampleFolder('milestones-to-sections');

/** The text of one of the sample's files. */
export const sampleFile = (name: string) => readFile(new URL(name, FILES), 'utf8');

/**
 * Makes the old system as a SQLite file at `path`, in place of whatever was there: schema, data, the types that
 * Prisma writes, and then the statements of `more`.
 */
export async function makeSqlite(path: string, more: readonly string[] = []): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(path + end, { force: true });
  const database = new sqlite.Database(path);
  try {
    for (const file of ['old/schema.sqlite.sql', 'old/data.sql', 'old/sqlite-types.sql'])
      database.exec(await sampleFile(file));
    // As most programs open it; the library turns the keys on.
    database.exec('PRAGMA foreign_keys = OFF');
    for (const sql of more) database.exec(sql);
  } finally {
    database.close();
  }
}
