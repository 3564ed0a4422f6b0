import { test } from 'node:test';
import { PUBLISH_MODES } from '../../../src/core/publish-mode.js';
import { liveThrough } from '../../support/change-life.js';
import { change, pairsOf } from '../../support/every-change.js';

for (const [one, other] of pairsOf(PUBLISH_MODES))
  test(`${one} and ${other}: every way leads back to where it began`, (t) =>
    liveThrough(t, change(one, 'things'), change(other, 'others')));

for (const parent of PUBLISH_MODES)
  for (const child of PUBLISH_MODES)
    test(`${parent}, and ${child} of a table that refers to it: every way leads back to where it began`, (t) => {
      const things = change(parent, 'things');
      return liveThrough(t, things, change(child, 'others', [], { refersTo: things }));
    });
