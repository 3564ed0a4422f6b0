import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undoParts } from '../../../../sinks/publish/rows/undo.js';
import { previewUndo } from '../../../../sinks/publish/rows/undo-checks.js';
import { surveyUndo } from '../../../../sinks/publish/rows/undo-survey.js';
import { lines, ORDER, said, shop, table } from '../../../support/shop.js';
import { checksums, publish, runWindow, undo } from '../../../support/window.js';

test('undo refuses rows changed since and lists them; --discard-writes undoes all the same', async (t) => {
  const { client } = await shop(t);
  const before = await checksums(client, 'orders');
  const rows = [
    ['north', '1', '1', '11'],
    ['north', '2', '2', '22'],
    ['south', '1', '1', '5'],
    ['south', '2', '1', '6'],
  ];
  const names = await publish(client, 'b1', [table('orders', 'sync', ORDER), rows]);
  await client.query(
    "UPDATE orders SET total = 0 WHERE (region, number) = ('north', 1); DELETE FROM orders WHERE (region, number) = ('north', 2); UPDATE orders SET total = 7 WHERE (region, number) = ('south', 2); INSERT INTO orders VALUES ('north', 4, 1, 1)",
  );
  const since = await checksums(client, 'orders');
  const error = await said(undo(client, names));
  assert.equal(error.code, 'changed_since_publish');
  assert.deepEqual([...(error.facts.details ?? [])].sort(), [
    '{"region" : "north", "number" : "1"} changed',
    '{"region" : "north", "number" : "2"} deleted',
    '{"region" : "north", "number" : "4"} there again',
    '{"region" : "south", "number" : "2"} changed',
  ]);
  assert.deepEqual(await checksums(client, 'orders'), since);
  const [preview] = await previewUndo(client, await surveyUndo(client, names));
  assert.deepEqual(
    [preview?.restored, preview?.removed, preview?.reinserted, preview?.changedSince.count],
    [2, 2, 2, 4],
  );
  await undo(client, names, true);
  assert.deepEqual(await checksums(client, 'orders'), before);
});

test('undo of an append refuses while other rows refer to what was added', async (t) => {
  const { client } = await shop(t);
  const names = await publish(client, 'b1', [table('customers', 'append', ['id', 'email']), [['77', 'z@x']]]);
  await client.query("INSERT INTO orders VALUES ('west', 1, 77, 1)");
  const error = await said(undo(client, names));
  assert.match(lines(error), /public\.orders .*CASCADE\): 1 row/);
  assert.equal((await said(undo(client, names, true))).code, 'children_refer_to_rows');
});

test('undo of a keyless append refuses where an added row is gone', async (t) => {
  const { client } = await shop(t);
  const names = await publish(client, 'b1', [table('visits', 'append', ['page']), [['p'], ['p'], ['q']]]);
  await client.query("DELETE FROM visits WHERE page = 'q'");
  assert.equal((await said(undo(client, names))).code, 'changed_since_publish');
});

test('a second undo, prepared before the first was done, is refused; a later one finds nothing to do', async (t) => {
  const { client } = await shop(t);
  const names = await publish(client, 'b1', [table('visits', 'append', ['page']), [['p']]]);
  const parts = undoParts(await surveyUndo(client, names));
  await runWindow(client, parts);
  assert.equal((await said(runWindow(client, parts))).code, 'already_undone');
  assert.deepEqual(await surveyUndo(client, names), []);
});

test('undo names a column that was dropped or changed its type since', async (t) => {
  const { client } = await shop(t);
  const names = await publish(client, 'b1', [table('visits', 'append', ['page']), [['p']]]);
  await client.query('ALTER TABLE visits DROP COLUMN weight; ALTER TABLE visits ALTER at TYPE date');
  const all = lines(await said(surveyUndo(client, names)));
  assert.match(all, /lost column weight/);
  assert.match(all, /at of public.visits was timestamp with time zone and is date now/);
});

/** A row that the table has already, as an append brings it once more. */
const HOME = ['2024-01-01', 'home', '1'];
const VISIT = ['at', 'page', 'weight'];
const newest = (which: 'max' | 'min') =>
  `(SELECT l.ctid FROM visits l WHERE page = 'home' AND (SELECT ${which}(x.xmin::text::bigint) FROM visits x WHERE page = 'home') = l.xmin::text::bigint LIMIT 1)`;

test('a row that an append added, equal to others, is known all the same: where it was changed since nothing goes', async (t) => {
  const { client } = await shop(t);
  const names = await publish(client, 'b1', [table('visits', 'append', VISIT), [HOME, HOME]]);
  await client.query(`UPDATE visits SET weight = 7 WHERE ctid = ${newest('max')}`);
  const since = await checksums(client, 'visits');
  const error = await said(undo(client, names));
  assert.equal(error.code, 'changed_since_publish');
  assert.match(lines(error), /a row that was added is not there any more/);
  await undo(client, names, true);
  // The changed one cannot be told from anybody's row; of the equal ones just the other that was added has gone.
  assert.notDeepEqual(await checksums(client, 'visits'), since);
  const left = await client.query('SELECT weight FROM visits ORDER BY weight');
  assert.deepEqual(
    left.rows.map((row) => row.weight),
    [1, 1, 7, null],
  );
});

test('where somebody changes or deletes a row that was there before, equal to those that were added, just these go', async (t) => {
  const { client } = await shop(t);
  const names = await publish(client, 'b1', [
    table('visits', 'append', VISIT),
    [HOME, HOME, [null, 'new', null]],
  ]);
  await client.query(`UPDATE visits SET weight = 7 WHERE ctid = ${newest('min')}`);
  const again = await publish(client, 'b2', [table('visits', 'append', VISIT), [HOME]]);
  await client.query('VACUUM FULL visits');
  await undo(client, again);
  await undo(client, names);
  const left = await client.query('SELECT page, weight FROM visits ORDER BY weight');
  assert.deepEqual(left.rows, [
    { page: 'home', weight: 1 },
    { page: 'home', weight: 7 },
    { page: null, weight: null },
  ]);
});
