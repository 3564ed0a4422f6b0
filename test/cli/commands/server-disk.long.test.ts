import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { acquireEmbedded } from '../../../src/db/embedded/index.js';
import { literal } from '../../../src/db/quote.js';
import { sluice } from '../../support/cli.js';
import { mayMountIn, smallDisk } from '../../support/disk.js';
import { ask, embeddedDirectory } from '../../support/embedded.js';
import { tempFolder } from '../../support/files.js';

/** 30 MB of staging: in segments of 8 MiB, some of them are committed when the disk is full. */
const ROWS = 30_000;
const numbers = Array.from({ length: ROWS }, (_, i) => i + 1);
const wide = (n: number) => String(n).repeat(1000).slice(0, 1000);

const skip = mayMountIn(import.meta.url);

/** The server's disk `small` as a tablespace, on a server of the test's own. */
async function serverWithDisk(t: TestContext, size: string) {
  const directory = embeddedDirectory(t);
  const server = await acquireEmbedded({ directory, durable: false });
  t.after(() => server.release());
  // The server may run as another account than this process.
  const disk = smallDisk(t, { size, ownerOf: server.dataDirectory });
  await ask(server.url, `CREATE TABLESPACE small LOCATION ${literal(disk.folder)}`);
  return { server, disk };
}

/** A database with `things`, made by `sql`, on a small disk; a folder with a file of many things; and the command line. */
async function setUp(t: TestContext, size: string, { sql, on = '' }: { sql: string; on?: string }) {
  const { server, disk } = await serverWithDisk(t, size);
  await ask(server.url, `CREATE DATABASE full_disk ${on}`);
  const url = new URL(server.url);
  url.pathname = '/full_disk';
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end().catch(() => {}));
  await client.query(sql);
  const cwd = tempFolder(t);
  const lines = numbers.map((n) => `${n},${wide(n)}\n`);
  writeFileSync(join(cwd, 'things.csv'), `id,name\n${lines.join('')}`);
  const live = async () => {
    const { rows } = await client.query(
      `SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids, md5(string_agg(id || name, ',' ORDER BY id)) AS sum FROM things`,
    );
    return rows[0] as { n: number; ids: number; sum: string };
  };
  const query = async (text: string) => (await client.query(text)).rows as Record<string, unknown>[];
  const run = (command: string) => sluice(command.split(' '), { cwd, env: { DATABASE_URL: url.href } });
  return { disk, run, query, live };
}

