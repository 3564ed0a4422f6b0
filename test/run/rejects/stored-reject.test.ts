import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptRecord } from '../../../src/run/rejects/stored-reject.js';

const circle: Record<string, unknown> = { name: 'a' };
circle.self = circle;

test('a value that holds itself is kept as what it is called, and fails nothing', () => {
  assert.deepEqual(keptRecord({ id: 1, value: circle }), { id: 1, value: '[object Object]' });
  const list: unknown[] = [];
  list.push(list);
  assert.deepEqual(keptRecord({ value: list }), { value: '[object Array]' });
});

test('numbers, lists and plain objects are kept as JSON has them', () => {
  const row = { n: 1.5, big: 12345678901234567890n, list: [1, 'a'], none: null, yes: true, text: 'x' };
  assert.deepEqual(keptRecord(row), row);
  assert.deepEqual(keptRecord({ not: Number.NaN, at: new Date(0) }), {
    not: 'NaN',
    at: '1970-01-01T00:00:00.000Z',
  });
});
