import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedRun } from '../../src/core/run.js';
import { testRun } from '../support/run.js';

test('a run with changed verbs is the run in everything else, and is not asked for its scratch folder', () => {
  const run = testRun({ batch: '7' });
  let asked = 0;
  Object.defineProperty(run, 'scratch', {
    get: () => {
      asked += 1;
      return '/folder';
    },
  });
  const silent = changedRun(run, { reject: () => {} });
  silent.reject(undefined, { reason: 'no' });
  silent.skip('yes');
  assert.deepEqual([run.rejects, run.skipped, silent.batch, asked], [[], { yes: 1 }, '7', 0]);
  assert.deepEqual([silent.scratch, asked], ['/folder', 1]);
});
