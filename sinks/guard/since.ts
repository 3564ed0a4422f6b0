import type { ClientBase } from 'pg';
import { qualified } from '../../src/db/quote.js';
import { journalStatements, triggerStatements } from './journal-sql.js';
import type { Guard, GuardedTable } from './names.js';

/**
 * Statements for the window's `after` phase that watch the newly swapped-in tables, so that a rollback can
 * tell who wrote first since. The journal keeps one row per table and operation, however long it is armed.
 * It costs writers something on every statement (measured: 140 to 210 µs for a one-row UPDATE by key, 230 to
 * 430 ms for one of 50,000 rows, mostly for the transition table), so it is an option; contentFingerprint
 * costs them nothing (0.5 s for 500,000 rows, read once by us).
 */
export function sinceStatements(guard: Guard, tables: readonly GuardedTable[]): string[] {
  return [
    ...journalStatements(guard, 'first'),
    ...tables.flatMap((table) => triggerStatements(guard, table)),
  ];
}

/** What a table holds, whatever the order of its rows. */
export interface Fingerprint {
  readonly rows: number;
  /** The sum of a 64-bit hash over each row's text, as a decimal. */
  readonly sum: string;
}

/**
 * Reads the whole table once (no lock but a reader's). Two tables with the same columns and the same
 * fingerprint hold the same rows, but for a chance of about 2^-64. Taken of staging before the window and of
 * live before a rollback, it tells whether live was written since; armGuard before the second reading and
 * guardChecks under the lock close the gap between reading and locking. The text form hangs on settings, so
 * these are fixed for the reading.
 */
export async function contentFingerprint(client: ClientBase, of: GuardedTable): Promise<Fingerprint> {
  const settings =
    "SET LOCAL search_path = ''; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = 'content'";
  await client.query(`BEGIN; ${settings}`);
  try {
    const result = await client.query(
      `SELECT count(*)::float8 AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS sum FROM ${qualified(of.schema, of.table)} t`,
    );
    return result.rows[0] as Fingerprint;
  } finally {
    await client.query('ROLLBACK');
  }
}
