import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyIndex } from '../../../pipelines/okvet-import/key-index.js';

test('keys are numbered in the order in which they come, whatever they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 300 }), (keys) => {
      const index = new KeyIndex();
      const known = new Map<string, number>();
      for (const key of keys) {
        assert.equal(index.find(key), known.get(key) ?? -1);
        if (!known.has(key)) known.set(key, known.size);
        assert.equal(index.add(key), known.get(key));
      }
      for (const [key, number] of known) {
        assert.equal(index.find(key), number);
        assert.equal(index.key(number), key);
      }
      assert.equal(index.size, known.size);
    }),
  );
});

test('it grows with its keys, and finds each of them afterwards', () => {
  const index = new KeyIndex();
  const rows = 20_000;
  for (let i = 0; i < rows; i++) assert.equal(index.add(`E-${i}`), i);
  for (let i = 0; i < rows; i += 7) assert.equal(index.find(`E-${i}`), i);
  assert.equal(index.find(`E-${rows}`), -1);
  assert.equal(index.find(''), -1);
});
