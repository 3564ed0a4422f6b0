import { test } from 'node:test';
import { PUBLISH_MODES } from '../../../src/core/publish-mode.js';
import { liveThrough } from '../../support/change-life.js';
import { change, EXTRAS, kindOf } from '../../support/every-change.js';

for (const mode of PUBLISH_MODES)
  for (const extra of EXTRAS)
    test(`${mode} and ${extra}, of two tables: every way leads back to where it began`, (t) =>
      liveThrough(t, change(mode, 'things'), kindOf(extra, 'others')));
