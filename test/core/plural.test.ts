import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, orMore, withRest } from '../../src/core/plural.js';

test('a count that a query bounds is said as what it is', () => {
  assert.deepEqual(
    [orMore(0), orMore(999), orMore(1000), orMore(50, 50)],
    ['0', '999', '1000 or more', '50 or more'],
  );
});

test('of many things some are named, and the others counted', () => {
  assert.deepEqual(withRest(['a', 'b'], 5), ['a', 'b', '… and 3 more']);
  assert.deepEqual(withRest(['a', 'b'], 2), ['a', 'b']);
  assert.deepEqual(withRest([], 0), []);
});

test('long numbers are grouped by thousands', () => {
  assert.deepEqual([0, 999, 1000, 1234567, -12345, 2 ** 53].map(count), [
    '0',
    '999',
    '1,000',
    '1,234,567',
    '-12,345',
    '9,007,199,254,740,992',
  ]);
});
