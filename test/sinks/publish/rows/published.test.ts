import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { rowParts } from '../../../../sinks/publish/rows/parts.js';
import { ORDER, SHOP_TRIGGERS, shop, table } from '../../../support/shop.js';
import { openBatch, publish, runWindow, stage } from '../../../support/window.js';

test('noTriggers fires none and leaves each trigger in the state it had; foreign keys still hold', async (t) => {
  const { client } = await shop(t, SHOP_TRIGGERS);
  await client.query(
    'ALTER TABLE customers ENABLE ALWAYS TRIGGER stamp; CREATE TRIGGER off BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE customers DISABLE TRIGGER off',
  );
  const states = () =>
    client
      .query('SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1')
      .then((r) => r.rows);
  const before = await states();
  const target = table('customers', 'patch', ['id', 'name'], { noTriggers: true });
  await publish(client, 'b1', [target, [['1', 'Ann']]]);
  const stamped = await client.query(
    "SELECT count(*)::int AS n FROM customers WHERE updated_at <> '2020-01-01'",
  );
  assert.equal(stamped.rows[0].n, 0);
  assert.deepEqual(await states(), before);
  const orphan = publish(client, 'b2', [
    table('orders', 'append', ORDER, { noTriggers: true }),
    [['west', '1', '999', '1']],
  ]);
  await assert.rejects(orphan, { code: '23503' });
  assert.deepEqual(await states(), before);
});

test('sequences move past loaded values, never back, and a failed window leaves them', async (t) => {
  const { client } = await shop(t);
  const next = async () => Number((await client.query("SELECT nextval('customers_id_seq') AS n")).rows[0].n);
  await publish(client, 'b1', [table('customers', 'append', ['id', 'email']), [['50', 'z@x']]]);
  assert.equal(await next(), 51);
  await publish(client, 'b2', [table('customers', 'append', ['id', 'email']), [['40', 'y@x']]]);
  assert.equal(await next(), 52);
  const names = await openBatch(client, 'b3');
  const facts = await stage(client, names, [table('customers', 'append', ['id', 'email']), [['900', 'x@x']]]);
  const [first, ...more] = rowParts([{ facts, names }]);
  assert.ok(first !== undefined);
  await assert.rejects(runWindow(client, [first, ...more, { ...first, early: ['SELECT 1/0'] }]), {
    code: '22012',
  });
  assert.equal(await next(), 53);
});

test('a merge rewrites only the rows that differ', async (t) => {
  const { client } = await shop(t);
  const places = (c: pg.Client) =>
    c.query('SELECT number, ctid::text FROM orders ORDER BY 1').then((r) => r.rows);
  const before = await places(client);
  const rows = [1, 2, 3, 4].map((i) => ['north', `${i}`, `${i}`, i === 2 ? '99' : `${i * 10}`]);
  await publish(client, 'b1', [table('orders', 'merge', ORDER), rows]);
  const after = await places(client);
  assert.deepEqual(
    after.filter((one, i) => one.ctid !== before[i].ctid).map((one) => one.number),
    [2],
  );
});

test('a merge waits for a writer in flight and blocks no reader', async (t) => {
  const { client, database } = await shop(t);
  const writer = await database.connect();
  const names = await openBatch(client, 'b1');
  const facts = await stage(client, names, [table('orders', 'merge', ORDER), [['north', '1', '1', '99']]]);
  await writer.query('BEGIN; UPDATE orders SET total = 1 WHERE number = 1');
  const merging = runWindow(client, rowParts([{ facts, names }]));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const reader = await database.connect();
  assert.equal((await reader.query('SELECT count(*)::int AS n FROM orders')).rows[0].n, 4);
  await writer.query('COMMIT');
  await merging;
  const saved = await client.query('SELECT total FROM b1_undo.orders__before');
  assert.deepEqual(saved.rows, [{ total: '1.00' }]);
});
