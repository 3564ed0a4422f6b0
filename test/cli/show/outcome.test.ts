import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitOf } from '../../../src/cli/show/outcome.js';
import type { Summary } from '../../../src/run/given/summary.js';

const code = (of: Partial<Summary>) => exitOf({ rejected: 0, left: 0, ...of } as Summary);

test('a run that did not do all of its rows never ends as done, also where the others were live already', () => {
  for (const status of ['completed', 'unchanged'] as const) {
    assert.equal(code({ status }), 0);
    assert.equal(code({ status, rejected: 1 }), 4);
    assert.equal(code({ status, left: 1 }), 4);
  }
  for (const status of ['staged', 'rehearsed', 'dry run'] as const)
    assert.equal(code({ status, rejected: 1 }), 0);
});
