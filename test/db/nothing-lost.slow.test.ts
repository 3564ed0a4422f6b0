import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Source } from '../../src/core/types.js';
import { nothingLost } from '../../src/db/nothing-lost.js';
import { csv } from '../../src/sources/csv/index.js';
import { query } from '../../src/sources/postgres/index.js';
import { RowError } from '../../transforms/failure.js';
import { map } from '../../transforms/map.js';
import { tempFile } from '../support/files.js';
import { runOn } from '../support/lots.js';
import { type Thing, thingsDatabase, thingsPipeline } from '../support/things.js';
import { validated, wrong } from '../support/validated.js';

const everyThing = nothingLost({
  name: 'every-thing',
  summary: 'every thing is there',
  one: 'thing',
  input: 'things',
  key: 'id',
  table: 'things',
});

const more = { validations: [everyThing] };

const renaming = (from: string, to: string) =>
  map((row: Thing) => (row.id === from ? { ...row, id: to } : row), 'renaming');

const rejecting = (id: string) =>
  map((row: Thing) => {
    if (row.id === id) throw new RowError('unlucky', `thing ${id} is unlucky`);
    return row;
  }, 'rejecting');

test('a row that the flow has made another of is lost, whatever the accounts say', async (t) => {
  const database = await thingsDatabase(t);
  await assert.rejects(
    runOn(t, database, thingsPipeline({ stage: renaming('3', '33'), more })),
    (error: Error & { facts: { details: string[] } }) => {
      assert.match([error.message, ...error.facts.details].join('\n'), /1 thing is lost.*\b3\b/s);
      return true;
    },
  );
  assert.deepEqual(await database.query('SELECT id FROM things'), [{ id: 0 }]);
});

test('rejected rows are told as what they are, and so they are after the publish', async (t) => {
  const database = await thingsDatabase(t);
  const pipeline = thingsPipeline({ stage: rejecting('7'), more });
  const { summary, said } = await runOn(t, database, pipeline, { maxRejects: { rows: 1 } });
  assert.equal(summary.status, 'completed');
  assert.match(
    said.join('\n'),
    /1 thing of the old system was set aside and is not in the new one: unlucky 1.*\b7\b/s,
  );
  const after = await validated(t, database, pipeline, summary.batch as string);
  assert.deepEqual(wrong(after), []);
  assert.match(after.validations[0]?.findings[0]?.message ?? '', /1 thing .* was set aside/);
  assert.equal(after.validations[0]?.askedAgain, false, 'nobody is told that every thing is there');
});

test('a reject does not cover for a row that is lost', async (t) => {
  const database = await thingsDatabase(t);
  const stage = map((row: Thing) => {
    if (row.id === '7') throw new RowError('unlucky', 'thing 7 is unlucky');
    return row.id === '3' ? { ...row, id: '33' } : row;
  }, 'both');
  await assert.rejects(
    runOn(t, database, thingsPipeline({ stage, more }), { maxRejects: { rows: 1 } }),
    /2 things are lost; of these 1 were set aside \(unlucky 1\)|validation/,
  );
});

test('a table is asked itself, past the query that reads it', async (t) => {
  const database = await thingsDatabase(t);
  await database.query(`CREATE TABLE old (id int, name text); INSERT INTO old SELECT n, 'n' FROM generate_series(1, 50000) n;
    INSERT INTO old VALUES (NULL, 'nobody')`);
  const from = (where: string) =>
    thingsPipeline({
      source: query<Thing>(`SELECT id, name FROM old WHERE ${where}`, {
        name: 'old',
        table: 'old',
        columns: ['id', 'name'],
      }) as unknown as Source<Thing>,
      more,
    });
  await assert.rejects(runOn(t, database, from('id <> 40001')), /lost|validation/);
  const { summary, said } = await runOn(t, database, from('id IS NOT NULL'));
  assert.equal(summary.status, 'completed');
  assert.deepEqual(said, []);
});

test('a file writes whole numbers in its own way', async (t) => {
  const database = await thingsDatabase(t);
  const file = tempFile(t, 'things.csv', 'id,name\n007,a\n +8,b\n9,c\n');
  const { summary, said } = await runOn(
    t,
    database,
    thingsPipeline({ source: csv(file) as unknown as Source<Thing>, more }),
  );
  assert.equal(summary.status, 'completed');
  assert.deepEqual(said, []);
});

test('an input that can be read only once, or in part, is not asked again', async (t) => {
  const database = await thingsDatabase(t);
  const { summary } = await runOn(t, database, thingsPipeline({ more }), { limit: 3, rehearse: true });
  assert.equal(summary.loaded.things, 3);
});
