import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { type Pipeline, pipeline } from '../../../src/core/pipeline.js';
import type { Row } from '../../../src/core/row.js';
import { append, merge, replace, sync } from '../../../src/core/target.js';
import { named, type Source, type Stage } from '../../../src/core/types.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { csv } from '../../../src/sources/csv/index.js';
import { memory } from '../../../src/sources/memory.js';
import { distinct } from '../../../transforms/distinct.js';
import { lookup } from '../../../transforms/lookup.js';
import { map } from '../../../transforms/map.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';
import { type Options, openDatabase, runOn } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

const COLUMNS = ['id', 'name'] as const;
const nine = { maxRejects: { rows: 9 } };

const TARGETS = {
  append: append('one', { columns: COLUMNS }),
  merge: merge('one', { columns: COLUMNS, key: ['id'] }),
  mirror: sync('one', { columns: COLUMNS, key: ['id'] }),
  replace: replace('one', { columns: COLUMNS }),
};

/** A pipeline of `rows` into the table `one`. */
function into(mode: keyof typeof TARGETS, rows: Source, ...stages: Stage[]): Pipeline {
  return pipeline({
    name: 'one',
    summary: 'Rows into a table.',
    inputs: { rows },
    tables: { one: TARGETS[mode] },
    flows: ({ inputs, tables }) => [{ source: inputs.rows, root: { stages, into: tables.one } }],
  });
}

/** A table, a file whose third and fifth rows are wrong, one of them no record at all, and a way to correct both. */
async function setUp(t: TestContext) {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE one (id integer PRIMARY KEY, name text NOT NULL)');
  const folder = tempFolder(t);
  const path = join(folder, 'rows.csv');
  writeFileSync(path, 'id,name\n1,a\n2,b\nx,-c\n4,d\n5,e,more\n6,f\n');
  const corrected = memory('fixed.csv', [
    { id: '5', name: 'e', sluice_reject: '1' },
    { id: '3', name: "'-c", sluice_reject: '2' },
  ]);
  const fix = (of: Pipeline, batch: string, options: Options = {}) =>
    runOn(t, database, of, { inputs: { rows: corrected }, onlyRejectsOf: batch, ...options });
  const names = async () =>
    (await database.query<{ n: string }>("SELECT string_agg(name, ' ' ORDER BY id) AS n FROM one"))[0]?.n;
  return { database, path, source: csv(path), corrected, fix, names };
}

const unboss = map(({ boss: _, ...row }: Row) => row, 'without bosses');

async function undo(t: TestContext, database: TestDatabase, batch: string): Promise<void> {
  const opened = openDatabase(t, database);
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  await rollbackBatch(batch, { database: opened, log: quiet });
  await opened.close();
}

for (const mode of ['append', 'merge', 'mirror', 'replace'] as const)
  (mode === 'append' ? test : long)(
    `${mode}: of a failed batch the whole input is read, with the corrected rows in the places of the rejected ones`,
    async (t) => {
      const { database, source, fix, names } = await setUp(t);
      const places: unknown[] = [];
      const seen = named('seen', async function* (rows) {
        for await (const chunk of rows) {
          places.push(...chunk.map((row) => row.name));
          yield chunk;
        }
      });
      const of = into(mode, source, seen);
      await thrown(runOn(t, database, of));
      assert.equal(await names(), null);
      places.length = 0;
      const { summary } = await fix(of, '1');
      assert.deepEqual(places, ['a', 'b', '-c', 'd', 'e', 'f']);
      assert.equal(summary.read, 6);
      assert.equal(await names(), 'a b -c d e f');
      const again = await fix(of, '1').catch((error: SluiceError) => error);
      if (mode === 'append' || mode === 'replace')
        assert.match(String(again), /reject \d was resubmitted already, with batch 2/);
      else assert.equal(await names(), 'a b -c d e f');
    },
  );

