import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowParts } from '../../../../sinks/publish/rows/parts.js';
import { precheckRows } from '../../../../sinks/publish/rows/precheck.js';
import { surveyRows } from '../../../../sinks/publish/rows/survey.js';
import type { RowTarget } from '../../../../sinks/publish/rows/target.js';
import { readCounts } from '../../../support/counts.js';
import { testRole } from '../../../support/role.js';
import { lines, ORDER, said, shop, table } from '../../../support/shop.js';
import { checksums, openBatch, publish, runWindow, stage } from '../../../support/window.js';

const surveys: [string, RowTarget, string, RegExp, string?][] = [
  ['a table that does not exist', table('nowhere', 'append', ['a']), 'no_such_table', /^$/],
  ['a misspelt column', table('customers', 'append', ['emial']), 'no_such_column', /^$/],
  ['a column loaded twice', table('customers', 'append', ['email', 'email']), 'column_twice', /^$/],
  ['a merge without its key', table('orders', 'merge', ['region', 'total']), 'no_key', /^$/],
  [
    'a generated column',
    table('customers', 'append', ['email', 'shout']),
    'table_not_publishable',
    /shout is generated/,
  ],
  [
    'a key without equality',
    table('customers', 'patch', ['note', 'name'], { key: ['note'] }),
    'table_not_publishable',
    /note \(xml\) has no equality/,
  ],
  [
    'updating an identity ALWAYS column',
    table('customers', 'patch', ['id', 'email'], { key: ['email'] }),
    'table_not_publishable',
    /id is GENERATED ALWAYS/,
  ],
  [
    'an append without a required column',
    table('customers', 'append', ['name']),
    'table_not_publishable',
    /email is NOT NULL/,
  ],
  [
    'a view',
    table('v', 'append', ['id']),
    'table_not_publishable',
    /a view, not a table/,
    'CREATE VIEW v AS SELECT id FROM customers',
  ],
  [
    'a rule',
    table('visits', 'append', ['page']),
    'table_not_publishable',
    /rule r rewrites/,
    'CREATE RULE r AS ON INSERT TO visits DO ALSO NOTIFY x',
  ],
  [
    'inheritance',
    table('visits', 'append', ['page']),
    'table_not_publishable',
    /inherit/,
    'CREATE TABLE sub () INHERITS (visits)',
  ],
];
for (const [name, target, code, says, sql] of surveys) {
  test(`the survey refuses ${name}`, async (t) => {
    const { client } = await shop(t, sql);
    const error = await said(surveyRows(client, target));
    assert.equal(error.code, code);
    assert.match(lines(error), says);
  });
}

test('the survey lists every right that the role lacks, and passes with exactly those', async (t) => {
  const { client } = await shop(t);
  const role = await testRole(t);
  await client.query(`SET ROLE ${role}`);
  const target = table('customers', 'sync', ['id', 'email'], { noTriggers: true });
  const all = lines(await said(surveyRows(client, target)));
  for (const right of [
    'SELECT on id',
    'INSERT on id, email',
    'UPDATE on email',
    'lacks DELETE',
    'SELECT on public.orders',
    'needs the owner',
    'SELECT and UPDATE on sequence customers_id_seq',
  ]) {
    assert.ok(all.includes(right), right);
  }
  await client.query(
    `RESET ROLE; CREATE SCHEMA n AUTHORIZATION ${role}; CREATE SCHEMA u AUTHORIZATION ${role};
     GRANT SELECT, INSERT (id, email), UPDATE (email), DELETE ON customers TO ${role};
     GRANT SELECT ON orders TO ${role}; GRANT SELECT, UPDATE ON SEQUENCE customers_id_seq TO ${role}; SET ROLE ${role}`,
  );
  const names = { staging: 'n', undo: 'u' };
  const facts = await stage(client, names, [
    { ...target, noTriggers: false },
    [1, 2, 3, 4, 9].map((i) => [`${i}`, `e${i}@x`]),
  ]);
  await precheckRows(client, facts, names);
  await runWindow(client, rowParts([{ facts, names }]));
  const [counts] = await readCounts(client, names);
  assert.deepEqual([counts?.inserted, counts?.updated, counts?.deleted], [1, 4, 1]);
});

