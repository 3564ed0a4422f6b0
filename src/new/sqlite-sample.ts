import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The SQLite file of a small application: two tasks. */
export async function ownSqlite(): Promise<Uint8Array> {
  const { default: library } = await import('node-sqlite3-wasm');
  const folder = mkdtempSync(join(tmpdir(), 'sluice-new-'));
  const path = join(folder, 'app.db');
  try {
    const database = new library.Database(path);
    try {
      database.run(
        'CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT NOT NULL, done BOOLEAN NOT NULL, created_at TIMESTAMP NOT NULL)',
      );
      database.run(
        "INSERT INTO tasks VALUES (1, 'write ', 1, '2025-01-03 09:00:00'), (2, 'test', 0, '2025-01-04 10:30:00')",
      );
    } finally {
      database.close();
    }
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
