import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../src/core/errors.js';
import { flow } from '../../src/core/flow.js';
import { type Pipeline, pipeline } from '../../src/core/pipeline.js';
import { append, merge } from '../../src/core/target.js';
import { memory } from '../../src/sources/memory.js';
import { testDatabase } from '../support/database.js';
import { runOn } from '../support/lots.js';

const ROWS = [
  { id: '1', name: 'fine' },
  { id: 'x', name: 'not a number' },
];
const COLUMNS = ['id', 'name'] as const;

const merging: Pipeline = pipeline({
  name: 'mirror',
  summary: 'Rows that are not in the source go.',
  inputs: { rows: memory('rows', ROWS) },
  tables: { one: merge('one', { columns: COLUMNS, key: ['id'], missingRows: 'delete' }) },
  flows: ({ inputs, tables }) => [flow(inputs.rows).into(tables.one)],
});

const forking: Pipeline = pipeline({
  name: 'fork',
  summary: 'Every row into two tables.',
  inputs: { rows: memory('rows', ROWS) },
  tables: { one: append('one', { columns: COLUMNS }), two: append('two', { columns: COLUMNS }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.rows).fork(
      (rows) => rows.into(tables.one),
      (rows) => rows.into(tables.two),
    ),
  ],
});

for (const [what, of, code, says] of [
  [
    'a merge that deletes missing rows',
    merging,
    'whole_table',
    /rows of one that staging lacks are deleted: its rejects alone would delete all others/,
  ],
  [
    'a fork of which a table is appended to',
    forking,
    'check_refused',
    /rows of rows go to several tables, one of which is appended to: .* would be added again/,
  ],
] as const)
  test(`rejects of ${what} are not fed back by themselves`, async (t) => {
    const database = await testDatabase(t);
    await database.query(
      'CREATE TABLE one (id integer PRIMARY KEY, name text); CREATE TABLE two (id integer, name text)',
    );
    await runOn(t, database, of, { maxRejects: { rows: 9 } });
    const before = await database.query('SELECT * FROM one, LATERAL (SELECT count(*) AS n FROM two) AS two');
    const corrected = memory('rows', [{ id: '2', name: 'a number', sluice_reject: '1' }]);
    const error: SluiceError = await runOn(t, database, of, {
      inputs: { rows: corrected },
      onlyRejectsOf: '1',
    }).then(
      () => assert.fail('it was published'),
      (thrown) => thrown,
    );
    assert.equal(error.code, code);
    assert.match([error.message, ...(error.facts.details ?? [])].join('\n'), says);
    assert.deepEqual(
      await database.query('SELECT * FROM one, LATERAL (SELECT count(*) AS n FROM two) AS two'),
      before,
    );
  });
