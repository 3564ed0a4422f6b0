import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  dryRun,
  type FlowPlan,
  flow,
  load,
  memory,
  named,
  type Pipeline,
  pipeline,
  query,
  rehearse,
  run,
  type Sink,
  type Source,
} from 'sluice';
import { csvFile, jsonlFile, report } from 'sluice/sinks';
import { map } from 'sluice/transforms';
import { tempFolder } from '../support/files.js';
import { isSluice } from '../support/said.js';
import { type Thing, things, thingsDatabase, thingsPipeline } from '../support/things.js';

const filesOf = (
  flows: (source: Source<Thing>) => readonly FlowPlan[],
  source: Source<Thing> = memory('things', things(3)),
): Pipeline =>
  pipeline({
    name: 'files',
    summary: 'Into files.',
    inputs: { things: source },
    tables: {},
    flows: ({ inputs }) => flows(inputs.things),
  });

const into = (...ends: Sink<Thing>[]) => filesOf((source) => ends.map((end) => flow(source).into(end)));

const shown = (t: TestContext, path = tempFolder(t)) => ({
  path,
  at: (name: string) => join(path, name),
  text: (name: string) => readFileSync(join(path, name), 'utf8'),
  names: () => readdirSync(path).sort(),
});

const THREE = 'id,name\n1,thing 1\n2,thing 2\n3,thing 3\n';

test('rows of a pipeline without tables go into files: no database, no batch, and the account is whole', async (t) => {
  const folder = shown(t);
  const result = await run(into(csvFile(folder.at('a.csv')), jsonlFile(folder.at('b.jsonl'))), {});
  assert.deepEqual(
    [result.status, result.batch, result.read, result.rejected, result.published],
    ['written', null, 6, 0, {}],
  );
  assert.deepEqual(
    result.files.map(({ path, what }) => [path, what]),
    [
      [folder.at('a.csv'), '3 rows'],
      [folder.at('b.jsonl'), '3 rows'],
    ],
  );
  assert.deepEqual(
    result.stages.flatMap(({ sinks }) => sinks.map(({ handed, counted }) => [handed, counted])),
    [
      [3, 3],
      [3, 3],
    ],
  );
  assert.equal(folder.text('a.csv'), THREE);
  assert.deepEqual(folder.names(), ['a.csv', 'b.jsonl']);
});

test('several flows may end in one file, which has one header', async (t) => {
  const folder = shown(t);
  const sink = csvFile<Thing>(folder.at('all.csv'));
  const result = await run(into(sink, sink), {});
  assert.deepEqual(
    result.files.map(({ what }) => what),
    ['6 rows'],
  );
  const lines = folder.text('all.csv').trimEnd().split('\n');
  assert.equal(lines[0], 'id,name');
  assert.deepEqual(
    lines.slice(1).sort(),
    [...things(3), ...things(3)].map(({ id, name }) => `${id},${name}`).sort(),
  );
});

test('two sinks of one path are refused, and leave nothing', async (t) => {
  const folder = shown(t);
  const both = into(csvFile(folder.at('x.csv')), csvFile(folder.at('x.csv')));
  await assert.rejects(run(both, {}), isSluice('export_options'));
  assert.deepEqual(folder.names(), []);
});

test('where a flow breaks off, not even the files of others that were whole are there', async (t) => {
  const folder = shown(t);
  const breaks = filesOf((source) => [
    flow(source).into(csvFile(folder.at('whole.csv'))),
    flow(source)
      .through(
        map((row) => {
          if (row.id === '3') throw new Error('the third');
          return row;
        }, 'breaks'),
      )
      .into(csvFile(folder.at('broken.csv.gz'))),
  ]);
  await assert.rejects(run(breaks, {}), (error: Error & { facts?: { state?: string } }) => {
    assert.match(error.message, /the third/);
    assert.equal(error.facts?.state, 'no file was made');
    return true;
  });
  assert.deepEqual(folder.names(), []);
});

test('rejects beyond the limit leave no file; within it the file has the others, and the rejects have theirs', async (t) => {
  const folder = shown(t);
  const good = named<Thing>('no twos', async function* (rows, run) {
    for await (const chunk of rows) {
      for (const row of chunk) if (row.id === '2') run.reject(row, { reason: 'is_two', column: 'id' });
      yield chunk.filter(({ id }) => id !== '2');
    }
  });
  const some = filesOf((source) => [
    flow(source)
      .through(good)
      .into(csvFile(folder.at('x.csv'))),
  ]);
  await assert.rejects(run(some, {}), isSluice('too_many_rejects'));
  assert.deepEqual(folder.names(), []);
  const result = await run(some, { maxRejects: 1, rejectsInto: folder.at('rejects') });
  assert.deepEqual([result.status, result.rejected, result.reject_reasons], ['written', 1, { is_two: 1 }]);
  assert.equal(folder.text('x.csv'), 'id,name\n1,thing 1\n3,thing 3\n');
  assert.match(folder.text('rejects/things.csv'), /thing 2/);
});

