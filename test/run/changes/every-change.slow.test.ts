import { test } from 'node:test';
import { Life } from '../../support/change-life.js';
import { KINDS, kindOf } from '../../support/every-change.js';

for (const kind of KINDS)
  test(`${kind}: started, undone, started, completed and rolled back, it leaves all as it was`, async (t) =>
    (await Life.begin(t, kindOf(kind, 'things'))).inSteps());
