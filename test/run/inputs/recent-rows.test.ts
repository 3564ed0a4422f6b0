import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cut, CutOptions, PartReader } from '../../../src/core/parts.js';
import type { Rows } from '../../../src/core/row.js';
import type { Run } from '../../../src/core/run.js';
import type { Source } from '../../../src/core/types.js';
import { InputRows } from '../../../src/run/inputs/recent-rows.js';
import { recognised } from '../../../src/run/resubmit/rejects-given.js';
import { testRun } from '../../support/run.js';

/** A source as somebody writes it who prefers classes. */
class Numbers implements Source {
  readonly name = 'numbers';
  readonly kind = 'file';
  readonly #rows = [{ id: '1' }, { id: '2' }];

  async *read(): Rows {
    yield this.#rows;
  }

  async cut(_run: Run, _how: CutOptions): Promise<Cut> {
    const part = { start: 0, end: 4, line: 1, lines: 2, bytes: Buffer.from('1\n2\n'), release() {} };
    const read = () => this.read();
    return {
      opening: 'numbers',
      byPlace: true,
      part: async () => ({ ...part, read }),
      async *parts() {
        yield { ...part, read };
      },
    };
  }

  async partReader(_run: Run, opening: unknown): Promise<PartReader> {
    assert.equal(opening, 'numbers');
    return this.cut(_run, { known: [] });
  }
}

test('a source that is an object of a class is read and cut as it is', async () => {
  const run = testRun();
  const source = recognised(
    new InputRows().around(new Numbers(), () => undefined),
    'p',
  );
  const rows: unknown[] = [];
  for await (const chunk of source.read(run)) rows.push(...chunk);
  const cut = (await source.cut?.(run, { known: [] })) as Cut;
  for await (const part of cut.parts()) for await (const chunk of part.read(run)) rows.push(...chunk);
  const reader = await source.partReader?.(run, cut.opening);
  const part = await reader?.part({ start: 0, end: 4, line: 1, lines: 2 });
  if (part !== undefined) for await (const chunk of part.read(run)) rows.push(...chunk);
  assert.deepEqual(rows, [{ id: '1' }, { id: '2' }, { id: '1' }, { id: '2' }, { id: '1' }, { id: '2' }]);
});
