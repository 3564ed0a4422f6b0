import { test } from 'node:test';
import { liveThrough } from '../../support/change-life.js';
import { change, EXTRAS, kindOf, pairsOf } from '../../support/every-change.js';

for (const [one, other] of pairsOf(EXTRAS)) {
  test(`${one} and ${other}, of one table: every way leads back to where it began`, (t) =>
    liveThrough(t, change('merge', 'things', [one, other])));

  test(`${one} and ${other}, of two tables: every way leads back to where it began`, (t) =>
    liveThrough(t, kindOf(one, 'things'), kindOf(other, 'others')));
}