test('row-level security that hides rows from the role is refused', async (t) => {
  const { client } = await shop(t);
  const role = await testRole(t);
  await client.query(
    `ALTER TABLE visits ENABLE ROW LEVEL SECURITY; GRANT ALL ON visits TO ${role}; SET ROLE ${role}`,
  );
  assert.match(
    lines(await said(surveyRows(client, table('visits', 'append', ['page'])))),
    /row-level security hides/,
  );
});

test('what would fail in the window is refused before it, with example keys', async (t) => {
  const { client } = await shop(t);
  const before = await checksums(client, 'customers', 'orders');
  const all = async (batch: string, target: RowTarget, rows: (string | null)[][]) =>
    lines(await said(publish(client, batch, [target, rows])));
  const appended = await all('b1', table('orders', 'append', ORDER), [
    ['north', '1', '1', '1'],
    ['west', '1', '1', '1'],
    ['west', '1', '1', '2'],
    ['west', '2', null, '2'],
  ]);
  assert.match(
    appended,
    /1 row has a value of region, number that live has already: \{"region" : "north", "number" : "1"\}/,
  );
  assert.match(appended, /1 value of region, number occurs more than once.*"west"/);
  assert.match(appended, /1 row has NULL in customer_id, which is NOT NULL in live/);
  const merged = await all('b2', table('orders', 'merge', ['region', 'number', 'total']), [
    [null, '1', '1'],
    ['west', '1', '1'],
  ]);
  assert.match(merged, /NULL in region, which belongs to the key/);
  assert.match(merged, /2 rows are new to live but lack customer_id/);
  const patched = await all('b3', table('orders', 'patch', ['region', 'number', 'total']), [
    ['west', '1', '1'],
  ]);
  assert.match(patched, /1 row has a key that live does not have/);
  await client.query("UPDATE customers SET name = 'same' WHERE id < 3");
  const many = await all('b5', table('customers', 'patch', ['name', 'balance'], { key: ['name'] }), [
    ['same', '1'],
  ]);
  assert.match(many, /1 row matches more than one live row/);
  await client.query("UPDATE customers SET name = 'name ' || id WHERE id < 3");
  assert.deepEqual(await checksums(client, 'customers', 'orders'), before);
});

test('a key that goes missing, or becomes ambiguous, after the precheck stops the window', async (t) => {
  const { client } = await shop(t);
  const names = await openBatch(client, 'b1');
  const patch = await stage(client, names, [
    table('orders', 'patch', ['region', 'number', 'total']),
    [['north', '1', '1']],
  ]);
  const merge = await stage(client, names, [
    table('customers', 'merge', ['name', 'email', 'balance'], { key: ['name'] }),
    [['name 1', 'c1@x', '1']],
  ]);
  await precheckRows(client, patch, names);
  await precheckRows(client, merge, names);
  await client.query("DELETE FROM orders; UPDATE customers SET name = 'name 1'");
  assert.equal((await said(runWindow(client, rowParts([{ facts: patch, names }])))).code, 'key_not_in_live');
  assert.equal((await said(runWindow(client, rowParts([{ facts: merge, names }])))).code, 'key_not_unique');
  assert.deepEqual(await readCounts(client, names), []);
});

test('a sync never deletes rows of other tables by a cascade: it names them', async (t) => {
  const { client } = await shop(t);
  const before = await checksums(client, 'customers', 'orders');
  const error = await said(
    publish(client, 'b1', [table('customers', 'sync', ['id', 'email']), [['1', 'c1@x']]]),
  );
  assert.equal(error.code, 'children_refer_to_rows');
  assert.match(lines(error), /public\.orders \(orders_customer_id_fkey, ON DELETE CASCADE\): 3 rows/);
  assert.deepEqual(await checksums(client, 'customers', 'orders'), before);
});
