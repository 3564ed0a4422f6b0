import { test } from 'node:test';
import { PUBLISH_MODES } from '../../../src/core/publish-mode.js';
import { Life, liveThrough } from '../../support/change-life.js';
import { change, EXTRAS } from '../../support/every-change.js';

for (const mode of PUBLISH_MODES)
  for (const extra of EXTRAS) {
    // Nothing is there to be patched; see below.
    if (mode === 'patch' && extra === 'missing') continue;
    test(`${mode} and ${extra}, of one table: every way leads back to where it began`, (t) =>
      liveThrough(t, change(mode, 'things', [extra])));
  }

test('patch and missing, of one table: a table that is just made has no row to patch, and goes again', async (t) =>
  (await Life.begin(t, change('patch', 'things', ['missing']))).refused('too_many_rejects'));