/** A failure leaves the batch with its reason, and no staging, guard, lock or open transaction. */
async function leavesNothing({ query }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  assert.deepEqual(
    await query("SELECT status, error->>'code' AS code FROM sluice.migration_batch ORDER BY id DESC LIMIT 1"),
    [{ status: 'failed', code: 'disk_full' }],
  );
  assert.deepEqual(await query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'"), []);
  assert.deepEqual(await query("SELECT tgname FROM pg_trigger WHERE tgname ~ '^sluice'"), []);
  assert.deepEqual(
    await query(
      "SELECT a.application_name, l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name ~ '^sluice'",
    ),
    [],
  );
}

const OLD = "INSERT INTO things SELECT n, 'old ' || n FROM generate_series(1, 100) n";
const TABLE = 'CREATE TABLE things (id integer PRIMARY KEY, name text NOT NULL)';
const UNTOUCHED = /state: nothing was published; live tables are untouched; batch 1 is failed\n/;
const NEXT =
  /next: {2}free space there, or make that disk larger; then: sluice copy things\.csv --into things --mode .* --yes\n/;

/** What the new rows are, as `live` shows them. */
const NEW = {
  n: ROWS,
  ids: ROWS,
  sum: createHash('md5')
    .update(numbers.map((n) => `${n}${wide(n)}`).join())
    .digest('hex'),
};

for (const [what, how, { size, on = '', sql, says }] of [
  [
    'the load',
    'replace',
    {
      // The ledger and the catalog are on it, too.
      on: 'TABLESPACE small',
      size: '36m',
      sql: `${TABLE}; ${OLD}`,
      says: /no disk space left to load public\.things: could not extend file .* \(the tablespace small in \/.*sluice-disk-\w+\)/,
    },
  ],
  [
    'an index build',
    'replace',
    {
      size: '4m',
      sql: `${TABLE}; CREATE INDEX names ON things (left(name, 500)) TABLESPACE small; ${OLD}`,
      says: /no disk space left: could not extend file .* \(the tablespace small in \/.*sluice-disk-\w+\)/,
    },
  ],
  [
    'the publishing transaction',
    'merge --key id',
    {
      size: '16m',
      sql: `${TABLE} TABLESPACE small; ${OLD}`,
      says: /no disk space left: could not extend file .* \(the tablespace small in \/.*sluice-disk-\w+\)/,
    },
  ],
] as const)
  test(`a disk of the server's that is full in ${what} fails the batch and leaves live as it was`, {
    skip,
  }, async (t) => {
    const it = await setUp(t, size, { on, sql });
    const before = await it.live();
    const copy = `copy things.csv --into things --mode ${how} --yes`;
    const full = await it.run(copy);
    assert.equal(full.code, 1, full.stderr);
    assert.match(full.stderr, says);
    assert.match(full.stderr, UNTOUCHED);
    assert.match(full.stderr, NEXT);
    assert.deepEqual(await it.live(), before);
    await leavesNothing(it);
    assert.match((await it.run('status 1')).stdout, says);

    const resumed = await it.run(`${copy} --resume 1`);
    assert.equal(resumed.code, 2, resumed.stderr);
    assert.match(resumed.stderr, /or its staging was dropped, because of disk_full\n/);
    assert.match(resumed.stderr, /start afresh: sluice copy things\.csv (--key id )?--into things --mode/);

    it.disk.grow('400m');
    const again = await it.run(copy);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(await it.live(), NEW);
  });

test('staging outlives a disk of the server that is full when it is swapped in', { skip }, async (t) => {
  const it = await setUp(t, '16m', { sql: `${TABLE} TABLESPACE small; ${OLD}` });
  const before = await it.live();
  const loaded = await it.run('copy things.csv --into things --mode merge --key id --no-swap --yes');
  assert.equal(loaded.code, 0, loaded.stderr);
  const full = await it.run('swap 1 --yes');
  assert.equal(full.code, 1, full.stderr);
  assert.match(full.stderr, /no disk space left: .* \(the tablespace small in /);
  assert.match(full.stderr, /then: sluice swap 1\n/);
  assert.deepEqual(await it.live(), before);
  assert.match((await it.run('status 1')).stdout, /status +staged/);
  it.disk.grow('400m');
  const swapped = await it.run('swap 1 --yes');
  assert.equal(swapped.code, 0, swapped.stderr);
  assert.deepEqual(await it.live(), NEW);
});

test('a rollback that finds the disk of the server full puts nothing back, and may be repeated', {
  skip,
}, async (t) => {
  // Two versions of every row fit, and a third does not.
  const it = await setUp(t, '84m', {
    sql: `${TABLE} WITH (autovacuum_enabled = false) TABLESPACE small;
      INSERT INTO things SELECT n, repeat('old ', 250) FROM generate_series(1, ${ROWS}) n`,
  });
  const before = await it.live();
  const merged = await it.run('copy things.csv --into things --mode merge --key id --yes');
  assert.equal(merged.code, 0, merged.stderr);
  assert.deepEqual(await it.live(), NEW);
  const full = await it.run('rollback 1 --yes');
  assert.equal(full.code, 1, full.stderr);
  assert.match(full.stderr, /no disk space left: .* \(the tablespace small in /);
  assert.match(full.stderr, /state: nothing was put back; live is as it was\n/);
  assert.match(full.stderr, /then: sluice rollback 1 --yes\n/);
  assert.deepEqual(await it.live(), NEW);
  assert.match((await it.run('status 1')).stdout, /status +completed\n/);
  it.disk.grow('400m');
  const back = await it.run('rollback 1 --yes');
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual(await it.live(), before);
});
