import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../../support/database.js';
import { eachTable, type Outcome, tally } from '../../../support/each-table.js';
import { engine } from '../../../support/engine.js';

test('every table of one of every kind that a swap may meet: refused beforehand, or as before', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE whole_row (id int PRIMARY KEY, x text CHECK (whole_row IS NOT NULL));
    CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, x text);
    CREATE TABLE whole (id int PRIMARY KEY, x int) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (100);
    CREATE TABLE high PARTITION OF whole FOR VALUES FROM (100) TO (200);
    CREATE TABLE under (id int PRIMARY KEY, w int REFERENCES whole, d int);
    CREATE TABLE _under (id int PRIMARY KEY, x int[][]);
    CREATE TABLE several (id int NOT NULL, x int); CREATE UNIQUE INDEX elder ON several (id); ALTER TABLE several ADD PRIMARY KEY (id);
    CREATE TABLE by_first (id int PRIMARY KEY, s int REFERENCES several); CREATE TABLE by_second (id int PRIMARY KEY, s int REFERENCES several (id));
    CREATE TABLE base (id int PRIMARY KEY, x int); CREATE TABLE heir (y int, PRIMARY KEY (id)) INHERITS (base);
    CREATE TABLE computed (id int PRIMARY KEY, x int, y int GENERATED ALWAYS AS (x * 2) STORED, n int GENERATED ALWAYS AS IDENTITY);
    CREATE TABLE used (id int PRIMARY KEY, x int); CREATE FUNCTION f(used) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE VIEW v AS SELECT * FROM deferred; CREATE MATERIALIZED VIEW m AS SELECT * FROM v WITH NO DATA`);
  const outcomes: Outcome[] = [];
  for await (const outcome of eachTable(engine(t, database).database, await database.connect(), {
    modes: ['replace', 'merge'],
  }))
    outcomes.push(outcome);
  const { faults } = tally(outcomes);
  assert.deepEqual(faults, []);
  const refused = outcomes
    .filter(({ what }) => what === 'refused')
    .map(({ table, mode }) => `${table} ${mode}`);
  assert.deepEqual(refused.sort(), [
    'public.base merge',
    'public.base replace',
    'public.computed merge',
    'public.heir replace',
    'public.high replace',
    'public.low replace',
    'public.used replace',
    'public.whole replace',
    'public.whole_row replace',
  ]);
});
