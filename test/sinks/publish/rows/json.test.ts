import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowJson } from '../../../../sinks/publish/rows/json.js';

test('a row is written as JSON.stringify writes it, whatever its columns and values', () => {
  const name = fc.constantFrom('a', 'b', '"', '__proto__', '1', 'y\n');
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', 'a"b', '\\', '\u2028', '\0', new Date(0), undefined, Number.NaN, -0),
    fc.anything({ withBigInt: false, withDate: true }),
  );
  fc.assert(
    fc.property(fc.array(fc.dictionary(name, value), { maxLength: 20 }), (rows) => {
      const json = rowJson();
      for (const row of rows) assert.equal(json(row), JSON.stringify(row));
    }),
  );
});
