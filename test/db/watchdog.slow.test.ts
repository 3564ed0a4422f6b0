import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { CopyIn } from '../../sinks/load/copy/copy-in.js';
import { PgDatabase } from '../../src/db/connect.js';
import { TIMING, type Timing } from '../../src/db/network.js';
import { EMPTY, testDatabase } from '../support/database.js';
import { proxyTo } from '../support/proxy.js';
import { testRole } from '../support/role.js';
import { until } from '../support/until.js';

/** A tenth of a second in place of half a minute. */
const SOON: Timing = {
  ...TIMING,
  connectMs: 2_000,
  quietMs: 150,
  againMs: 100,
  askMs: 1_000,
  unreachableMs: 300,
  returnMs: 500,
  goodbyeMs: 300,
};
const ENDS = { timeout: 60_000 };

async function throughProxy(t: TestContext) {
  const direct = await testDatabase(t, { template: EMPTY });
  const proxy = await proxyTo(direct.url);
  const database = new PgDatabase({ url: proxy.url, described: 'it', from: 'test' }, SOON);
  t.after(async () => {
    await database.close();
    await proxy.close();
  });
  const states = () =>
    direct.query<{ name: string; state: string }>(
      `SELECT application_name AS name, state FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY 1`,
    );
  return { direct, proxy, database, states };
}

const isLost = (error: unknown) => /no answer/.test((error as Error).message);

test(
  'a statement that never gets to the server ends as one of a lost connection, and so does its transaction',
  ENDS,
  async (t) => {
    const { direct, proxy, database, states } = await throughProxy(t);
    await direct.query('CREATE TABLE things (id int)');
    const client = await database.connect('publish');
    await client.query('BEGIN; LOCK TABLE public.things');
    const happened = proxy.on({
      fault: { kind: 'freeze' },
      session: /publish/,
      holding: { direction: 'up', text: 'COMMIT' },
    });
    await assert.rejects(client.query('COMMIT'), isLost);
    await happened;
    // Nobody waits for its locks until the server has noticed.
    await until('the session is gone', async () => (await states()).length === 0);
    await client.end();
  },
);

test('a statement whose answer never comes ends as one of a lost connection', ENDS, async (t) => {
  const { proxy, database } = await throughProxy(t);
  const client = await database.connect('publish');
  void proxy.on({
    fault: { kind: 'freeze' },
    session: /publish/,
    holding: { direction: 'up', text: 'SELECT 42' },
    passing: true,
  });
  await assert.rejects(client.query('SELECT 42'), isLost);
});

test('where nobody answers any more, the session counts as lost', ENDS, async (t) => {
  const { proxy, database } = await throughProxy(t);
  const client = await database.connect('load');
  const asked = assert.rejects(client.query('SELECT pg_sleep(30)'), isLost);
  proxy.now({ kind: 'freeze' });
  await asked;
  const from = Date.now();
  await client.end();
  await assert.rejects(database.connect('another'), { code: 'no_connection' });
  assert.ok(Date.now() - from < 10_000);
});

test('a statement that works, or waits for a lock, is never cut off', ENDS, async (t) => {
  const { direct, database } = await throughProxy(t);
  await direct.query('CREATE TABLE things (id int)');
  const holder = await direct.connect();
  await holder.query('BEGIN; LOCK TABLE public.things');
  const waiting = (await database.connect('waits')).query('SELECT count(*)::int AS n FROM public.things');
  const working = (await database.connect('works')).query("SELECT pg_sleep(2), 'done' AS said");
  assert.equal((await working).rows[0].said, 'done');
  await holder.query('COMMIT');
  assert.equal((await waiting).rows[0].n, 0);
});

const COPY = 'COPY public.things FROM STDIN';

test(
  'a COPY that waits for its source is left alone; one whose rows get nowhere is lost',
  ENDS,
  async (t) => {
    const { direct, proxy, database } = await throughProxy(t);
    await direct.query('CREATE TABLE things (id text)');
    const client = await database.connect('load');
    const slow = new CopyIn(client, COPY);
    await slow.write(Buffer.from('one\n'));
    await sleep(1_500);
    await slow.write(Buffer.from('two\n'));
    assert.equal(await slow.finish(), 2);

    const frozen = new CopyIn(client, COPY);
    await frozen.write(Buffer.from('three\n'));
    await sleep(100);
    proxy.now({ kind: 'freeze' }, /load/);
    const row = Buffer.from(`${'x'.repeat(1 << 20)}\n`);
    const sending = (async () => {
      for (;;) await frozen.write(row);
    })();
    await assert.rejects(sending, isLost);
    await frozen.abort();
  },
);

test('a COPY whose end gets no answer is lost', ENDS, async (t) => {
  const { direct, proxy, database } = await throughProxy(t);
  await direct.query('CREATE TABLE things (id text)');
  const copy = new CopyIn(await database.connect('load'), COPY);
  await copy.write(Buffer.from('one\n'));
  await sleep(100);
  proxy.now({ kind: 'freeze' }, /load/);
  await assert.rejects(copy.finish(), isLost);
});

test(
  'where the role has no session left to ask in, one of ours that has nothing to do asks',
  ENDS,
  async (t) => {
    const { direct, proxy } = await throughProxy(t);
    const role = await testRole(t);
    await direct.query(`ALTER ROLE ${role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 2`);
    const url = new URL(proxy.url);
    url.username = role;
    url.password = 'secret';
    const database = new PgDatabase({ url: url.href, described: 'it', from: 'test' }, SOON);
    t.after(() => database.close());
    await database.query('SELECT 1');
    const client: pg.Client = await database.connect('publish');
    void proxy.on({
      fault: { kind: 'freeze' },
      session: /publish/,
      holding: { direction: 'up', text: 'SELECT 42' },
    });
    await assert.rejects(client.query('SELECT 42'), isLost);
    assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }]);
  },
);
