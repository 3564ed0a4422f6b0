import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type pg from 'pg';
import { rowParts } from '../../../../sinks/publish/rows/parts.js';
import { rowRefusal } from '../../../../sinks/publish/rows/refusals.js';
import {
  armGuard,
  disarmGuard,
  findGuards,
  guardPart,
} from '../../../../sinks/publish/write-guard/journal.js';
import { guardChecks } from '../../../../sinks/publish/write-guard/journal-sql.js';
import { SluiceError } from '../../../../src/core/errors/sluice-error.js';
import { patienceUntil } from '../../../../src/db/patience.js';
import { testDatabase } from '../../../support/database.js';
import { readJournal } from '../../../support/journal.js';
import { PATIENT } from '../../../support/patience.js';
import { testRole } from '../../../support/role.js';
import { SHOP } from '../../../support/shop.js';
import { checksums, openBatch, runWindow, stage } from '../../../support/window.js';

const customers = { schema: 'public', table: 'customers' };
const orders = { schema: 'public', table: 'orders' };
const guard = { batch: 'b1', schema: 'b1_guard' };

async function armed(t: TestContext) {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect({ application_name: 'the shop' });
  await client.query(`${SHOP}; CREATE SCHEMA b1_guard`);
  await armGuard(client, guard, [customers, orders], PATIENT);
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
  await disarmGuard(client, guard, PATIENT);
  await armGuard(client, guard, [customers, orders], PATIENT);
  assert.equal(await refusal(client, parts()), undefined);
  assert.notDeepEqual(await checksums(client, 'orders'), before);
});

/** What takes the guard away, if only for a moment, during which `WRITE` passes it; and what is said of it. */
const WRITE = 'UPDATE orders SET total = 0 WHERE number = 1';
const disarms: Record<string, { sql: string; says: RegExp }> = {
  'all triggers off and on again, as pg_restore --disable-triggers does': {
    sql: `ALTER TABLE orders DISABLE TRIGGER ALL; ${WRITE}; ALTER TABLE orders ENABLE TRIGGER ALL`,
    says: /^public\.orders: a trigger of the guard is gone, or was switched off meanwhile$/,
  },
  'its trigger off, and put back into the very state that it had': {
    sql: `ALTER TABLE orders DISABLE TRIGGER sluice_guard_b1_upd; ${WRITE}; ALTER TABLE orders ENABLE ALWAYS TRIGGER sluice_guard_b1_upd`,
    says: /orders: a trigger of the guard is gone/,
  },
  'its trigger dropped and made again': {
    sql: `DROP TRIGGER sluice_guard_b1_upd ON orders; ${WRITE}; CREATE TRIGGER sluice_guard_b1_upd AFTER UPDATE ON orders REFERENCING NEW TABLE AS sluice_rows FOR EACH STATEMENT EXECUTE FUNCTION b1_guard.guard_rows(); ALTER TABLE orders ENABLE ALWAYS TRIGGER sluice_guard_b1_upd`,
    says: /orders: a trigger of the guard is gone/,
  },
  'its trigger dropped': {
    sql: `DROP TRIGGER sluice_guard_b1_del ON orders`,
    says: /orders: a trigger of the guard is gone/,
  },
  'its function replaced and put back': {
    sql: `CREATE TEMP TABLE kept AS SELECT pg_get_functiondef('b1_guard.guard_rows()'::regprocedure) AS def; CREATE OR REPLACE FUNCTION b1_guard.guard_rows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; ${WRITE}; DO $$ BEGIN EXECUTE (SELECT def FROM kept); END $$`,
    says: /^what the guard keeps its notes in, or what writes them, was altered$/,
  },
  'a note deleted by who has switched its keeper off and on': {
    sql: `${WRITE}; ALTER TABLE b1_guard.guard_journal DISABLE TRIGGER ALL; DELETE FROM b1_guard.guard_journal; ALTER TABLE b1_guard.guard_journal ENABLE ALWAYS TRIGGER sluice_guard_keep`,
    says: /^what the guard keeps its notes in/,
  },
  'its journal dropped and made again': {
    sql: `${WRITE}; CREATE TABLE b1_guard.j (LIKE b1_guard.guard_journal INCLUDING ALL); DROP TABLE b1_guard.guard_journal; ALTER TABLE b1_guard.j RENAME TO guard_journal`,
    says: /^what the guard keeps its notes in/,
  },
  'all of it dropped': {
    sql: `DROP SCHEMA b1_guard CASCADE; ${WRITE}`,
    says: /^it was armed by an earlier version of Sluice, or was dropped$/,
  },
  'the values of a column written anew by a change of its type': {
    sql: 'ALTER TABLE orders ALTER total TYPE numeric(12,2) USING 0',
    says: /^public\.orders: its columns were altered, or it was a partition or heir meanwhile$/,
  },
  'the rows reached by the name of a parent that it had for a moment': {
    sql: 'CREATE TABLE above AS SELECT total FROM orders WITH NO DATA; ALTER TABLE orders INHERIT above; UPDATE above SET total = 0; ALTER TABLE orders NO INHERIT above',
    says: /^public\.orders: its columns were altered, or it was a partition or heir meanwhile$/,
  },
  'another table under its name': {
    sql: 'ALTER TABLE orders RENAME TO gone; CREATE TABLE orders (LIKE gone)',
    says: /orders is another table than the one that is watched$/,
  },
};

