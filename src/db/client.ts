import type pg from 'pg';
import type { Address } from './address.js';
import { identify } from './backend.js';
import { StandbyError } from './dial.js';
import { cutOff, within } from './network.js';
import { firstStatements, type Settings } from './pinned.js';
import { settingStatement } from './pooler.js';
import { sqlstateOf } from './server-error.js';
import { assertSupported, type Said } from './server-version.js';

/** What has come of the server so far, in bytes. */
export function bytesOf(client: pg.Client): number {
  return (client as unknown as { connection: { stream: { bytesRead: number } } }).connection.stream.bytesRead;
}

/** The server is starting or stopping, or has no connection left. */
export const isTransient = (error: unknown) => ['57P03', '53300'].includes(sqlstateOf(error) ?? '');

/** Nothing comes, not even a refusal. */
export const isSilence = (error: unknown) =>
  (error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT';

/**
 * Logs in, and does what comes before any other statement. `settings`: what the start-up packet has asked for; a pooler
 * may have left that out, so there they are set once more. Throws StandbyError where a `primary` is wanted, and it is none, and for servers
 * that are not supported.
 */
export async function begin(
  client: pg.Client,
  said: Said,
  address: Address,
  settings: Settings,
  primary: boolean,
): Promise<void> {
  await client.connect();
  assertSupported(said, address);
  const { name } = await identify(client);
  if (name !== undefined) await client.query(settingStatement(settings));
  if (primary) {
    const { rows } = await client.query('SELECT pg_catalog.pg_is_in_recovery() AS standby');
    if (rows[0]?.standby === true) throw new StandbyError('it is a standby, which cannot be written to');
  }
  for (const sql of firstStatements(Number.parseInt(said('server_version') ?? '0', 10)))
    await client.query(sql);
}

/** From now on `end` takes no longer than it may: a server that is not there does not hang up. */
export function endWithin(client: pg.Client, milliseconds: () => number): void {
  const end = client.end.bind(client) as () => Promise<void>;
  Object.assign(client, { end: () => within(end(), milliseconds()).catch(() => cutOff(client)) });
}
