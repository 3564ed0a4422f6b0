import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { append, merge, replace } from '../../../src/core/target.js';
import { csvFile, runAround } from '../../support/broken.js';
import { testDatabase } from '../../support/database.js';
import { loads } from '../../support/engine.js';

const COLUMNS = ['id'] as const;
const SYSTEM = `
CREATE DOMAIN stock AS int DEFAULT 5;
CREATE TABLE places (id stock PRIMARY KEY); INSERT INTO places VALUES (5);
CREATE TABLE items (id int PRIMARY KEY, stock stock NOT NULL CONSTRAINT enough CHECK (stock > id),
  place stock CONSTRAINT to_place REFERENCES places);
INSERT INTO items VALUES (1, 9, NULL)`;

for (const [mode, target, was] of [
  ['append', append('items', { columns: COLUMNS }), '1|9|∅'],
  ['merge', merge('items', { columns: COLUMNS, key: ['id'] }), '1|9|∅'],
  ['replace', replace('items', { columns: COLUMNS, omit: ['stock', 'place'] }), '1|5|5'],
] as const)
  test(`${mode}: a column that is not loaded gets the default of its domain, and is asked with it`, async (t) => {
    const database = await testDatabase(t);
    await database.query(SYSTEM);
    const lines = mode === 'append' ? ['id', '2', '7', '3'] : ['id', '1', '2', '7', '3'];
    const { ran, rejects } = await runAround(
      t,
      database,
      loads({ items: [target, csvFile(t, 'items.csv', ...lines)] }),
    );
    assert.ok(!(ran instanceof SluiceError), String(ran));
    assert.deepEqual(
      rejects.map(({ line, reason, constraint_name }) => [line, reason, constraint_name]),
      [[lines.indexOf('7') + 1, 'check_violation', 'enough']],
    );
    assert.deepEqual(
      await database.query(
        "SELECT concat_ws('|', id, stock, coalesce(place::text, '∅')) AS is FROM items ORDER BY id",
      ),
      [was, '2|5|5', '3|5|5'].map((is) => ({ is })),
    );
  });
