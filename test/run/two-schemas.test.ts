import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flow } from '../../src/core/flow.js';
import { pipeline } from '../../src/core/pipeline.js';
import { append, replace } from '../../src/core/target.js';
import { dropLeftover, findLeftovers } from '../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { findStaged, swapBatch } from '../../src/run/swap.js';
import { memory } from '../../src/sources/memory.js';
import { testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';
import { leftSchemas, openDatabase, runOn } from '../support/lots.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

test('tables of one name in two schemas are loaded, swapped, rolled back and cleaned up together', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE SCHEMA east; CREATE SCHEMA west;
    CREATE TABLE east.shops (id integer PRIMARY KEY);
    CREATE TABLE west.shops (id integer PRIMARY KEY);
    INSERT INTO east.shops VALUES (1); INSERT INTO west.shops VALUES (2)`);
  const both = pipeline({
    name: 'shops',
    summary: '',
    inputs: { rows: memory('rows', [{ id: '7' }, { id: '8' }]) },
    tables: {
      west: replace('west.shops', { columns: ['id'] }),
      east: replace('east.shops', { columns: ['id'] }),
    },
    flows: ({ inputs, tables }) => [
      flow(inputs.rows).fork(
        (rows) => rows.into(tables.west),
        (rows) => rows.into(tables.east),
      ),
    ],
  });
  const live = async () => [
    ...(await database.query<{ id: number }>('SELECT id FROM east.shops ORDER BY 1')).map(
      (row) => `east ${row.id}`,
    ),
    ...(await database.query<{ id: number }>('SELECT id FROM west.shops ORDER BY 1')).map(
      (row) => `west ${row.id}`,
    ),
  ];
  await runOn(t, database, both, { publish: false });
  const opened = openDatabase(t, database);
  await swapBatch(both, await findStaged(opened, '1'), { database: opened, log: quiet });
  await opened.close();
  assert.deepEqual(await live(), ['east 7', 'east 8', 'west 7', 'west 8']);
  const second = openDatabase(t, database);
  await rollbackBatch('1', { database: second, log: quiet });
  assert.deepEqual(await live(), ['east 1', 'west 2']);
  for (const leftover of await findLeftovers(second, 0)) await dropLeftover(second, leftover);
  assert.deepEqual(await leftSchemas(database), []);
});

test('tables of one name whose rows are changed are refused by the check, before there is a batch', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE SCHEMA east; CREATE SCHEMA west;
    CREATE TABLE east.shops (id integer PRIMARY KEY); CREATE TABLE west.shops (id integer PRIMARY KEY)`);
  const { run } = engine(t, database);
  for (const target of [append, replace])
    await assert.rejects(
      run(
        loads({
          east: [target('east.shops', { columns: ['id'] }), [{ id: 1 }]],
          west: [append('west.shops', { columns: ['id'] }), [{ id: 1 }]],
        }),
      ),
      { code: 'check_refused', message: /east\.shops and west\.shops are called the same/ },
    );
  assert.deepEqual(await leftSchemas(database), []);
});
