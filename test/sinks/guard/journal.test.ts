import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type pg from 'pg';
import { armGuard, disarmGuard, findGuards, guardPart, readJournal } from '../../../sinks/guard/journal.js';
import { guardChecks } from '../../../sinks/guard/journal-sql.js';
import { rowParts } from '../../../sinks/rows/parts.js';
import { rowRefusal } from '../../../sinks/rows/refusals.js';
import { SluiceError } from '../../../src/core/errors.js';
import { testDatabase } from '../../support/database.js';
import { testRole } from '../../support/role.js';
import { SHOP } from '../../support/shop.js';
import { checksums, openBatch, runWindow, stage } from '../../support/window.js';

const customers = { schema: 'public', table: 'customers' };
const orders = { schema: 'public', table: 'orders' };
const guard = { batch: 'b1', schema: 'b1_guard' };

async function armed(t: TestContext) {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect({ application_name: 'the shop' });
  await client.query(`${SHOP}; CREATE SCHEMA b1_guard`);
  await armGuard(client, guard, [customers, orders]);
  return { database, client, writer };
}

async function refusal(client: pg.Client, parts = [guardPart(guard, customers), guardPart(guard, orders)]) {
  try {
    await runWindow(client, parts);
  } catch (error) {
    const said = rowRefusal(error);
    if (said === undefined) throw error;
    return said;
  }
  return undefined;
}

const writes: Record<string, { sql: string; says: RegExp }> = {
  INSERT: {
    sql: "INSERT INTO customers (email) VALUES ('n@x')",
    says: /customers: 1 INSERT statement \(1 row\)/,
  },
  UPDATE: {
    sql: 'UPDATE orders SET total = 0 WHERE number < 3',
    says: /orders: 1 UPDATE statement \(2 rows\)/,
  },
  upsert: {
    sql: "INSERT INTO customers (email) VALUES ('c1@x') ON CONFLICT (email) DO UPDATE SET name = 'x'",
    says: /customers: 1 UPDATE statement \(1 row\)/,
  },
  COPY: { sql: "COPY customers (email) FROM PROGRAM 'echo n@x'", says: /customers: 1 INSERT/ },
  'a cascaded delete': { sql: "DELETE FROM customers WHERE email = 'c1@x'", says: /customers: 1 DELETE/ },
  TRUNCATE: { sql: 'TRUNCATE orders', says: /orders: 1 TRUNCATE statement by/ },
  'a session in replica role': {
    sql: 'SET session_replication_role = replica; UPDATE orders SET total = 0',
    says: /orders: 1 UPDATE statement \(4 rows\) by \w+ as the shop/,
  },
  'a released savepoint': {
    sql: 'BEGIN; SAVEPOINT s; UPDATE orders SET total = 0; RELEASE s; COMMIT',
    says: /orders: 1 UPDATE/,
  },
};

for (const [name, { sql, says }] of Object.entries(writes)) {
  test(`the journal guard sees ${name}`, async (t) => {
    const { client, writer } = await armed(t);
    await writer.query(sql);
    const said = await refusal(client);
    assert.equal(said?.code, 'live_written_during_load');
    assert.match(said.facts.details?.join('\n') ?? '', says);
  });
}

test('a cascaded delete is found in the child alone, too', async (t) => {
  const { client, writer } = await armed(t);
  await writer.query("DELETE FROM customers WHERE email = 'c1@x'");
  const said = await refusal(client, [guardPart(guard, orders)]);
  assert.match(said?.facts.details?.join() ?? '', /orders: 1 DELETE statement \(1 row\)/);
});

test('statements that touched no row or were rolled back do not count', async (t) => {
  const { client, writer } = await armed(t);
  await writer.query('UPDATE orders SET total = 0 WHERE number = 99; DELETE FROM customers WHERE id = 99');
  await writer.query("BEGIN; INSERT INTO customers (email) VALUES ('n@x'); ROLLBACK");
  await writer.query('BEGIN; SAVEPOINT s; UPDATE orders SET total = 0; ROLLBACK TO s; COMMIT');
  assert.equal(await refusal(client), undefined);
  assert.deepEqual(await readJournal(client, guard), []);
});

test('a writer without any right on the journal writes as before and is noted', async (t) => {
  const { client, writer } = await armed(t);
  const role = await testRole(t);
  await client.query(`GRANT SELECT, UPDATE ON orders TO ${role}`);
  await writer.query(`SET SESSION AUTHORIZATION ${role}; UPDATE orders SET total = 1`);
  const [entry] = await readJournal(client, guard);
  assert.equal(entry?.user, role);
  assert.equal(entry?.rows, 4);
  assert.equal(entry?.statements, 1);
});

