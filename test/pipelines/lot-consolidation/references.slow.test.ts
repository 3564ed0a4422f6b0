import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import lotConsolidation from '../../../pipelines/lot-consolidation/index.js';
import { checkPipeline } from '../../../src/run/check.js';
import type { TestDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { contents, lotSystem, openDatabase, runLots } from '../../support/lots.js';

/** Errors of the check, each with its lines and what to do. */
async function errors(t: TestContext, database: TestDatabase) {
  const opened = openDatabase(t, database);
  const { findings } = await checkPipeline(lotConsolidation, {
    database: opened,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await opened.close();
  return findings
    .filter(({ finding }) => finding.severity === 'error')
    .map(({ finding: { message, details = [], next = [] } }) => ({
      message,
      details,
      next: [next].flat().join('\n'),
    }));
}

const NOTES = `
  CREATE TABLE "Lot notes" (id serial PRIMARY KEY, lot int REFERENCES lots ON DELETE CASCADE, "nr" text REFERENCES lots (lot_number), serial text REFERENCES serials (serial_number))`;

test('rows that refer to LOTs that go are refused by the check; pointed to the LOT that stays as it says, they follow', async (t) => {
  const database = await lotSystem(t, {
    sql: `${NOTES}; ALTER TABLE lots ADD parent_id int REFERENCES lots; UPDATE lots SET parent_id = 65 WHERE id IN (63, 64);
      INSERT INTO "Lot notes" (lot) VALUES (64), (64), (65), (63), (51)`,
  });
  const before = await contents(database);
  await assert.rejects(runLots(t, database), /2 reasons/);
  assert.deepEqual(await contents(database), before);
  const found = await errors(t, database);
  assert.deepEqual(
    found.map(({ message, details }) => [message, details]),
    [
      [
        '"Lot notes".lot refers to 2 LOTs that go',
        ['LOT 64: 2 rows; it becomes part of LOT 63', 'LOT 65: 1 row; it becomes part of LOT 63'],
      ],
      // LOT 64 goes, and its own reference with it.
      ['lots.parent_id refers to a LOT that goes', ['LOT 65: 1 row; it becomes part of LOT 63']],
    ],
  );
  for (const { next } of found) await database.query(/UPDATE .* = m\.goes/.exec(next)?.[0] ?? '');
  const { summary } = await runLots(t, database);
  assert.equal(summary.status, 'completed');
  assert.deepEqual(
    await database.query('SELECT lot, count(*)::int AS n FROM "Lot notes" GROUP BY 1 ORDER BY 1'),
    [
      { lot: 51, n: 1 },
      { lot: 63, n: 4 },
    ],
  );
});

long(
  'rows that refer to a number that changes are refused, with the foreign key; to one that stays they may',
  async (t) => {
    const database = await lotSystem(t, {
      sql: `${NOTES}; INSERT INTO "Lot notes" (nr, serial) SELECT l.lot_number, s.serial_number FROM lots l JOIN serials s ON s.lot_id = l.id WHERE l.id = 51 LIMIT 1`,
    });
    assert.deepEqual(await errors(t, database), []);
    await database.query(
      `INSERT INTO "Lot notes" (nr, serial) SELECT l.lot_number, s.serial_number FROM lots l JOIN serials s ON s.lot_id = l.id WHERE l.id = 63 LIMIT 2`,
    );
    const found = await errors(t, database);
    assert.deepEqual(
      found.map(({ message }) => message),
      [
        '2 rows of "Lot notes" refer by nr to lots.lot_number, which changes',
        '2 rows of "Lot notes" refer by serial to serials.serial_number, which changes',
      ],
    );
    await database.query(
      found.map(({ next }) => /ALTER TABLE .* DROP CONSTRAINT "[^"]*"/.exec(next)?.[0] ?? '').join('; '),
    );
    assert.equal((await runLots(t, database)).summary.status, 'completed');
  },
);
