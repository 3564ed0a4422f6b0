import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../../samples/lot-consolidation/system.js';
import { testDatabase } from '../support/database.js';
import { compareLanes } from './lanes.js';

test('random texts, cut anywhere and unparsed as far as the gate lets them, become what our reader makes of them', async (t) => {
  const seed = 20260301;
  const client = await (await testDatabase(t)).connect();
  const tally = await compareLanes(client, seed, generator(seed), ({ records }) => records < 10_000);
  assert.deepEqual(tally.found, []);
  assert.ok(tally.raw > tally.records * 0.4, `${tally.raw} of ${tally.records} records went unparsed`);
  assert.ok(Object.keys(tally.reasons).length >= 6, Object.keys(tally.reasons).join(' '));
  assert.ok(tally.refusedByServer > 0);
});
