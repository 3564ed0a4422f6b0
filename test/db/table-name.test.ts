import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAsSql, readings, tableText } from '../../src/db/table-name.js';

const told = (text: string) => readings(text).map(({ schema, table }) => [schema, table]);

test('a name means what is written, else what SQL folds it to', () => {
  assert.deepEqual(told('orders'), [[null, 'orders']]);
  assert.deepEqual(told('Foo'), [
    [null, 'Foo'],
    [null, 'foo'],
  ]);
  assert.deepEqual(told('"Foo"'), [[null, 'Foo']]);
  assert.deepEqual(told('Shop."Foo"'), [
    ['Shop', 'Foo'],
    ['shop', 'Foo'],
  ]);
  // ASCII alone is folded.
  assert.deepEqual(told('ÄB'), [
    [null, 'ÄB'],
    [null, 'Äb'],
  ]);
  assert.deepEqual(told('select'), [[null, 'select']]);
});

test('a dot divides schema and table, else it belongs to a name; in quotes it always does', () => {
  assert.deepEqual(told('a.b'), [
    ['a', 'b'],
    [null, 'a.b'],
  ]);
  assert.deepEqual(told('a.b.c'), [
    ['a', 'b.c'],
    ['a.b', 'c'],
    [null, 'a.b.c'],
  ]);
  assert.deepEqual(told('"a.b"'), [[null, 'a.b']]);
  assert.deepEqual(told('"a.b"."C ""d"""'), [['a.b', 'C "d"']]);
  assert.deepEqual(told('"a.b".c'), [['a.b', 'c']]);
});

test('what cannot be a name is refused, and why', () => {
  for (const [text, why] of [
    ['"a', /quotes do not pair/],
    ['a"b"', /quotes do not pair/],
    ['"a"b', /quotes do not pair/],
    ['.a', /a part of it is empty/],
    ['a.', /a part of it is empty/],
    ['""', /a part of it is empty/],
    ['"a"."b"."c"', /more than a schema and a table/],
  ] as const)
    assert.throws(() => readings(text), why, text);
  assert.throws(() => readAsSql('a.b.c'), /more than a schema and a table/);
});

test('a name as it is shown is first of all itself', () => {
  for (const name of [
    { schema: 'public', table: 'orders' },
    { schema: 'public', table: 'a.b' },
    { schema: 'My "shop".x', table: 'Orders' },
    { schema: null, table: 'Größe' },
    { schema: 's', table: '1st' },
  ]) {
    assert.deepEqual(readings(tableText(name))[0], name);
    assert.deepEqual(readAsSql(tableText(name)), name);
  }
  assert.equal(tableText({ schema: 'a.b', table: 'C' }), '"a.b"."C"');
  assert.deepEqual(readAsSql('Shop.Foo'), { schema: 'shop', table: 'foo' });
});
