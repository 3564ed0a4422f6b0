import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../../../src/core/target.js';
import { rollbackBatch } from '../../../../src/run/rollback.js';
import { testDatabase } from '../../../support/database.js';
import { engine, loads } from '../../../support/engine.js';
import { ORDER, SHOP_TRIGGERS, shop, table } from '../../../support/shop.js';
import { MODELS, models, PARTS_BY, parts, SYSTEM } from '../../../support/system.js';
import { checksums, publish, undo } from '../../../support/window.js';

/** A trigger that is put off until COMMIT and counts once more then; and one that only looks. */
const DEFERRED = `
CREATE FUNCTION recount_late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
  UPDATE public.customers c SET order_count = 100 + (SELECT count(*) FROM public.orders o WHERE o.customer_id = c.id) WHERE c.id IN (NEW.customer_id, OLD.customer_id); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER recount_late AFTER INSERT OR UPDATE OR DELETE ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recount_late();
CREATE FUNCTION look_late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER look_late AFTER INSERT OR UPDATE OR DELETE ON customers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look_late();
UPDATE orders SET total = total;`;

const customers = [
  ['1', 'c1@x', 'changed'],
  ['2', 'c2@x', 'changed'],
];
const orders = [
  ['north', '1', '2', '11'],
  ['west', '9', '1', '9'],
];

for (const noTriggers of [false, true])
  test(`triggers that are put off until COMMIT neither stop a publish ${noTriggers ? 'past them ' : ''}nor its rollback, and what they write goes back with it`, async (t) => {
    const { client } = await shop(t, `${SHOP_TRIGGERS}${DEFERRED}`);
    const before = await checksums(client, 'orders', 'customers');
    const names = await publish(
      client,
      'b1',
      [table('customers', 'merge', ['id', 'email', 'name'], { noTriggers }), customers],
      [table('orders', 'merge', ORDER, { noTriggers }), orders],
    );
    assert.notDeepEqual(await checksums(client, 'orders', 'customers'), before);
    await undo(client, names);
    assert.deepEqual(await checksums(client, 'orders', 'customers'), before);
  });

test('past the triggers of one table: what a trigger of another one has put off there runs first', async (t) => {
  const { client } = await shop(
    t,
    `${SHOP_TRIGGERS}${DEFERRED}
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE public.orders SET total = total WHERE number = 4; RETURN NULL; END';
    CREATE TRIGGER touch AFTER UPDATE OF email ON customers FOR EACH ROW EXECUTE FUNCTION touch();`,
  );
  const before = await checksums(client, 'orders', 'customers');
  const names = await publish(
    client,
    'b1',
    [table('customers', 'merge', ['id', 'email', 'name']), customers],
    [table('orders', 'merge', ORDER, { noTriggers: true }), orders],
  );
  await undo(client, names);
  assert.deepEqual(await checksums(client, 'orders', 'customers'), before);
});

test('a replaced table, to whose child a trigger of another table writes, whose own is put off, is published and rolled back', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${SYSTEM} CREATE TABLE tools (id int PRIMARY KEY, name text); INSERT INTO tools VALUES (1, 'a');
    CREATE FUNCTION look_late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER look_late AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look_late();
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes SELECT max(id) + 1, 1 FROM notes; RETURN NULL; END';
    CREATE TRIGGER note AFTER UPDATE ON tools FOR EACH ROW EXECUTE FUNCTION note()`);
  const { run, database: own, log } = engine(t, database);
  const client = await database.connect();
  const before = await checksums(client, 'parts', 'tools');
  const tools = merge('tools', { columns: ['id', 'name'] as const, key: ['id'] as const });
  const of = loads({ parts: [PARTS_BY.replace, parts(5, 7)], tools: [tools, [{ id: 1, name: 'b' }]] });
  const batch = (await run(of)).summary.batch as string;
  assert.equal((await database.query('SELECT FROM notes')).length, 2);
  await rollbackBatch(batch, { database: own, log });
  assert.deepEqual(await checksums(client, 'parts', 'tools'), before);
});

test('a key that is checked at COMMIT still waits for the parents that the same publish brings', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `${SYSTEM} ALTER TABLE parts ALTER CONSTRAINT parts_model_id_fkey DEFERRABLE INITIALLY DEFERRED`,
  );
  const { run } = engine(t, database);
  const of = loads({
    parts: [PARTS_BY.merge, [...parts(5, 7), { id: 6, model_id: 9, amount: 1 }]],
    models: [MODELS, models(9)],
  });
  assert.equal((await run(of)).summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT model_id FROM parts WHERE id = 6'), [{ model_id: 9 }]);
});