for (const [what, { sql, says }] of Object.entries(disarms))
  test(`a guard that is not as it was armed refuses the publish: ${what}`, async (t) => {
    const { client, writer } = await armed(t);
    await writer.query(sql);
    const said = await refusal(client);
    assert.equal(said?.code, 'guard_missing');
    assert.match(said.facts.details?.join('\n') ?? '', says);
    await disarmGuard(client, guard, PATIENT);
    assert.deepEqual(await findGuards(client), []);
  });

test('no statement takes back what was noted', async (t) => {
  const { client, writer } = await armed(t);
  await writer.query(WRITE);
  for (const table of ['guard_journal', 'guard_member', 'guard_state'])
    for (const sql of [`DELETE FROM b1_guard.${table}`, `TRUNCATE b1_guard.${table}`])
      await assert.rejects(
        writer.query(`SET session_replication_role = replica; ${sql}`),
        /what the write guard of a load has noted stays/,
      );
  assert.equal((await refusal(client))?.code, 'live_written_during_load');
});

test('vacuum, analyze, grants, comments and new columns leave a guard armed', async (t) => {
  const { client, writer } = await armed(t);
  for (const sql of [
    'VACUUM FULL orders',
    'VACUUM (FREEZE, ANALYZE)',
    'VACUUM FULL pg_trigger',
    'VACUUM FULL pg_attribute',
  ])
    await writer.query(sql);
  await writer.query(
    "GRANT SELECT ON orders TO PUBLIC; COMMENT ON COLUMN orders.total IS 'x'; ALTER TABLE orders ADD extra int; CREATE INDEX ON orders (total)",
  );
  assert.equal(await refusal(client), undefined);
});

test('arming waits for a write in flight, and names it when it gives up', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect({ application_name: 'the shop' });
  await client.query(`${SHOP}; CREATE SCHEMA b1_guard`);
  await writer.query('BEGIN; UPDATE orders SET total = 5');
  const waits: number[] = [];
  await assert.rejects(
    armGuard(client, guard, [orders], PATIENT, {
      lockTimeoutMs: 20,
      attempts: 2,
      onWait: (_table, attempt, holders) => waits.push(attempt * 10 + holders.length),
    }),
    (error: unknown) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.code, 'lock_not_got');
      assert.match(error.facts.details?.join() ?? '', /\(\w+, the shop; .*RowExclusiveLock.*UPDATE orders/);
      return true;
    },
  );
  assert.deepEqual(waits, [11, 21]);
  await disarmGuard(client, guard, PATIENT);
  const arming = armGuard(client, guard, [orders], PATIENT);
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
  const arming = armGuard(client, guard, [orders], patienceUntil(controller.signal), {
    lockTimeoutMs: 20,
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
  await disarmGuard(client, guard, PATIENT);
  await disarmGuard(client, guard, PATIENT);
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
  await assert.rejects(armGuard(client, guard, [orders], PATIENT), { code: 'guard_not_possible' });
  assert.deepEqual(await findGuards(client), []);
});
