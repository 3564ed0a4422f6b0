import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { blockerLine, connectedTo } from '../locks/blockers.js';
import { PINNED, startupOptions } from '../pinned.js';
import { ident, literal } from '../quote.js';
import { sqlstateOf } from '../server-error.js';

/** The comment by which a database is known as one that may be made anew. */
const OURS = 'made by a demo of Sluice, and made anew by the next one';

/** How long sessions that have just ended may still be counted. */
const ENDING_MS = 2_000;

/**
 * Makes the database `name` anew on the server of `url`, whose role must be allowed to. Only what an earlier call has
 * made is dropped: refused('not_a_demo') where a database has the name that none has made, refused('demo_in_use')
 * naming the sessions where somebody is connected. Nothing is changed then.
 */
export async function freshDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    ssl: false,
    connectionTimeoutMillis: 30_000,
    options: startupOptions(undefined, PINNED),
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT pg_catalog.shobj_description(d.oid, 'pg_database') AS comment FROM pg_catalog.pg_database d WHERE d.datname = $1`,
      [name],
    );
    if (rows.length > 0) {
      if (rows[0].comment !== OURS) throw embeddedErrors.not_a_demo({ name, quoted: ident(name) });
      await drop(client, name);
    }
    // template1 may hold what others have put there.
    await client.query(`CREATE DATABASE ${ident(name)} TEMPLATE template0`);
    await client.query(`COMMENT ON DATABASE ${ident(name)} IS ${literal(OURS)}`);
  } finally {
    await client.end();
  }
}

async function drop(client: pg.Client, name: string): Promise<void> {
  for (const end = performance.now() + ENDING_MS; ; await sleep(100)) {
    try {
      await client.query(`DROP DATABASE ${ident(name)}`);
      return;
    } catch (error) {
      if (sqlstateOf(error) !== '55006') throw error;
      if (performance.now() < end) continue;
      throw embeddedErrors.demo_in_use(
        { name },
        { details: (await connectedTo(client, name)).map(blockerLine), cause: error },
      );
    }
  }
}