for (const mode of ['append', 'replace'] as const)
  (mode === 'append' ? test : long)(
    `${mode}: beside a published batch corrected rows are added, what was written since stays, and they are undone alone`,
    async (t) => {
      const { database, source, fix, names } = await setUp(t);
      await runOn(t, database, into(mode, source), nine);
      await database.query("INSERT INTO one VALUES (9, 'since')");
      await fix(into(mode, source), '1');
      assert.equal(await names(), 'a b -c d e f since');
      await undo(t, database, '2');
      assert.equal(await names(), 'a b d f since');
      await fix(into(mode, source), '1');
      assert.equal(await names(), 'a b -c d e f since');
    },
  );

long('rows of a batch are not added to a table that was replaced since, until that is undone', async (t) => {
  const { database, source, fix, names } = await setUp(t);
  await runOn(t, database, into('append', source), nine);
  await runOn(t, database, into('replace', memory('others', [{ id: '7', name: 'g' }])), {
    ...nine,
    maxShrink: 100,
  });
  const error = await thrown(fix(into('append', source), '1'));
  assert.equal(error.code, 'replaced_since');
  assert.match(error.message, /batch 2 has replaced public\.one since/);
  await undo(t, database, '2');
  await fix(into('append', source), '1');
  assert.equal(await names(), 'a b -c d e f');
});

test('a merge that deletes missing rows is given the whole input again, corrected', async (t) => {
  const { database, source, fix, names } = await setUp(t);
  await runOn(t, database, into('mirror', source), nine);
  assert.equal(await names(), 'a b d f');
  await fix(into('mirror', source), '1');
  assert.equal(await names(), 'a b -c d e f');
});

test('where a stage looks at rows together, a published batch is undone first, and the whole input corrected', async (t) => {
  const { database, source, fix, names } = await setUp(t);
  const of = into('append', source, distinct({ by: 'name' }));
  await runOn(t, database, of, nine);
  const error = await thrown(fix(of, '1'));
  assert.equal(error.code, 'whole_table');
  assert.match(error.message, /the stage "distinct" looks at rows of .*rows\.csv together/);
  assert.match(String(error.facts.next), /sluice rollback 1/);
  await undo(t, database, '1');
  await fix(of, '1');
  assert.equal(await names(), 'a b -c d e f');
});

test('rows that were rejected before a fork are resubmitted, those behind it may be in one of its tables', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE one (id integer, name text); CREATE TABLE two (id integer, name text NOT NULL)',
  );
  const rows: Source = memory<Row>('rows', [
    { id: '1', name: 'fine' },
    { id: '2', name: 'before' },
    { id: '3', name: null },
  ]);
  const before = named('before', async function* (given, run) {
    for await (const chunk of given) {
      const bad = chunk.filter(({ name }) => name === 'before');
      for (const row of bad) run.reject(row, { reason: 'bad_name', column: 'name' });
      yield chunk.filter((row) => !bad.includes(row));
    }
  });
  const of = pipeline({
    name: 'fork',
    summary: 'Every row into two tables.',
    inputs: { rows },
    tables: { one: append('one', { columns: COLUMNS }), two: append('two', { columns: COLUMNS }) },
    flows: ({ inputs, tables }) => [
      {
        source: inputs.rows,
        root: {
          stages: [before],
          fork: [
            { stages: [], into: tables.one },
            { stages: [], into: tables.two },
          ],
        },
      },
    ],
  });
  const ran = await runOn(t, database, of, nine);
  assert.equal(ran.summary.rejected, 2);
  const feed = (row: Record<string, string>) =>
    runOn(t, database, of, { inputs: { rows: memory('fixed', [row]) }, onlyRejectsOf: '1' });
  const numbers = await database.query<{ stage: string; number: string }>(
    'SELECT stage, number::text FROM sluice.migration_reject',
  );
  const numberOf = (stage: string) => numbers.find((each) => each.stage === stage)?.number as string;
  const error = await thrown(feed({ id: '3', name: 'x', sluice_reject: numberOf('into two') }));
  assert.match(
    error.message,
    /rows of rows go to several tables, and what was rejected after the fork \(into two\)/,
  );
  await feed({ id: '2', name: 'good', sluice_reject: numberOf('before') });
  const counts = await database.query(
    'SELECT (SELECT count(*)::int FROM one) AS one, (SELECT count(*)::int FROM two) AS two',
  );
  assert.deepEqual(counts, [{ one: 3, two: 2 }]);
});

