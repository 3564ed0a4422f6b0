import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, type TestContext } from 'node:test';
import pg from 'pg';
import { acquireEmbedded, type EmbeddedServer, stopEmbedded } from '../../src/db/embedded/index.js';
import { ident, literal } from '../../src/db/quote.js';
import type { Query } from './database.js';

/** A database of a test's own on a coordinator with two workers. */
export interface CitusDatabase {
  readonly url: string;
  /** Of the same database on the worker nodes. */
  readonly workers: readonly string[];
  query: Query;
}

/** Where Debian's packages, and a build of Citus by hand, put what belongs to the programs in `bin`. */
const controlOf = (bin: string): string[] => {
  const major = resolve(bin, '..').split('/').at(-1) ?? '';
  return [
    join(bin, '../../../../share/postgresql', major, 'extension/citus.control'),
    join(bin, '../share/extension/citus.control'),
    join(bin, '../share/postgresql/extension/citus.control'),
  ];
};

/** The bin directory of a PostgreSQL that has Citus: SLUICE_TEST_CITUS_BIN, or one of the system's. */
function programs(): string | undefined {
  const given = process.env.SLUICE_TEST_CITUS_BIN;
  const system = '/usr/lib/postgresql';
  const found = existsSync(system) ? readdirSync(system).map((major) => join(system, major, 'bin')) : [];
  return (given === undefined ? found : [given]).find(
    (bin) => existsSync(join(bin, 'postgres')) && controlOf(bin).some((file) => existsSync(file)),
  );
}

const bin = programs();

/** Why tests of Citus are skipped; false where they run. */
export const noCitus: string | false =
  bin === undefined &&
  'no PostgreSQL here has Citus (CONTRIBUTING.md says how to build it; SLUICE_TEST_CITUS_BIN names its programs)';

interface Cluster {
  /** Where the servers have their data; of this process alone, since their passwords are changed. */
  readonly folder: string;
  /** The superuser's URLs: coordinator, worker, worker. */
  readonly urls: readonly string[];
}

let started: Promise<Cluster> | undefined;

// At the root of the test process, thus after its last test.
after(async () => {
  const cluster = await started?.catch(() => undefined);
  if (cluster === undefined) return;
  for (const node of NODES) await stopEmbedded({ directory: join(cluster.folder, node), force: true });
  rmSync(cluster.folder, { recursive: true, force: true });
});

const NODES = ['coordinator', 'worker-1', 'worker-2'];

async function start(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-citus-'));
  chmodSync(folder, 0o755);
  const servers: EmbeddedServer[] = [];
  for (const node of NODES)
    servers.push(
      await acquireEmbedded({
        directory: join(folder, node),
        durable: false,
        binaries: bin as string,
        settings: {
          shared_preload_libraries: 'citus',
          shared_buffers: '64MB',
          max_connections: '100',
          max_prepared_transactions: '100',
          wal_level: 'logical',
          max_wal_senders: '4',
          'citus.node_conninfo': 'sslmode=prefer',
          'citus.shard_count': '4',
        },
      }),
    );
  // Nodes let each other in by the coordinator's password.
  const { password } = new URL((servers[0] as EmbeddedServer).url);
  const urls: string[] = [];
  for (const { url } of servers) {
    await ask(url, `ALTER ROLE CURRENT_USER PASSWORD ${literal(decodeURIComponent(password))}`);
    const own = new URL(url);
    own.password = password;
    urls.push(own.href);
  }
  return { folder, urls };
}

/**
 * Makes a database for the test `t` on a coordinator and two workers, and runs `sql` in it, one statement after the other, since
 * Citus takes some only alone (`;` at the end of a line ends one); dropped afterwards. Only where
 * noCitus is false.
 */
export async function citusDatabase(t: TestContext, sql: string): Promise<CitusDatabase> {
  started ??= start();
  const { urls } = await started;
  const name = `t_${randomBytes(6).toString('hex')}`;
  const within = urls.map((url) => {
    const own = new URL(url);
    own.pathname = `/${name}`;
    return own.href;
  });
  const sessions: pg.Client[] = [];
  t.after(async () => {
    for (const client of sessions) await client.end().catch(() => {});
    for (const url of urls) await ask(url, `DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`);
  });
  const [coordinator = '', ...workers] = within;
  const { username, password } = new URL(coordinator);
  for (const url of urls) await ask(url, `CREATE DATABASE ${ident(name)}`);
  for (const url of within)
    await ask(
      url,
      `CREATE EXTENSION citus; INSERT INTO pg_dist_authinfo VALUES (0, ${literal(decodeURIComponent(username))}, ${literal(`password=${decodeURIComponent(password)}`)})`,
    );
  await ask(coordinator, `SELECT citus_set_coordinator_host('127.0.0.1', ${new URL(coordinator).port})`);
  for (const url of workers)
    await ask(coordinator, `SELECT citus_add_node('127.0.0.1', ${new URL(url).port})`);
  const client = new pg.Client({ connectionString: coordinator });
  client.on('error', () => {});
  await client.connect();
  sessions.push(client);
  for (const statement of sql.split(/;\s*\n/)) await client.query(statement);
  return {
    url: coordinator,
    workers,
    query: async <T extends object>(text: string, parameters: readonly unknown[] = []) =>
      (await client.query(text, parameters as unknown[])).rows as T[],
  };
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
