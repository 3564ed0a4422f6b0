import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flow } from '../../src/core/flow.js';
import { pipeline } from '../../src/core/pipeline.js';
import type { Row } from '../../src/core/row.js';
import { merge, replace } from '../../src/core/target.js';
import type { Source } from '../../src/core/types.js';
import { readRejects } from '../../src/db/ledger/rejects.js';
import { jsonLine } from '../../src/run/resubmit/rejects-file.js';
import { json } from '../../src/sources/json/index.js';
import { jsonl } from '../../src/sources/json/jsonl.js';
import { sqlite } from '../../src/sources/sqlite/index.js';
import { distinct, lookup, map, sort, validate } from '../../transforms/index.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';
import { tempFile } from '../support/files.js';
import { sqliteFile } from '../support/sqlite.js';

const LITERALS = [
  '0',
  '-0',
  '-0.0',
  '1',
  '1.0',
  '0.1000',
  '12.50',
  '1e5',
  '1E-7',
  '0.0000001',
  '9007199254740991',
  '9007199254740993',
  '-9223372036854775808',
  '12345678901234567890',
  '1234567890123456789012345678901234567890.5',
  '-83.643987957933206',
  '0.1234567890123456789',
  '1E400',
  '1e-400',
  '4503599627370496',
  '123456789.123456789',
];

/** What the columns are given: the literal, nested and not, under names of the input's. */
const LINES = LITERALS.map(
  (literal, i) => `{"n":${i},"é":${literal},"doc":{"b":[${literal},{"a":${literal}}]}}`,
);

const TABLE = `CREATE TABLE numbers (id int PRIMARY KEY, j json, jb jsonb, dj json, djb jsonb, t text, n numeric, f float8, i int8)`;

/** What each column must hold, as the server itself reads the literal. */
const WRONG = `SELECT l.v, to_json(s) AS row FROM unnest($1::text[]) WITH ORDINALITY AS l(v, place)
  LEFT JOIN numbers s ON s.id = l.place - 1
  WHERE NOT coalesce(s.j::text = l.v AND s.jb::text = l.v::jsonb::text AND s.t = l.v AND s.n::text = (l.v::numeric)::text
    AND s.dj::text = format('{"b":[%s,{"a":%s}]}', l.v, l.v) AND s.djb::text = format('{"b":[%s,{"a":%s}]}', l.v, l.v)::jsonb::text
    AND s.f::text IS NOT DISTINCT FROM CASE WHEN l.v ~ '[eE]-?400' THEN NULL ELSE l.v::float8::text END
    AND s.i::text IS NOT DISTINCT FROM CASE WHEN l.v::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 AND l.v::numeric % 1 = 0
      THEN (l.v::numeric::int8)::text END, false)`;

/** Every literal in every column that takes it, through stages that keep, find and put in order. */
function everyColumn(source: Source<Row>) {
  const whole = /^-?\d{1,19}(?:\.0+)?$|^-?\d{1,3}e\d{1,2}$/;
  return pipeline({
    name: 'test-numbers',
    summary: 'loads numbers',
    inputs: { numbers: source },
    tables: { numbers: replace('numbers', { columns: ['id', 'j', 'jb', 'dj', 'djb', 't', 'n', 'f', 'i'] }) },
    flows: ({ inputs, tables }) => [
      flow(inputs.numbers)
        .through(
          validate<Row>({ type: 'object', properties: { é: { type: 'number' }, doc: { type: 'object' } } }),
          map((row: Row) => {
            const v = row.é;
            return {
              id: row.n,
              j: v,
              jb: v,
              dj: row.doc,
              djb: row.doc,
              t: v,
              n: v,
              f: /400$/.test(String(v)) ? null : v,
              i: whole.test(String(v)) ? v : null,
            } as Row;
          }),
          distinct<Row>({ by: 'id' }),
        )
        .through(
          sort<Row>({ by: { column: 't', as: 'text' }, name: 'by text', memoryRows: 4 }),
          lookup({ from: source, key: 'n', on: 'id', take: { again: 'é' } }),
          map(({ again, ...row }: Row) => ({ ...row, t: again })),
        )
        .into(tables.numbers as never),
    ],
  });
}

const wrongRows = (database: TestDatabase) => database.query(WRONG, [LITERALS]);

test('a number reaches every column as it was written, nested or not, through all kinds of stages', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const { run } = engine(t, database);
  for (const source of [
    jsonl(tempFile(t, 'numbers.jsonl', LINES.join('\n'))),
    json(tempFile(t, 'numbers.json', `{"data":[${LINES.join(',\n')}]}`), { at: 'data' }),
  ]) {
    await database.query('TRUNCATE numbers');
    const { summary } = await run(everyColumn(source as Source<Row>));
    assert.equal(summary.rejected, 0);
    assert.deepEqual(await wrongRows(database), []);
    assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM numbers'), [
      { n: LITERALS.length },
    ]);
  }
});

