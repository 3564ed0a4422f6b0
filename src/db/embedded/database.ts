import { readFileSync } from 'node:fs';
import pg from 'pg';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { PINNED, startupOptions } from '../pinned.js';
import { ident } from '../quote.js';
import { sqlstateOf } from '../server-error.js';
import { SUPERUSER } from './cluster.js';
import type { Place } from './place.js';

const DATABASE = 'sluice';

/** The URL of the server at `place` on `port`, its password included. */
export function urlOf(place: Place, port: number, database = DATABASE): string {
  const url = new URL(`postgres://${SUPERUSER}@127.0.0.1:${port}/${database}`);
  url.password = readFileSync(place.password, 'utf8').trim();
  return url.href;
}

/**
 * Sees that the server lets us in and that its database exists. Throws `embedded_login_failed` when the
 * password kept beside the data is not the superuser's.
 */
export async function ensureDatabase(place: Place, port: number): Promise<void> {
  try {
    await query(urlOf(place, port), 'SELECT 1');
  } catch (error) {
    const sqlstate = sqlstateOf(error);
    if (sqlstate === '3D000') {
      // CREATE DATABASE copies template1, which nobody but us can have changed.
      await query(urlOf(place, port, 'postgres'), `CREATE DATABASE ${ident(DATABASE)}`);
      return;
    }
    const known = { details: [(error as Error).message, `log: ${place.log}`], sqlstate, cause: error };
    throw sqlstate === '28P01'
      ? embeddedErrors.embedded_login_failed.wrongPassword(
          { port, superuser: SUPERUSER, password: place.password, root: place.root },
          known,
        )
      : embeddedErrors.embedded_login_failed.other({ port }, known);
  }
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    ssl: false,
    connectionTimeoutMillis: 30_000,
    options: startupOptions(undefined, PINNED),
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
