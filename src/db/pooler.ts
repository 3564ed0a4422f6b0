import type pg from 'pg';
import { connectionErrors } from '../core/errors/catalogue/connection.js';
import type { SluiceError } from '../core/errors/sluice-error.js';
import type { Address } from './address.js';
import type { Settings } from './pinned.js';
import { literal } from './quote.js';
import { sqlstateOf } from './server-error.js';

/** What a pooler says that takes no `options` in the start-up packet (PgBouncer, where it is not told to ignore them). */
export function refusesOptions(error: unknown): boolean {
  return (
    sqlstateOf(error) === '08P01' &&
    /unsupported startup parameter(?: in options)?: /.test((error as Error).message)
  );
}

/** The statement that gives a session its settings where its start-up packet could not. Everything in it is qualified. */
export function settingStatement(settings: Settings): string {
  const each = Object.entries(settings).map(
    ([name, value]) => `pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`,
  );
  return `SELECT ${each.join(', ')}`;
}

const PID = 'SELECT pg_catalog.pg_backend_pid() AS pid';

async function pidOf(client: pg.Client): Promise<number> {
  return (await client.query<{ pid: number }>(PID)).rows[0]?.pid as number;
}

/**
 * Whether two sessions, open at once through a pooler, have a process of the server each, as in its session mode.
 * In the other modes a process goes to whoever has a statement next: the two get the same one by turns, or
 * one of them gets several.
 */
export async function haveOwnProcesses(a: pg.Client, b: pg.Client): Promise<boolean> {
  const first = await pidOf(a);
  const others = [await pidOf(b), await pidOf(b), await pidOf(b)];
  return (await pidOf(a)) === first && !others.includes(first) && new Set(others).size === 1;
}

/** refused `pooled`: the pooler gives a process to another client between two statements. */
export function pooled({ described, from }: Address): SluiceError {
  return connectionErrors.pooled({ described, from });
}

/** refused `pooler_options`: settings of the user's own would be lost on the way. */
export function optionsLost({ described, from }: Address): SluiceError {
  return connectionErrors.pooler_options({ described, from });
}