test('JSON text, whole numbers and reals of SQLite reach their columns as SQLite has them', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE old (id int8 PRIMARY KEY, doc jsonb, raw json, amount float8, exact numeric)',
  );
  const doc = `{"b":[${LITERALS.join(',')}]}`;
  const path = sqliteFile(
    t,
    `CREATE TABLE old (id INTEGER PRIMARY KEY, doc TEXT, raw TEXT, amount REAL, exact REAL);
     INSERT INTO old VALUES (9007199254740993, '${doc}', '${doc}', 1e300, 0.1), (-9223372036854775808, '{"a":1,"a":2}', '{"a":1,"a":2}', 1, 2)`,
  );
  const source = sqlite(path, { table: 'old' }) as Source<Row>;
  const { run, database: own } = engine(t, database);
  const { summary } = await run(
    pipeline({
      name: 'test-old',
      summary: 'loads',
      inputs: { old: source },
      tables: { old: replace('old', { columns: ['id', 'doc', 'raw', 'amount', 'exact'] }) },
      flows: ({ inputs, tables }) => [flow(inputs.old).into(tables.old as never)],
    }),
    { maxRejects: { rows: 1 } },
  );
  assert.deepEqual(
    await database.query('SELECT id::text, doc::text, raw::text, amount::text, exact::text FROM old'),
    [
      {
        id: '9007199254740993',
        doc: (await database.query<{ doc: string }>('SELECT $1::jsonb::text AS doc', [doc]))[0]?.doc,
        raw: doc,
        amount: '1e+300',
        exact: '0.1',
      },
    ],
  );
  const [reject] = await readRejects(own, summary.batch as string, 0, 10);
  assert.deepEqual([reject?.reason, reject?.column_name, reject?.line], ['duplicate_key', 'doc', 1]);
});

test('a reject is given back as its line was, numbers and nested values, too; a record shows them in the ledger', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE numbers (id int PRIMARY KEY, v int2, doc jsonb)');
  const { run, database: own } = engine(t, database);
  const lines = [
    `{"id":1.0,"v":1e3,"doc":{"a":[${LITERALS.join(',')}]}}`,
    `{"id":2,"v":9007199254740993,"doc":{"a":[${LITERALS.join(',')}],"é\\u0000":"\\u0000"}}`,
    '{"id":3,"v":1.50,"doc":[-0]}',
    '{"id":4e0,"v":2,"doc":null}',
  ];
  const once = async () => {
    const { summary } = await run(
      pipeline({
        name: 'test-records',
        summary: 'loads',
        inputs: { numbers: jsonl(tempFile(t, 'numbers.jsonl', lines.join('\n'))) },
        tables: { numbers: merge('numbers', { columns: ['id', 'v', 'doc'], key: ['id'] }) },
        records: { numbers: { type: 'number', sourceId: 'id', table: 'numbers' } },
        flows: ({ inputs, tables }) => [flow(inputs.numbers).into(tables.numbers as never)],
      }),
      { maxRejects: { rows: 2 } },
    );
    return summary.batch as string;
  };
  const batch = await once();
  const rejects = await readRejects(own, batch, 0, 10);
  assert.deepEqual(
    rejects.map((each) => [each.line, each.reason, each.column_name, each.value]),
    [
      [2, 'out_of_range', 'v', '9007199254740993'],
      [3, 'not_an_integer', 'v', '1.50'],
    ],
  );
  assert.deepEqual(
    rejects.map((each) => jsonLine(each).split(',"sluice_reject"')[0]),
    [lines[1]?.slice(0, -1), lines[2]?.slice(0, -1)],
  );
  const records = await database.query<{ source: string; row: string; target_id: number; status: string }>(
    'SELECT source_data::text AS source, target_id::int, status FROM sluice.migration_record WHERE batch_id = $1 ORDER BY number',
    [batch],
  );
  assert.deepEqual(
    records.map(({ target_id, status }) => [target_id, status]),
    [
      [1, 'success'],
      [null, 'error'],
      [null, 'error'],
      [4, 'success'],
    ],
  );
  const [shown] = await database.query<{ shown: string }>('SELECT $1::jsonb::text AS shown', [lines[0]]);
  assert.equal(records[0]?.source, shown?.shown);
  assert.match(records[0]?.source ?? '', /9007199254740993.*-83\.643987957933206/);
  // Once more: rows that are as they were are found by their keys, which records show as they were written.
  assert.deepEqual(
    await database.query(
      'SELECT status FROM sluice.migration_record WHERE batch_id = $1 AND line IN (1, 4) ORDER BY line',
      [await once()],
    ),
    [{ status: 'skipped' }, { status: 'skipped' }],
  );
});
