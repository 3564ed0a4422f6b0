import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findGuards, readJournal } from '../../../sinks/guard/journal.js';
import { guardChecks } from '../../../sinks/guard/journal-sql.js';
import { holdGuard, WINDOW_SAVEPOINT } from '../../../sinks/guard/lock.js';
import { contentFingerprint, sinceStatements } from '../../../sinks/guard/since.js';
import { testDatabase } from '../../support/database.js';
import { SHOP } from '../../support/shop.js';

const customers = { schema: 'public', table: 'customers' };
const orders = { schema: 'public', table: 'orders' };

test('the lock guard keeps writers out, lets readers in, and lives through a failed window', async (t) => {
  const database = await testDatabase(t);
  const holder = await database.connect();
  const other = await database.connect();
  await holder.query(SHOP);
  await holdGuard(holder, [orders, customers]);
  await other.query("SET lock_timeout = '50ms'");
  assert.equal((await other.query('SELECT count(*)::int AS n FROM orders')).rows[0].n, 4);
  await assert.rejects(other.query('UPDATE orders SET total = 1'), { code: '55P03' });
  await assert.rejects(holder.query('SELECT 1/0'), { code: '22012' });
  await holder.query(`ROLLBACK TO SAVEPOINT ${WINDOW_SAVEPOINT}`);
  await assert.rejects(other.query('UPDATE customers SET name = NULL'), { code: '55P03' });
  await holder.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; UPDATE orders SET total = 3; COMMIT');
  await other.query('UPDATE orders SET total = 1');
});

test('two runs that hold the same tables do not deadlock: the second names the first', async (t) => {
  const database = await testDatabase(t);
  const first = await database.connect({ application_name: 'the first run' });
  const second = await database.connect();
  await first.query(SHOP);
  await holdGuard(first, [orders, customers]);
  await assert.rejects(
    holdGuard(second, [customers, orders], { lockTimeout: 20, attempts: 2 }),
    (error: unknown) => {
      const { code, facts } = error as { code: string; facts: { details: string[] } };
      return code === 'lock_not_got' && /the first run/.test(facts.details.join());
    },
  );
});

test('the journal since the publish notes the first write of each kind and no more', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const writer = await database.connect();
  await client.query(`${SHOP}; CREATE SCHEMA b1_undo`);
  const guard = { batch: 'b1_since', schema: 'b1_undo' };
  await client.query(
    ['BEGIN', ...sinceStatements(guard, [orders]), 'UPDATE orders SET total = 1', 'COMMIT'].join(';'),
  );
  assert.equal((await findGuards(client, 'b1_since')).length, 4);
  const check = () => client.query(`BEGIN; ${guardChecks(guard, orders).join(';')}; COMMIT`);
  await check();
  assert.deepEqual(await readJournal(client, guard), []);
  for (let i = 0; i < 5; i++) await writer.query('UPDATE orders SET total = total + 1');
  await writer.query('DELETE FROM orders WHERE number = 1');
  const entries = await readJournal(client, guard);
  assert.deepEqual(
    entries.map((one) => [one.operation, one.statements]),
    [
      ['DELETE', 1],
      ['UPDATE', 1],
    ],
  );
  await assert.rejects(check(), { code: 'SLG01' });
});

test('the fingerprint of a table is that of its copy in any order, until a row changes', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query(SHOP);
  await client.query(
    "CREATE TABLE copy AS SELECT * FROM customers ORDER BY id DESC; SET TimeZone = 'Asia/Tokyo'",
  );
  const live = await contentFingerprint(client, customers);
  assert.equal(live.rows, 5);
  assert.deepEqual(await contentFingerprint(client, { schema: 'public', table: 'copy' }), live);
  await client.query("SET DateStyle = 'German'; SET TimeZone = 'UTC'");
  assert.deepEqual(await contentFingerprint(client, customers), live);
  await client.query('UPDATE customers SET balance = 1.00 WHERE id = 1');
  assert.notEqual((await contentFingerprint(client, customers)).sum, live.sum);
  await client.query('DELETE FROM customers');
  assert.deepEqual(await contentFingerprint(client, customers), { rows: 0, sum: '0' });
});