test('a dry run writes nothing, and rejects what the file could not hold; --limit writes so many rows', async (t) => {
  const folder = shown(t);
  const odd = filesOf((source) => [
    flow(source)
      .through(map((row) => (row.id === '2' ? { ...row, more: 'x' } : row), 'odd'))
      .into(csvFile(folder.at('x.csv'))),
  ]);
  const tried = await dryRun(odd, { maxRejects: 1 });
  assert.deepEqual([tried.status, tried.reject_reasons], ['dry run', { unknown_column: 1 }]);
  assert.deepEqual(folder.names(), []);
  const plain = into(csvFile(folder.at('x.csv')));
  assert.equal((await run(plain, { limit: 1 } as object)).read, 1);
  assert.equal(folder.text('x.csv'), 'id,name\n1,thing 1\n');
});

test('a file that is there is refused before a row is read, unless the sink writes over it', async (t) => {
  const folder = shown(t);
  writeFileSync(folder.at('x.csv'), 'mine');
  let read = 0;
  const counted: Source<Thing> = {
    ...memory('things', things(1)),
    async *read() {
      read += 1;
      yield things(3);
    },
  };
  const to = (overwrite: boolean) =>
    filesOf((source) => [flow(source).into(csvFile(folder.at('x.csv'), { overwrite }))], counted);
  await assert.rejects(run(to(false), {}), /is there already/);
  assert.deepEqual([read, folder.text('x.csv')], [0, 'mine']);
  await run(to(true), {});
  assert.equal(folder.text('x.csv'), THREE);
});

test('what is about tables is refused by its name', async (t) => {
  const plain = into(csvFile(shown(t).at('x.csv')));
  const told = [
    () => rehearse(plain, {}),
    () => load(plain, {}),
    () => run(plain, { resume: '1' }),
    () => run(plain, { onlyRejectsOf: '1' }),
    () => run(plain, { guard: 'lock' }),
    () => run(plain, { allowEmpty: true }),
    () => run(plain, { maxShrink: 80 }),
    () => run(plain, { noTriggers: true }),
  ];
  for (const call of told) await assert.rejects(call, isSluice('only_of_tables'), String(call));
});

test('who asks for a database where none is named is told so; where one is, it is asked, and has no ledger after', async (t) => {
  const folder = shown(t);
  const rows = query<Thing>('SELECT id::text AS id, name FROM things ORDER BY id');
  const asks = filesOf((source) => [flow(source).into(csvFile(folder.at('x.csv')))], rows);
  await assert.rejects(run(asks, {}), /asks for a database, and none is named/);
  await assert.rejects(run(thingsPipeline(), {}), isSluice('no_database_named'));
  const database = await thingsDatabase(t);
  await database.query('DROP SCHEMA IF EXISTS sluice CASCADE');
  await run(asks, { database: database.url });
  assert.equal(folder.text('x.csv'), 'id,name\n0,the old one\n');
  assert.deepEqual(await database.query(`SELECT FROM pg_namespace WHERE nspname LIKE 'sluice%'`), []);
});

test('the tables of a pipeline may be files (into): the same rows, nothing published, the names by table', async (t) => {
  const folder = shown(t);
  const result = await run(thingsPipeline({ rows: 3 }), { into: folder.at('%t.csv') });
  assert.deepEqual([result.status, result.read], ['written', 3]);
  assert.equal(folder.text('things.csv'), THREE);
  await run(thingsPipeline({ rows: 1 }), { into: { into: `${folder.path}/`, format: 'jsonl' } });
  assert.equal(folder.text('things.jsonl'), '{"id":"1","name":"thing 1"}\n');
  await assert.rejects(run(thingsPipeline(), { into: folder.at('things.csv') }), isSluice('export_exists'));
  await run(thingsPipeline({ rows: 0 }), { into: { into: folder.at('things.csv'), overwrite: true } });
  assert.equal(folder.text('things.csv'), 'id,name\n');
  await assert.rejects(run(thingsPipeline(), { into: folder.at('x.parquet') }), isSluice('export_options'));
});

test('a report is an end as well, and needs no database', async () => {
  const result = await run(into(report('all', () => ({ columns: ['name'] }))), {});
  assert.deepEqual([result.status, result.reports[0]?.rows.length], ['written', 3]);
});

const NAMES = 'SELECT name FROM things ORDER BY id';

test('beside a table a file has its name once the table is published, and none where that is refused', async (t) => {
  const database = await thingsDatabase(t);
  const folder = shown(t);
  const end = csvFile<Thing>(folder.at('beside.csv'));
  const refusing = thingsPipeline({
    rows: 3,
    ends: [end],
    more: {
      validations: [
        {
          name: 'no',
          summary: 'refuses',
          ask: async () => {
            assert.match(folder.names().join(), /^beside\.csv\.\d+\.part$/);
            return [{ severity: 'error', message: 'no' }];
          },
        },
      ],
    },
  });
  await assert.rejects(run(refusing, { database: database.url }), isSluice('validation_refused'));
  assert.deepEqual(folder.names(), []);
  const both = thingsPipeline({ rows: 3, ends: [end] });
  await assert.rejects(load(both, { database: database.url }), isSluice('files_with_staging'));
  assert.equal((await rehearse(both, { database: database.url })).status, 'rehearsed');
  assert.deepEqual(folder.names(), []);
  assert.equal((await run(both, { database: database.url })).status, 'completed');
  assert.equal(folder.text('beside.csv'), THREE);
  assert.equal((await database.query(NAMES)).length, 3);
  const again = thingsPipeline({ rows: 3, ends: [csvFile(folder.at('again.csv'))] });
  assert.equal((await run(again, { database: database.url })).status, 'unchanged');
  assert.equal(folder.text('again.csv'), THREE);
});
