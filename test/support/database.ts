import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, type TestContext } from 'node:test';
import pg from 'pg';
import { packageFile } from '../../src/core/package.js';
import type { EmbeddedServer } from '../../src/db/embedded/index.js';
import { openLedger } from '../../src/db/ledger/open.js';
import { ident, literal } from '../../src/db/quote.js';
import { acquireTestServer } from './server.js';

/** A database of a test's own on the tests' server; dropped afterwards, kept (and named) on failure. */
export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  query: Query;
  /** A session of the test's own; ended for it. */
  connect(config?: pg.ClientConfig): Promise<pg.Client>;
}

export type Query = <T extends object = Record<string, unknown>>(
  sql: string,
  parameters?: readonly unknown[],
) => Promise<T[]>;

let embedded: Promise<EmbeddedServer> | undefined;
/** For making and dropping databases: a session for each would cost as much as what it does. */
let admin: Promise<pg.Client> | undefined;

// At the root of the test process, thus after its last test.
after(async () => {
  await (await admin?.catch(() => undefined))?.end().catch(() => {});
  admin = undefined;
  await (await embedded?.catch(() => undefined))?.release();
});

/**
 * The superuser URL of the tests' server: `SLUICE_TEST_URL` (which `npm test` sets), or else the embedded
 * one of this checkout, so that a test file also runs alone under `node --test`.
 */
export async function serverUrl(): Promise<string> {
  if (process.env.SLUICE_TEST_URL !== undefined) return process.env.SLUICE_TEST_URL;
  embedded ??= acquireTestServer();
  return (await embedded).url;
}

/** A template without anything, for tests of what a first run meets: the ledger is made there. */
export const EMPTY = 'template0';

/** Makes a database that has the ledger one in which Sluice has never been at work. */
export const WITHOUT_LEDGER = 'DROP SCHEMA sluice CASCADE';

/**
 * Makes a database for the test `t`, as a copy of `template` (a database's name, see templateDatabase;
 * default: one that has the ledger, and nothing in it). After a failure, and always under SLUICE_KEEP=1, it is kept.
 */
export async function testDatabase(
  t: TestContext,
  { template }: { readonly template?: string } = {},
): Promise<TestDatabase> {
  const from = template ?? (await ledgerTemplate());
  const server = await serverUrl();
  const name = `t_${randomBytes(6).toString('hex')}`;
  const strategy = await copyStrategy();
  await ask(`CREATE DATABASE ${ident(name)} TEMPLATE ${ident(from)} ${strategy}`);
  const url = urlOf(server, name);
  const sessions: pg.Client[] = [];
  const connect = async (config: pg.ClientConfig = {}) => {
    // What statements that run the application's code are told of the user's search_path.
    const client = new pg.Client({
      connectionString: url,
      options: '-c sluice.search_path=public',
      ...config,
    });
    client.on('error', () => {});
    await client.connect();
    sessions.push(client);
    return client;
  };
  let shared: Promise<pg.Client> | undefined;
  t.after(async () => {
    await Promise.all(sessions.map((client) => client.end().catch(() => {})));
    // `passed` is in Node from 20.12 on; its types for Node 20 lack it.
    const failed = (t as { passed?: boolean }).passed === false;
    if (failed || process.env.SLUICE_KEEP === '1') {
      t.diagnostic(`kept for a look: ${url}`);
      return;
    }
    await ask(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`);
  });
  return {
    name,
    url,
    connect,
    async query<T extends object>(sql: string, parameters: readonly unknown[] = []) {
      shared ??= connect();
      return (await (await shared).query(sql, parameters as unknown[])).rows as T[];
    },
  };
}

/** The template with the ledger: making it takes several times what a test's own statements take. */
function ledgerTemplate(): Promise<string> {
  const sql = readFileSync(packageFile('src/db/ledger/schema.sql'), 'utf8');
  return templateDatabase('ledger', (query) => openLedger({ query }), sql, EMPTY);
}

/** Templates that this process has asked for: each is looked up once. */
const templates = new Map<string, Promise<string>>();

/**
 * The name of a database that `prepare` has filled, for testDatabase to copy; made once per server, also
 * when several test processes ask at once, as a copy of `from` (default: the one with the ledger). `content` tells
 * versions apart: whatever `prepare` depends on besides its own text (the SQL file that it runs, say).
 */
export async function templateDatabase(
  name: string,
  prepare: (query: Query) => Promise<void>,
  content = '',
  from?: string,
): Promise<string> {
  const base = from ?? (await ledgerTemplate());
  const hash = createHash('sha256').update(`${base} ${prepare} ${content}`).digest('hex').slice(0, 12);
  const final = `tpl_${name}_${hash}`;
  const made = templates.get(final) ?? makeTemplate(final, base, prepare);
  templates.set(final, made);
  // Whoever asks again after a failure is told the same by another try.
  made.catch(() => templates.delete(final));
  return made;
}

async function makeTemplate(
  final: string,
  base: string,
  prepare: (query: Query) => Promise<void>,
): Promise<string> {
  const server = await serverUrl();
  await session(server, async (query) => {
    await query(`SELECT pg_advisory_lock(hashtextextended(${literal(final)}, 0))`);
    const [found] = await query(`SELECT FROM pg_database WHERE datname = ${literal(final)}`);
    if (found !== undefined) return;
    // Renamed when it is filled: one whose maker was killed is never taken for whole.
    const unfinished = `new_${final}`;
    await query(`DROP DATABASE IF EXISTS ${ident(unfinished)} WITH (FORCE)`);
    await query(`CREATE DATABASE ${ident(unfinished)} TEMPLATE ${ident(base)}`);
    await session(urlOf(server, unfinished), prepare);
    // Without connections (autovacuum's, say), which would stand in the way of copying it.
    await query(`ALTER DATABASE ${ident(unfinished)} WITH ALLOW_CONNECTIONS false`);
    await query(`ALTER DATABASE ${ident(unfinished)} RENAME TO ${ident(final)}`);
  });
  return final;
}

let copying: Promise<string> | undefined;

/**
 * Copying a template's files takes a third of the CPU of writing it through the log, and needs a checkpoint,
 * which is cheap where the server does not wait for its disk.
 */
function copyStrategy(): Promise<string> {
  copying ??= ask<{ fsync: string }>("SELECT current_setting('fsync') AS fsync").then(([settings]) =>
    settings?.fsync === 'off' ? 'STRATEGY file_copy' : '',
  );
  return copying;
}

/** One statement on the tests' server, by the session that this process keeps there. */
async function ask<T extends object>(sql: string): Promise<T[]> {
  admin ??= keptSession(await serverUrl());
  return (await (await admin).query(sql)).rows as T[];
}

async function keptSession(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {
    admin = undefined;
  });
  await client.connect();
  return client;
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

async function session(url: string, work: (query: Query) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await work(
      async <T extends object>(sql: string, parameters: readonly unknown[] = []) =>
        (await client.query(sql, parameters as unknown[])).rows as T[],
    );
  } finally {
    await client.end();
  }
}
