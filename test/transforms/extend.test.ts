import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { markOrigin, originOf, type Row } from '../../src/core/row.js';
import { extend } from '../../transforms/extend.js';

test('rows of any columns are extended as a spread would, and keep their origin', () => {
  const name = fc.constantFrom('a', 'b', 'x', '"', '__proto__', '1', 'y');
  fc.assert(
    fc.property(fc.array(fc.dictionary(name, fc.anything()), { maxLength: 40 }), (rows) => {
      const extended = extend<{ readonly x: number; readonly y: string }>('x', 'y');
      for (const [i, row] of rows.entries()) {
        markOrigin(row, i % 3 === 0 ? undefined : i);
        const added = { x: i, y: 'why' };
        const made = extended<Row>(row, added);
        assert.deepEqual(Object.entries(made), Object.entries({ ...row, ...added }));
        assert.equal(originOf(made), i % 3 === 0 ? undefined : i);
      }
    }),
  );
});
