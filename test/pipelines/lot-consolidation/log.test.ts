import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { csv } from '../../../src/sources/csv/index.js';
import { tempFile } from '../../support/files.js';
import { exported, lotSystem, runLots, sample } from '../../support/lots.js';

test('the log names every consolidation and every LOT that goes', async (t) => {
  const { logged } = await runLots(t, await lotSystem(t), { dryRun: true });
  const consolidated = logged
    .filter((line) => line.message === 'LOTs consolidated')
    .map((line) => line.facts);
  assert.deepEqual(
    consolidated.map((facts) => facts.lot_number),
    ['KR01PSA2511', 'KR02PSB2510', 'LI14PSA2510', 'LI14PSA2511', 'LI14PSB2511'],
  );
  assert.deepEqual(
    consolidated.find((facts) => facts.lot_number === 'LI14PSA2511'),
    {
      lot_id: '63',
      lot_number: 'LI14PSA2511',
      from: ['WF-KR-251120N-003', 'WF-KR-251120N-004', 'WF-KR-251120N-005'],
      serials: 250,
      first: 'LI14PSA2511001',
      last: 'LI14PSA2511250',
    },
  );
  const gone = logged.filter((line) => line.message.startsWith('LOT goes')).map((line) => line.facts);
  assert.deepEqual(
    gone.map((facts) => `${facts.lot_id} into ${facts.into_lot_id}`),
    ['12 into 11', '21 into 22', '23 into 22', '24 into 22', '42 into 41', '64 into 63', '65 into 63'],
  );
});

test('of a LOT the log names only the first 5 and the last 2 serials', async (t) => {
  const { logged } = await runLots(t, await lotSystem(t), { dryRun: true });
  const of = (lot: string) =>
    logged
      .filter((line) => line.message === 'serials renumbered' && line.facts.lot_number === lot)
      .map((line) => line.facts.named);
  assert.deepEqual(of('WF-KR-251120N-004'), [
    [
      ...['001', '002', '003', '004', '005'].map((n, i) => `WF-KR-251120N-004-${n} → LI14PSA251110${i + 1}`),
      '… 93 more',
      'WF-KR-251120N-004-099 → LI14PSA2511199',
      'WF-KR-251120N-004-100 → LI14PSA2511200',
    ],
  ]);
  assert.deepEqual(of('KR01PSB2509'), [], 'serials that stay are not named');
});

test('the log names the error that ended a batch', async (t) => {
  const logged: { message: string; facts: Readonly<Record<string, unknown>> }[] = [];
  const database = await lotSystem(t, { sql: await sample('bad/serial-taken.sql') });
  const error: unknown = await runLots(t, database, {
    // Of a file it is found when all is loaded.
    inputs: { serials: csv(tempFile(t, 'old.csv', (await exported(database)).join('\n'))) },
    log: {
      debug() {},
      info() {},
      warn() {},
      error: (message, facts = {}) => void logged.push({ message, facts }),
    },
  }).catch((thrown) => thrown);
  assert.ok(error instanceof SluiceError);
  assert.equal(logged[0]?.message, error.message);
  assert.match(JSON.stringify(logged[0]?.facts), /LI14PSA2511007: 2 times/);
});
