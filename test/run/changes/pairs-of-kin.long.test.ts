import { test } from 'node:test';
import { PUBLISH_MODES } from '../../../src/core/publish-mode.js';
import { Life } from '../../support/change-life.js';
import { change } from '../../support/every-change.js';

for (const parent of PUBLISH_MODES)
  for (const child of PUBLISH_MODES)
    test(`${child} of a table that refers to one of ${parent}: every way leads back to where it began`, async (t) => {
      const things = change(parent, 'things');
      const life = await Life.begin(t, things, change(child, 'others', [], { refersTo: things }));
      await life.inSteps();
      await life.inOneGo();
    });
