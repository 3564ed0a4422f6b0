import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { discardStaging, dropRetained, releaseLive } from '../../../../sinks/publish/replace/discard.js';
import { testDatabase } from '../../../support/database.js';
import { changed, factsOf } from '../../../support/facts.js';
import { makeFixture, TARGETS } from '../../../support/fixture.js';
import { PATIENT } from '../../../support/patience.js';
import { copyLive, NAMES, retainedBy, swap, UNDO, undo } from '../../../support/swap.js';

const run = promisify(execFile);

test('SWAP 01: pg_dump -s is identical before and after', async (t) => {
  const database = await testDatabase(t);
  const { version } = await makeFixture(database);
  const client = await run('pg_dump', ['--version']).catch(() => undefined);
  const major = Number(/ (\d+)\./.exec(client?.stdout ?? '')?.[1] ?? 0);
  if (major < Math.floor(version / 10000)) return t.skip(`no pg_dump for server ${version} here`);
  const dump = async () => {
    const { stdout } = await run('pg_dump', ['-s', '--exclude-schema=sluice*', database.url]);
    return stdout.split('\n').filter((line) => !line.startsWith('\\'));
  };
  const before = await dump();
  await swap(database, TARGETS);
  assert.deepEqual(changed(before, await dump()), []);
  assert.deepEqual(await dump(), before);
});

test('SWAP 02: no catalog fact differs after a swap of three tables, its undo, and dropping what was kept', async (t) => {
  const database = await testDatabase(t);
  await makeFixture(database);
  const before = await factsOf(database);
  assert.ok(before.length > 300, `the fixture has ${before.length} facts`);
  const first = await swap(database, TARGETS);
  t.diagnostic(`window ${first.windowMs.toFixed(1)} ms, locks ${first.lockMs.toFixed(1)} ms`);
  assert.deepEqual(changed(before, await factsOf(database)), []);
  const second = await undo(database, TARGETS, retainedBy(first));
  assert.deepEqual(changed(before, await factsOf(database)), []);
  const client = await database.connect();
  for (const table of retainedBy(second, UNDO).reverse()) await dropRetained(client, table, PATIENT);
  assert.deepEqual(changed(before, await factsOf(database)), []);
});

test('SWAP 02: the fingerprint of the tests can fail: one lost grant shows', async (t) => {
  const database = await testDatabase(t);
  await makeFixture(database);
  const before = await factsOf(database);
  await database.query('REVOKE UPDATE (code) ON shop.orders FROM fx_reader CASCADE');
  assert.deepEqual(changed(before, await factsOf(database)), [
    '- acl shop.orders.code fx_owner>fx_reader UPDATE true',
  ]);
});

test('a rehearsal leaves rows, catalog and sequences as they were', async (t) => {
  const database = await testDatabase(t);
  await makeFixture(database);
  const before = await factsOf(database);
  const state = () => database.query('SELECT last_value, is_called FROM shop.orders_id_seq');
  const position = await state();
  const rehearsed = await swap(database, TARGETS, {
    rehearse: true,
    fill: async (client, table) => {
      await copyLive(client, table);
      if (table.table === 'orders') {
        await client.query(`UPDATE ${table.schema}.orders SET id = 900 WHERE id = 20`);
      }
      if (table.table === 'Order Lines') {
        await client.query(`DELETE FROM ${table.schema}."Order Lines" WHERE "order" = 20`);
      }
    },
  });
  assert.ok(rehearsed.lockMs > 0);
  assert.deepEqual(await state(), position);
  const client = await database.connect();
  await releaseLive(client, TARGETS, NAMES, PATIENT);
  const ofLive = (line: string) => !/sluice/.test(line);
  assert.deepEqual(changed(before, await factsOf(database)).filter(ofLive), []);
  await discardStaging(client, TARGETS, NAMES, PATIENT);
  assert.deepEqual(changed(before, await factsOf(database)), []);
});

test('SWAP 05, 06, 07, 09, 11: views, functions, policies, rules and grants work on the new rows', async (t) => {
  const database = await testDatabase(t);
  await makeFixture(database);
  await swap(
    database,
    [
      { schema: 'shop', table: 'orders' },
      { schema: 'shop', table: 'Order Lines' },
    ],
    {
      fill: (client, table) =>
        copyLive(client, table, table.table === 'orders' ? 'id <= 10' : '"order" <= 10'),
    },
  );
  const one = async (sql: string) => Object.values((await database.query(sql))[0] ?? {})[0];
  assert.equal(await one('SELECT n FROM shop.nested'), '7');
  await database.query('REFRESH MATERIALIZED VIEW reports.totals');
  assert.equal(await one('SELECT n FROM shop.on_totals'), '8');
  assert.equal(await one('SELECT count(*) FROM shop.invoked'), '10');
  assert.equal(await one('SELECT count(*) FROM reports.grouped'), '10');
  assert.equal(await one('SELECT shop.order_count()'), '10');
  await database.query("INSERT INTO shop.log(what) VALUES ('count')");
  assert.equal(await one("SELECT order_id FROM shop.audit WHERE what = 'orders'"), 10);
  await database.query('INSERT INTO shop.ruled VALUES (3)');
  assert.equal(await one('SELECT note FROM shop.orders WHERE id = 3'), 'ruled');
  // Another table's policy asks the new rows: order 11 to 20 are gone from them.
  await database.query("INSERT INTO shop.audit VALUES (9, 'seen'), (15, 'unseen')");
  await database.query('ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY; SET ROLE fx_reader');
  const seen = await database.query("SELECT what FROM shop.audit WHERE what LIKE '%seen'");
  assert.deepEqual(seen, [{ what: 'seen' }]);
  await database.query('RESET ROLE');
  await assert.rejects(database.query('UPDATE shop.big SET total = 1 WHERE id = 5'), /violates check option/);
});

test('SWAP 29: two names of 60 bytes with a common prefix do not collide', async (t) => {
  const database = await testDatabase(t);
  const prefix = 'n'.repeat(57);
  const tables = [`${prefix}_aa`, `${prefix}_bb`, `${'ä'.repeat(28)}_cc`];
  for (const name of tables) {
    await database.query(
      `CREATE TABLE "${name}" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref serial UNIQUE)`,
    );
    await database.query(`INSERT INTO "${name}" DEFAULT VALUES`);
    for (const key of ['x', 'y']) {
      await database.query(
        `CREATE TABLE "c${key}_${name.slice(-9)}" (id int CONSTRAINT "${'k'.repeat(61)}_${key}" REFERENCES "${name}")`,
      );
    }
  }
  await database.query(
    `CREATE TABLE two_keys (a int CONSTRAINT "${'k'.repeat(61)}_a" REFERENCES "${tables[0]}", b int CONSTRAINT "${'k'.repeat(61)}_b" REFERENCES "${tables[0]}")`,
  );
  const before = await factsOf(database);
  const targets = tables.map((table) => ({ schema: 'public', table }));
  const first = await swap(database, targets);
  assert.deepEqual(changed(before, await factsOf(database)), []);
  await undo(database, targets, retainedBy(first));
  assert.deepEqual(changed(before, await factsOf(database)), []);
});
