import { test } from 'node:test';
import { Life } from '../../support/change-life.js';
import { change, KINDS, kindOf } from '../../support/every-change.js';

for (const kind of KINDS) {
  test(`${kind}: read, written behind and stopped in its window, it leaves all as it was`, async (t) =>
    (await Life.begin(t, kindOf(kind, 'things'))).failing());

  test(`${kind}: rehearsed, refused, run, run again and rolled back, it leaves all as it was`, async (t) =>
    (await Life.begin(t, kindOf(kind, 'things'))).inOneGo());

  test(`${kind}: completed and cleaned up, it leaves what was wanted and nothing else`, async (t) =>
    (await Life.begin(t, kindOf(kind, 'things'))).forGood());
}

test('an old name goes back to its table alone, and the rest after it', async (t) =>
  (await Life.begin(t, change('replace', 'things', ['an old name']))).oldNamesFirst());
