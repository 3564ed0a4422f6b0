import { test } from 'node:test';
import { PUBLISH_MODES } from '../../../src/core/publish-mode.js';
import { Life } from '../../support/change-life.js';
import { change, EXTRAS, pairsOf } from '../../support/every-change.js';

for (const mode of PUBLISH_MODES)
  for (const extra of EXTRAS) {
    if (mode === 'patch' && extra === 'missing') continue;
    test(`${mode} and ${extra}, of one table: every way leads back to where it began`, async (t) => {
      const life = await Life.begin(t, change(mode, 'things', [extra]));
      await life.inSteps();
      await life.inOneGo();
    });
  }

test('patch and missing, of one table: nothing is there to be patched, which refuses it and leaves nothing', async (t) =>
  (await Life.begin(t, change('patch', 'things', ['missing']))).refused('too_many_rejects'));

for (const [one, other] of pairsOf(EXTRAS))
  test(`${one} and ${other}, of one table: every way leads back to where it began`, async (t) => {
    const life = await Life.begin(t, change('merge', 'things', [one, other]));
    await life.inSteps();
    await life.inOneGo();
  });