test('an input that has changed since is not corrected by its lines', async (t) => {
  const { database, path, source, fix, names } = await setUp(t);
  await thrown(runOn(t, database, into('append', source)));
  writeFileSync(path, 'id,name\n0,new\n1,a\n2,b\nx,-c\n4,d\n5,e,more\n6,f\n');
  const error = await thrown(fix(into('append', source), '1'));
  assert.equal(error.code, 'input_changed');
  assert.match(error.message, /reject \d was its line \d, and another stands there now/);
  assert.equal(await names(), null);
});

test('a row that is still wrong is a reject of the same line, and says which reject it was', async (t) => {
  const { database, source, fix } = await setUp(t);
  await runOn(t, database, into('append', source), nine);
  const still = memory('fixed.csv', [{ id: 'y', name: 'c', sluice_reject: '2' }]);
  const { rejects } = await fix(into('append', source), '1', { inputs: { rows: still }, ...nine });
  assert.equal(rejects[0]?.line, 4);
  assert.deepEqual(rejects[0]?.resubmits, { batch: '1', number: 2 });
});

long('stages that look something up in an input that is resubmitted see all of it', async (t) => {
  const { database, path, names } = await setUp(t);
  writeFileSync(path, 'id,name,boss\n1,a,1\n2,b,1\nx,-c,1\n4,d,1\n5,,1\n6,f,1\n');
  const rows = csv(path);
  const of = pipeline({
    name: 'bosses',
    summary: 'Rows with a boss among them.',
    inputs: { rows },
    tables: { one: TARGETS.append },
    flows: ({ inputs, tables }) => [
      {
        source: inputs.rows,
        root: {
          stages: [lookup({ from: inputs.rows, key: 'id', on: 'boss', take: {} }), unboss],
          into: tables.one,
        },
      },
    ],
  });
  await runOn(t, database, of, nine);
  const fixed = memory('fixed.csv', [{ id: '3', name: "'-c", boss: '1', sluice_reject: '1' }]);
  await runOn(t, database, of, { inputs: { rows: fixed }, onlyRejectsOf: '1' });
  assert.equal(await names(), 'a b -c d f');
});

long(
  'all columns must be there, no others, and a row that was taken out is rejected again where all are read',
  async (t) => {
    const { database, source, fix, names } = await setUp(t);
    await thrown(runOn(t, database, into('replace', source)));
    const give = (row: Record<string, string>, options: Options = {}) =>
      fix(into('replace', source), '1', { inputs: { rows: memory('fixed.csv', [row]) }, ...options });
    assert.match((await thrown(give({ id: '3', sluice_reject: '2' }))).message, /lacks the column name/);
    assert.match(
      (await thrown(give({ id: '3', name: 'c', nmae: 'x', sluice_reject: '2' }))).message,
      /the input has no column nmae/,
    );
    const { summary } = await give({ id: '3', name: 'c', sluice_reject: '2' }, nine);
    assert.equal(summary.rejected, 1);
    assert.equal(await names(), 'a b c d f');
    // The rest is rejects of that batch, which is published.
    const rest = memory('rest.csv', [{ id: '5', name: 'e', sluice_reject: '1' }]);
    await fix(into('replace', source), '2', { inputs: { rows: rest } });
    assert.equal(await names(), 'a b c d e f');
  },
);
