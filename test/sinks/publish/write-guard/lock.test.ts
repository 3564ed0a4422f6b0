import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdGuard, WINDOW_SAVEPOINT } from '../../../../sinks/publish/write-guard/lock.js';
import { testDatabase } from '../../../support/database.js';
import { PATIENT } from '../../../support/patience.js';
import { SHOP } from '../../../support/shop.js';

const customers = { schema: 'public', table: 'customers' };
const orders = { schema: 'public', table: 'orders' };

test('the lock guard keeps writers out, lets readers in, and lives through a failed window', async (t) => {
  const database = await testDatabase(t);
  const holder = await database.connect();
  const other = await database.connect();
  await holder.query(SHOP);
  await holdGuard(holder, [orders, customers], PATIENT);
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
  await holdGuard(first, [orders, customers], PATIENT);
  await assert.rejects(
    holdGuard(second, [customers, orders], PATIENT, { lockTimeoutMs: 20, attempts: 2 }),
    (error: unknown) => {
      const { code, facts } = error as { code: string; facts: { details: string[] } };
      return code === 'lock_not_got' && /the first run/.test(facts.details.join());
    },
  );
});
