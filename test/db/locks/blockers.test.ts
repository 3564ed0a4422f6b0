import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from 'pg';
import {
  advisoryHolders,
  type Blocker,
  blockerLine,
  blockersOf,
  connectedTo,
  lockHolders,
  longTransactions,
  olderSnapshots,
  preparedOn,
} from '../../../src/db/locks/blockers.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { until } from '../../support/until.js';

const orders = { schema: 'public', table: 'orders' };

/** A session as ours are: names without a schema mean the server's own. */
const ours = (database: TestDatabase) => database.connect({ options: '-c search_path=pg_catalog' });

const pidOf = async (client: Client): Promise<number> =>
  (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;

async function shop(database: TestDatabase): Promise<void> {
  await database.query(
    'CREATE TABLE orders (id int, year int) PARTITION BY LIST (year); CREATE TABLE orders_24 PARTITION OF orders FOR VALUES IN (24); INSERT INTO orders VALUES (1, 24)',
  );
}

/** What `waiter` waits for with `sql` is looked at by `look`; it gets it once `free` is done. */
async function whileWaiting<T>(
  waiter: Client,
  sql: string,
  look: (pid: number) => Promise<readonly T[]>,
  free: () => Promise<unknown>,
): Promise<readonly T[]> {
  const pid = await pidOf(waiter);
  const waiting = waiter.query(sql);
  let found: readonly T[] = [];
  await until('somebody is in the way', async () => {
    found = await look(pid);
    return found.length > 0;
  });
  await free();
  await waiting;
  return found;
}

test('a session that keeps another waiting is told with all that the server knows of it', async (t) => {
  const database = await testDatabase(t);
  await shop(database);
  const [writer, waiter, watch] = [
    await database.connect({ application_name: 'the shop' }),
    await database.connect(),
    await ours(database),
  ];
  await writer.query('BEGIN; UPDATE orders_24\n   SET id = 2');
  const found = await whileWaiting(
    waiter,
    'BEGIN; LOCK TABLE orders_24; ROLLBACK',
    (pid) => blockersOf(watch, pid),
    () => writer.query('COMMIT'),
  );
  const [{ age, since, user, ...blocker }] = found as [Blocker];
  assert.deepEqual(blocker, {
    pid: await pidOf(writer),
    prepared: null,
    application: 'the shop',
    state: 'idle in transaction',
    backend: 'client backend',
    query: 'BEGIN; UPDATE orders_24\n   SET id = 2',
    relation: 'public.orders_24',
    lock: 'RowExclusiveLock',
  });
  assert.ok(age !== null && age >= 0 && since instanceof Date);
  assert.match(
    blockerLine((found as [Blocker])[0]),
    new RegExp(
      `^pid ${blocker.pid} \\(${user}, the shop; idle in transaction, \\d+\\.\\d s\\), RowExclusiveLock on public\\.orders_24: BEGIN; UPDATE orders_24 SET id = 2$`,
    ),
  );
});

test('who waits for a row is told who has changed it, and of no table', async (t) => {
  const database = await testDatabase(t);
  await shop(database);
  const [writer, waiter, watch] = [await database.connect(), await database.connect(), await ours(database)];
  await writer.query('BEGIN; UPDATE orders SET id = 2');
  const found = await whileWaiting(
    waiter,
    'UPDATE orders SET id = 3',
    (pid) => blockersOf(watch, pid),
    () => writer.query('COMMIT'),
  );
  assert.deepEqual(
    found.map(({ pid, lock, relation }) => [pid, lock, relation]),
    [[await pidOf(writer), 'ExclusiveLock', null]],
  );
});

test('a prepared transaction is told by the name by which it is ended', async (t) => {
  const database = await testDatabase(t);
  await shop(database);
  const [waiter, watch] = [await database.connect(), await ours(database)];
  const gid = `half done ${database.name}`;
  const end = () => database.query(`ROLLBACK PREPARED '${gid}'`);
  await database.query(
    `BEGIN; LOCK TABLE orders_24 IN ROW EXCLUSIVE MODE; LOCK TABLE orders_24 IN SHARE MODE; SAVEPOINT a; CREATE TABLE other (); PREPARE TRANSACTION '${gid}'`,
  );
  try {
    assert.deepEqual(
      (await preparedOn(watch, [orders, { schema: 'public', table: 'orders_24' }])).map(
        ({ pid, prepared, relation, lock }) => [pid, prepared, relation, lock],
      ),
      [[null, gid, 'public.orders_24', 'RowExclusiveLock, ShareLock']],
    );
    assert.deepEqual(await preparedOn(watch, [orders]), [], 'the table itself, not its partitions');
    const [held] = (await lockHolders(watch, [orders])) as [Blocker];
    assert.match(
      blockerLine(held),
      new RegExp(
        `^prepared transaction '${gid}' \\(\\w+; \\d+\\.\\d s\\), RowExclusiveLock, ShareLock on public\\.orders_24$`,
      ),
    );
    const waiting = 'BEGIN; LOCK TABLE orders_24; ROLLBACK';
    const found = await whileWaiting(waiter, waiting, (pid) => blockersOf(watch, pid), end);
    assert.deepEqual(
      found.map(({ pid, prepared }) => [pid, prepared]),
      [[null, gid]],
    );
  } finally {
    // Nobody can drop the database while it is there.
    await end().catch(() => {});
  }
});

test('holders of locks are those that conflict, with those of partitions, once each, the oldest first', async (t) => {
  const database = await testDatabase(t);
  await shop(database);
  const [reader, writer, watch] = [await database.connect(), await database.connect(), await ours(database)];
  await reader.query('BEGIN; LOCK TABLE orders_24 IN ACCESS SHARE MODE');
  await writer.query(
    'BEGIN; LOCK TABLE orders_24 IN ACCESS SHARE MODE; LOCK TABLE orders_24 IN ROW EXCLUSIVE MODE',
  );
  await watch.query('BEGIN; INSERT INTO public.orders VALUES (4, 24)');
  const of = async (readersToo: boolean) =>
    (await lockHolders(watch, [orders], readersToo)).map(({ pid, relation, lock }) => [pid, relation, lock]);
  const writes = [await pidOf(writer), 'public.orders_24'];
  assert.deepEqual(await of(false), [[...writes, 'RowExclusiveLock']]);
  assert.deepEqual(await of(true), [
    [await pidOf(reader), 'public.orders_24', 'AccessShareLock'],
    [...writes, 'AccessShareLock, RowExclusiveLock'],
  ]);
  assert.deepEqual(await lockHolders(watch, []), []);
});

test('advisory locks, older snapshots and the sessions of a database have their holders, too', async (t) => {
  const database = await testDatabase(t);
  const [holder, watch] = [
    await database.connect({ application_name: 'the other batch' }),
    await ours(database),
  ];
  await holder.query('SELECT pg_advisory_lock(7, -2)');
  const [claim] = (await advisoryHolders(watch, 7, -2)) as [Blocker];
  assert.match(
    blockerLine(claim),
    /^pid \d+ \(\w+, the other batch; idle, since 20\S+Z\): SELECT pg_advisory_lock\(7, -2\)$/,
  );
  assert.deepEqual(await advisoryHolders(holder, 7, -2), [], 'its own is none of the others');
  assert.deepEqual(await advisoryHolders(watch, 7, 2), []);

  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
  const [now] = (await watch.query('SELECT pg_current_xact_id()::xid::text AS xid')).rows;
  await watch.query('SELECT pg_current_xact_id()');
  const later = (await watch.query('SELECT pg_current_xact_id()::xid::text AS xid')).rows[0].xid;
  assert.deepEqual(
    (await olderSnapshots(watch, later)).map(({ application, relation }) => [application, relation]),
    [['the other batch', null]],
  );
  assert.ok(Number(now.xid) < Number(later));
  await holder.query('COMMIT');
  assert.deepEqual(await olderSnapshots(watch, later), []);

  const names = (await connectedTo(watch, database.name)).map(({ application }) => application);
  assert.ok(names.includes('the other batch'));
});

test('a transaction that has been open for long is told, a prepared one as well', async (t) => {
  const database = await testDatabase(t);
  const [report, idle, watch] = [
    await database.connect({ application_name: 'a report' }),
    await database.connect({ application_name: 'idle' }),
    await ours(database),
  ];
  const gid = `forgotten ${database.name}`;
  await database.query(`BEGIN; CREATE TABLE other (); PREPARE TRANSACTION '${gid}'`);
  try {
    await report.query('BEGIN; SELECT 1');
    await idle.query('SELECT 1');
    const found = await longTransactions(watch, 0);
    assert.deepEqual(
      found.map(({ pid, prepared, application }) => [pid === null, prepared, application]),
      [
        [true, gid, null],
        [false, null, 'a report'],
      ],
    );
    assert.deepEqual(await longTransactions(watch, 3600), []);
  } finally {
    await report.query('ROLLBACK');
    await database.query(`ROLLBACK PREPARED '${gid}'`);
  }
});

test('the line says what is known, and nothing of what is not', () => {
  const unknown: Blocker = {
    ...{ pid: 12, prepared: null, user: null, application: null, state: null, backend: null },
    ...{ age: null, since: null, query: null, relation: null, lock: null },
  };
  assert.equal(blockerLine(unknown), 'pid 12');
  assert.equal(
    blockerLine({ ...unknown, backend: 'autovacuum worker', state: 'active', age: 61.25 }),
    'pid 12 (autovacuum worker; active, 61.3 s)',
  );
  assert.equal(
    blockerLine({ ...unknown, user: 'shop', backend: 'walsender', state: 'active' }),
    'pid 12 (shop, walsender; active)',
  );
  assert.equal(
    blockerLine({ ...unknown, relation: 'public.orders' }),
    'pid 12, waits for public.orders, too',
  );
  assert.equal(blockerLine({ ...unknown, pid: null }), "prepared transaction 'unknown'");
});