test('a write that is still in flight when the check wants the lock is waited for and seen', async (t) => {
  const { client, writer } = await armed(t);
  await writer.query('BEGIN; UPDATE orders SET total = 5');
  const checking = refusal(client);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await writer.query('COMMIT');
  assert.equal((await checking)?.code, 'live_written_during_load');
});

test("the window's own row changes do not trip the guard, and others' leave live untouched", async (t) => {
  const { client, writer } = await armed(t);
  const target = { ...orders, mode: 'merge' as const, columns: ['region', 'number', 'customer_id', 'total'] };
  const names = await openBatch(client, 'b1');
  const facts = await stage(client, names, [target, [['north', '1', '1', '99']]]);
  const parts = () => [
    ...rowParts([{ facts, names, guard: guardChecks(guard, orders) }]),
    guardPart(guard, orders),
  ];
  await writer.query('UPDATE orders SET total = 7 WHERE number = 4');
  const before = await checksums(client, 'orders');
  assert.equal((await refusal(client, parts()))?.facts.table, 'public.orders');
  assert.deepEqual(await checksums(client, 'orders'), before);
  await client.query('DELETE FROM b1_guard.guard_journal');
  assert.equal(await refusal(client, parts()), undefined);
  assert.notDeepEqual(await checksums(client, 'orders'), before);
});

test('a guard whose trigger was dropped or switched off refuses the publish', async (t) => {
  const { client } = await armed(t);
  await client.query('ALTER TABLE orders DISABLE TRIGGER sluice_guard_b1_upd');
  assert.equal((await refusal(client))?.code, 'guard_missing');
  await client.query('ALTER TABLE orders ENABLE ALWAYS TRIGGER sluice_guard_b1_upd');
  assert.equal(await refusal(client), undefined);
  await client.query('DROP TRIGGER sluice_guard_b1_del ON orders');
  assert.equal((await refusal(client))?.code, 'guard_missing');
});

test('arming waits for a write in flight, and names it when it gives up', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect({ application_name: 'the shop' });
  await client.query(`${SHOP}; CREATE SCHEMA b1_guard`);
  await writer.query('BEGIN; UPDATE orders SET total = 5');
  const waits: number[] = [];
  await assert.rejects(
    armGuard(client, guard, [orders], {
      lockTimeout: 20,
      attempts: 2,
      onWait: (_table, attempt, holders) => waits.push(attempt * 10 + holders.length),
    }),
    (error: unknown) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.code, 'lock_not_got');
      assert.match(error.facts.details?.join() ?? '', /\w+ \(the shop\).*RowExclusiveLock.*UPDATE orders/);
      return true;
    },
  );
  assert.deepEqual(waits, [11, 21]);
  await disarmGuard(client, guard);
  const arming = armGuard(client, guard, [orders]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await writer.query('COMMIT');
  await arming;
  assert.deepEqual(await readJournal(client, guard), []);
});

test('an aborted run stops waiting for the lock', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect();
  await client.query(`${SHOP}; CREATE SCHEMA b1_guard`);
  await writer.query('BEGIN; UPDATE orders SET total = 5');
  const controller = new AbortController();
  const arming = armGuard(client, guard, [orders], {
    lockTimeout: 20,
    signal: controller.signal,
    onWait: () => controller.abort(),
  });
  await assert.rejects(arming, { code: 'interrupted' });
});

test('a guard left by a crash is found and removed; removing it twice is no error', async (t) => {
  const { client } = await armed(t);
  await client.query('CREATE SCHEMA gone; ALTER TABLE orders SET SCHEMA gone');
  const found = await findGuards(client);
  assert.deepEqual(
    [...new Set(found.map((one) => `${one.batch} ${one.schema}.${one.table}`))],
    ['b1 gone.orders', 'b1 public.customers'],
  );
  await disarmGuard(client, guard);
  await disarmGuard(client, guard);
  assert.deepEqual(await findGuards(client), []);
  assert.deepEqual(await readJournal(client, guard), []);
  const left = await client.query("SELECT count(*)::int AS n FROM pg_proc WHERE proname ~ '^guard_'");
  assert.equal(left.rows[0].n, 0);
});

test('a role that does not own the table is refused before anything is created', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const role = await testRole(t);
  await client.query(`${SHOP}; GRANT ALL ON orders TO ${role}; CREATE SCHEMA b1_guard AUTHORIZATION ${role}`);
  await client.query(`SET ROLE ${role}`);
  await assert.rejects(armGuard(client, guard, [orders]), { code: 'guard_not_possible' });
  assert.deepEqual(await findGuards(client), []);
});
