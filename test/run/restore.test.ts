import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asGiven } from '../../src/run/feed-back/restore.js';

const RAW = { n: 5, ok: true, text: '-1', empty: '', nothing: null, doc: { a: [1] } };
const back = (cells: Record<string, unknown>, column_name: string | null = null) =>
  asGiven(Object.entries(cells), { raw: RAW, column_name }, true);

test('cells of CSV that nobody has changed are what the input had, type and all', () => {
  const cells = { n: '5', ok: 'true', text: "'-1", empty: '', nothing: null, doc: '{"a":[1]}' };
  assert.deepEqual(back(cells), RAW);
  // A spreadsheet writes nothing for the empty text, and other programs quotes for nothing.
  assert.deepEqual(back({ ...cells, empty: null, nothing: '' }), RAW);
});

test('in the column that was rejected, nothing and the empty text are two things', () => {
  assert.deepEqual(back({ empty: null }, 'empty'), { empty: null });
  assert.deepEqual(back({ nothing: '' }, 'nothing'), { nothing: '' });
});

test('changed cells lose the apostrophe before a formula, and no other', () => {
  assert.deepEqual(back({ text: "'-2", n: "it's", doc: "''=x" }), { text: '-2', n: "it's", doc: "'=x" });
});

test('a key that the record lacks stays away where its cell is empty', () => {
  assert.deepEqual(back({ n: '5', more: null }), { n: 5 });
  assert.deepEqual(back({ n: '5', more: 'x' }), { n: 5, more: 'x' });
});

test('JSON Lines are taken as they are written', () => {
  const row = { n: "'-1", doc: { a: 2 } };
  assert.deepEqual(asGiven(Object.entries(row), { raw: RAW, column_name: null }, false), row);
});
