import { test } from 'node:test';
import { Life } from '../../support/change-life.js';
import { KINDS, kindOf, pairsOf } from '../../support/every-change.js';

for (const [one, other] of pairsOf(KINDS))
  test(`${one} and ${other} in one batch, of two tables: every way leads back to where it began`, async (t) => {
    const life = await Life.begin(t, kindOf(one, 'things'), kindOf(other, 'others'));
    await life.inSteps();
    await life.inOneGo();
  });
