import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type pg from 'pg';
import { rowRefusal } from '../../../../sinks/publish/rows/refusals.js';
import { windowSql } from '../../../../sinks/publish/window.js';
import {
  armGuard,
  disarmGuard,
  findGuards,
  guardPart,
} from '../../../../sinks/publish/write-guard/journal.js';
import { holdGuard } from '../../../../sinks/publish/write-guard/lock.js';
import { testDatabase } from '../../../support/database.js';
import { PATIENT } from '../../../support/patience.js';

const guard = { batch: 'b1', schema: 'b1_guard' };
const named = (table: string) => ({ schema: 'public', table });

/** Two levels of partitions with a default one, and a table with one that inherits from it. */
const TREES = `
CREATE TABLE sales (id int, year int, amount int, PRIMARY KEY (id, year)) PARTITION BY RANGE (year);
CREATE TABLE sales_24 PARTITION OF sales FOR VALUES FROM (2024) TO (2025);
CREATE TABLE sales_25 PARTITION OF sales FOR VALUES FROM (2025) TO (2026) PARTITION BY RANGE (id);
CREATE TABLE sales_25_a PARTITION OF sales_25 FOR VALUES FROM (0) TO (100);
CREATE TABLE sales_25_b PARTITION OF sales_25 FOR VALUES FROM (100) TO (200);
CREATE TABLE sales_other PARTITION OF sales DEFAULT;
INSERT INTO sales SELECT i, 2023 + i % 4, i FROM generate_series(1, 150) i;
CREATE TABLE place (id int PRIMARY KEY, name text);
CREATE TABLE town (mayor text) INHERITS (place);
INSERT INTO place VALUES (1, 'sea'); INSERT INTO town VALUES (2, 'Ulm', 'Ada');`;

async function armed(t: TestContext, ...tables: readonly string[]) {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect({ application_name: 'the shop' });
  await client.query(`${TREES} CREATE SCHEMA b1_guard`);
  await armGuard(client, guard, tables.map(named), PATIENT);
  return { client, writer };
}

/** What the window says of the guard of the tables, through its real locks and checks; nothing where it passes. */
async function said(client: pg.Client, ...tables: readonly string[]): Promise<string> {
  const parts = tables.map((table) => guardPart(guard, named(table)));
  try {
    await client.query(windowSql(parts, { lockTimeoutMs: 2000, statementTimeoutMs: 5000, ledger: [] }));
  } catch (error) {
    await client.query('ROLLBACK');
    const refusal = rowRefusal(error);
    if (refusal === undefined) throw error;
    return [refusal.code, ...(refusal.facts.details ?? [])].join('\n');
  }
  return '';
}

/** A write, and the guarded tables that it concerns; of the others it must not be said. */
const writes: readonly [what: string, sql: string, seen: readonly string[], unseen: readonly string[]][] = [
  [
    'by way of the whole',
    'INSERT INTO sales VALUES (7, 2025, 0)',
    ['sales', 'sales_25', 'sales_25_a'],
    ['sales_24', 'sales_25_b', 'sales_other'],
  ],
  [
    'to a partition by its own name',
    'UPDATE sales_25_b SET amount = 0 WHERE id = 102',
    ['sales', 'sales_25', 'sales_25_b'],
    ['sales_24', 'sales_25_a'],
  ],
  [
    'by the name of a partition that is partitioned',
    'DELETE FROM sales_25 WHERE id < 10',
    ['sales', 'sales_25', 'sales_25_a'],
    ['sales_25_b'],
  ],
  [
    'that moves a row between partitions',
    'UPDATE sales SET year = 2024 WHERE id = 102',
    ['sales', 'sales_24', 'sales_25', 'sales_25_b'],
    ['sales_25_a', 'sales_other'],
  ],
  ['to the default partition', 'DELETE FROM sales_other', ['sales', 'sales_other'], ['sales_24']],
  ['that empties a partition', 'TRUNCATE sales_25', ['sales', 'sales_25', 'sales_25_a'], ['sales_24']],
  ['that empties the whole', 'TRUNCATE sales', ['sales', 'sales_24', 'sales_25_b', 'sales_other'], []],
  ['by COPY', 'COPY sales_24 FROM PROGRAM \'printf "9\\t2024\\t1\\n"\'', ['sales', 'sales_24'], ['sales_25']],
  ['to a child by way of its parent', "UPDATE place SET name = 'x' WHERE id = 2", ['place', 'town'], []],
  ['to a parent alone', "UPDATE ONLY place SET name = 'x'", ['place'], ['town']],
  ['to a child', "UPDATE town SET mayor = 'x'", ['place', 'town'], []],
];
const ALL = ['sales', 'sales_24', 'sales_25', 'sales_25_a', 'sales_25_b', 'sales_other', 'place', 'town'];

