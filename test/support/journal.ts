import type { ClientBase } from 'pg';
import { type Guard, journalTable } from '../../sinks/publish/write-guard/names.js';

/** Writes to one table by one user, of one kind. */
interface JournalEntry {
  readonly table: string;
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
  readonly statements: number;
  /** Rows touched; null for TRUNCATE, which does not count them. */
  readonly rows: number | null;
  readonly user: string;
  readonly application: string;
  readonly first: Date;
  readonly last: Date;
}

/** What the journal holds (committed writes), summed; empty where nothing was written or no journal is there. */
export async function readJournal(client: ClientBase, guard: Guard): Promise<JournalEntry[]> {
  const journal = journalTable(guard);
  const there = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [journal]);
  if (there.rows[0]?.there !== true) return [];
  const result = await client.query(
    `SELECT schema_name || '.' || table_name AS "table", operation, count(*)::float8 AS statements, sum(touched)::float8 AS rows, username AS "user", application, min(at) AS first, max(at) AS last FROM ${journal} GROUP BY 1, 2, 5, 6 ORDER BY 1, 2, 5, 6`,
  );
  return result.rows as JournalEntry[];
}
