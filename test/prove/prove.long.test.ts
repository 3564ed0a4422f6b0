import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serverUrl } from '../support/database.js';
import { Place } from './place.js';
import { clean, cutOnce } from './prove.js';
import { SCENARIOS } from './scenarios.js';
import { FAULTS } from './wire.js';

/** Places in a command that are tried here, as shares of its messages; `npm run prove` tries all. */
const SHARES = [0.35, 0.86, 0.96];

let place: Place;
before(async () => {
  place = await Place.open(await serverUrl());
});
after(() => place.close());

for (const [nth, scenario] of SCENARIOS.entries())
  test(`${scenario.name}: cut at a message, live is old or new as it says, and its advice leads to the end`, async () => {
    const known = await clean(place, scenario);
    for (const [at, share] of SHARES.entries()) {
      const fault = FAULTS[(nth + at) % FAULTS.length] as (typeof FAULTS)[number];
      const { wrong, struck } = await cutOnce(place, scenario, known, {
        at: Math.max(1, Math.round(known.messages * share)),
        fault,
      });
      assert.deepEqual(wrong, [], `${fault} ${struck}`);
    }
  });