test('a write is seen wherever its rows are, whichever name it was made by', async (t) => {
  const { client, writer } = await armed(t, ...ALL);
  for (const table of ALL) assert.equal(await said(client, table), '', table);
  for (const [what, sql, seen, unseen] of writes) {
    await writer.query('BEGIN');
    await writer.query(sql);
    await writer.query('COMMIT');
    for (const table of seen)
      assert.match(await said(client, table), /^live_written_during_load/, `${table}: ${what}`);
    for (const table of unseen) assert.equal(await said(client, table), '', `${table}: ${what}`);
    await disarmGuard(client, guard, PATIENT);
    await armGuard(client, guard, ALL.map(named), PATIENT);
  }
});

test('each of the tables is watched as well where it alone is guarded', async (t) => {
  const { client, writer } = await armed(t, 'sales_25');
  await writer.query('UPDATE sales SET amount = 0 WHERE year <> 2025');
  assert.equal(await said(client, 'sales_25'), '');
  await writer.query('BEGIN; SAVEPOINT s; UPDATE sales SET amount = 0; ROLLBACK TO s; COMMIT');
  assert.equal(await said(client, 'sales_25'), '');
  await writer.query(
    'BEGIN; SAVEPOINT s; UPDATE sales SET amount = 0; ROLLBACK TO s; UPDATE sales SET amount = 1 WHERE year = 2025; COMMIT',
  );
  assert.match(await said(client, 'sales_25'), /sales_25_a: 1 UPDATE statement by \w+ as the shop/);
  assert.deepEqual([...new Set((await findGuards(client, 'b1')).map((one) => one.table))].sort(), [
    'sales_25',
    'sales_25_a',
    'sales_25_b',
  ]);
  await disarmGuard(client, guard, PATIENT);
  assert.deepEqual(await findGuards(client), []);
});

test('a row written to a partition directly, still uncommitted when the window comes, is waited for', async (t) => {
  const { client, writer } = await armed(t, 'sales');
  await writer.query('BEGIN; DELETE FROM sales_24 WHERE id = 1');
  const asking = said(client, 'sales');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await writer.query('COMMIT');
  assert.match(await asking, /sales_24: 1 DELETE/);
});

for (const [what, sql, says] of [
  [
    'attached',
    'CREATE TABLE n PARTITION OF sales FOR VALUES FROM (2030) TO (2031)',
    /n was attached, and is not watched/,
  ],
  ['detached', 'ALTER TABLE sales DETACH PARTITION sales_24', /sales_24 was detached or dropped/],
  ['dropped', 'DROP TABLE sales_25_a', /sales_25_a was detached or dropped/],
] as const)
  test(`a partition ${what} since refuses the publish by name`, async (t) => {
    const { client, writer } = await armed(t, 'sales');
    await writer.query(sql);
    assert.match(await said(client, 'sales'), /^guard_missing/);
    assert.match(await said(client, 'sales'), says);
    await disarmGuard(client, guard, PATIENT);
    assert.deepEqual(await findGuards(client), []);
  });

test('the lock guard keeps writers out of the partitions, too, and lets readers go on', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect();
  await client.query(TREES);
  await holdGuard(client, [named('sales'), named('town')], PATIENT);
  await writer.query("SET lock_timeout = '50ms'");
  for (const sql of [
    'DELETE FROM sales_25_b',
    'DELETE FROM sales',
    "UPDATE place SET name = 'x'",
    'ALTER TABLE sales_25_b DISABLE TRIGGER ALL',
    'CREATE TABLE n PARTITION OF sales FOR VALUES FROM (2030) TO (2031)',
    'ALTER TABLE town NO INHERIT place',
  ])
    await assert.rejects(writer.query(sql), { code: '55P03' }, sql);
  assert.equal((await writer.query('SELECT count(*)::int AS n FROM sales_25_b')).rows[0].n > 0, true);
});

test('a partition that is a foreign table cannot be watched, which is said before anything is made', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query(`CREATE TABLE sales (year int) PARTITION BY RANGE (year); CREATE SCHEMA b1_guard; CREATE EXTENSION file_fdw;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE afar PARTITION OF sales FOR VALUES FROM (2040) TO (2041) SERVER files OPTIONS (program 'true')`);
  await assert.rejects(
    armGuard(client, guard, [named('sales')], PATIENT),
    (error: { code: string; facts: { details: string[] } }) => {
      assert.equal(error.code, 'guard_not_possible');
      assert.deepEqual(error.facts.details, ['afar (a foreign table)']);
      return true;
    },
  );
  assert.deepEqual(await findGuards(client), []);
});
