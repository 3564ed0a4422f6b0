import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Proposal, proposeTable } from '../../src/copy/create.js';
import { prepareCopy } from '../../src/copy/prepare.js';
import type { CopyRequest } from '../../src/copy/request.js';
import type { Look } from '../../src/copy/sample.js';
import { PgDatabase } from '../../src/db/connect.js';
import { ident } from '../../src/db/quote.js';
import { runPipeline } from '../../src/run/run.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { long } from '../support/long.js';
import { testRun } from '../support/run.js';

/** SLUICE_TEST_RUNS multiplies what is generated, for a long look. */
const COLUMNS = 300 * Number(process.env.SLUICE_TEST_RUNS ?? 1);

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: least, maxLength: most });
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''));
const one = (...texts: string[]) => fc.constantFrom(...texts);
const two = (least: number, greatest: number) =>
  fc.integer({ min: least, max: greatest }).map((n) => String(n).padStart(2, '0'));

const number = joined(
  one('', '', '', '-', '+', ' '),
  digits(0, 20),
  one('', '', '.'),
  digits(0, 5),
  one('', '', '', 'e3', ' '),
);
const date = joined(
  one('2026', '1999', '0001', '9999', '0000', '12026'),
  one('-', '-', '/'),
  two(0, 13),
  one('-'),
  two(0, 31),
);
const time = joined(
  two(0, 24),
  one(':'),
  two(0, 60),
  one('', ':00', ':59', ':60'),
  one('', '.5', '.50', '.000001', '.1234567', '.0'),
);
const moment = joined(
  date,
  one(' ', ' ', 'T'),
  time,
  one('', '', '+00', '+00', '+02', 'Z', '+00:00', ' UTC'),
);
const uuid = fc
  .uuid()
  .chain((text) => one(text, text, text.toUpperCase(), `{${text}}`, text.replaceAll('-', '')));
const json = fc.json().chain((text) => one(text, ` ${text}`, text.replaceAll(',', ', '), text.slice(1)));
const word = one(
  't',
  'f',
  'T',
  'F',
  'true',
  'false',
  'yes',
  'n',
  '1',
  '0',
  'NaN',
  'infinity',
  '\\x0a',
  '1 day',
  '',
);

/** What stands in columns of one kind as PostgreSQL writes it, so that every type has its turn. */
const OWN = [
  ['t', 'f'],
  ['1', '-2147483648'],
  ['9223372036854775807'],
  ['1.10', '0', '-12.000'],
  ['2026-02-28', '0001-01-01', '9999-12-31'],
  ['2026-02-28 23:59:59.999999', '2026-02-28 00:00:00'],
  ['2026-02-28 23:59:59.1+00'],
  ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['{"b": 1.0, "a": "\\u0000", "a": 1e5}', '[ ]'],
];

/** What stands in one column: texts that look alike, mostly. */
const column = fc.oneof(
  ...[number, date, moment, uuid, json, word, joined(digits(1, 9)), fc.string()].map((each) =>
    fc.array(each, { minLength: 1, maxLength: 4 }),
  ),
  fc.constantFrom(...OWN),
);

// COPY's text knows no other characters that a file may have and a column may not: those are rejects.
const storable = (text: string) => !text.includes('\0') && text.isWellFormed();

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

async function database(t: TestContext) {
  const test = await testDatabase(t);
  // The offset of timestamptz is that of the session that shows it.
  await test.query(`ALTER DATABASE ${ident(test.name)} SET TimeZone = 'UTC'`);
  const pg = new PgDatabase({ url: test.url, described: 'test', from: 'test' });
  t.after(() => pg.close());
  const folder = tempFolder(t);
  const run = testRun();
  const around = { database: pg, log: run.log, signal: run.signal };
  return {
    test,
    write(name: string, content: string) {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
    propose: async (request: CopyRequest, look?: Look) => {
      const proposal = await proposeTable(request, around, look);
      assert.ok(proposal !== undefined);
      return proposal;
    },
    async copy(request: CopyRequest, maxRejects = 0, proposal?: Proposal) {
      const prepared = await prepareCopy({ ...request, proposed: true }, around, proposal);
      try {
        return await runPipeline(prepared.pipeline, {
          ...around,
          from: prepared.from,
          maxRejects: { rows: maxRejects },
        });
      } finally {
        await prepared.release();
      }
    },
  };
}

/** What the server writes for every value of a table, by its types' output functions. */
async function written(test: TestDatabase, sql: string): Promise<(string | null)[][]> {
  const client = await test.connect();
  const { rows } = await client.query({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string | Buffer) => value } as never,
  });
  return rows as (string | null)[][];
}

long('whatever a file holds, the table that is proposed for it gives back the same texts', async (t) => {
  const { test, write, propose, copy } = await database(t);
  const types = new Set<string>();
  const columns = [...OWN, ...fc.sample(column, COLUMNS)]
    .map((values) => values.filter(storable))
    .filter((values) => values.length > 0);
  for (let from = 0; from < columns.length; from += 100) {
    const part = columns.slice(from, from + 100);
    const texts = Array.from({ length: 4 }, (_, row) => part.map((values) => values[row] ?? null));
    const lines = texts.map((row, at) =>
      [String(at), ...row.map((text) => (text === null ? '' : quoted(text)))].join(','),
    );
    const header = ['n', ...part.map((_, at) => `c${at}`)].join(',');
    const file = write(`${from}.csv`, `${header}\n${lines.join('\n')}\n`);
    const request: CopyRequest = { files: [file], into: `t${from}` };
    const proposal = await propose(request);
    await copy(request, 0, proposal);
    for (const { type } of proposal.columns) types.add(type);
    const back = await written(test, `SELECT * FROM t${from} ORDER BY n`);
    for (const [at, { name, type }] of proposal.columns.slice(1).entries())
      assert.deepEqual(
        back.map((row) => row[at + 1]),
        texts.map((row) => row[at]),
        `${name} ${type}`,
      );
  }
  assert.deepEqual(
    [...types].sort(),
    [
      'bigint',
      'boolean',
      'date',
      'integer',
      'json',
      'numeric',
      'text',
      'timestamp',
      'timestamptz',
      'uuid',
    ].sort(),
  );
});

test('a value behind those that were looked at is loaded as it is, or is a reject', async (t) => {
  const { test, write, copy } = await database(t);
  const bases = [
    'boolean',
    'integer',
    'bigint',
    'numeric',
    'date',
    'timestamp',
    'timestamptz',
    'uuid',
    'json',
  ];
  await test.query(
    `CREATE TABLE late (n integer, ${bases.map((type, at) => `c${at} ${type}`).join(', ')}, x text)`,
  );
  const texts = fc.sample(column, COLUMNS).flat().filter(storable);
  const all = [...texts, 'T', '007', '1e5', ' 12 ', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '20260228'];
  const lines = all.flatMap((text, at) =>
    bases.map((_, to) => {
      const cells = bases.map((_, each) => (each === to ? quoted(text) : ''));
      return `${at * bases.length + to},${cells.join(',')},${quoted(text)}`;
    }),
  );
  const header = `n,${bases.map((_, at) => `c${at}`).join(',')},x`;
  const file = write('late.csv', `${header}\n${lines.join('\n')}\n`);
  const { summary, rejects } = await copy({ files: [file], into: 'late' }, lines.length);
  const back = await written(test, 'SELECT * FROM late');
  for (const row of back) {
    const values = row.slice(1, -1).filter((value) => value !== null);
    assert.deepEqual(values, [row.at(-1)], `as ${bases[row.slice(1).findIndex((value) => value !== null)]}`);
  }
  assert.equal(back.length + summary.rejected, lines.length);
  assert.ok(back.length > 100, `only ${back.length} rows were loaded`);
  assert.ok(rejects.some(({ reason }) => reason === 'would_change'));
});

test('of a file that is looked at in part, later values that do not fit or would change are rejects', async (t) => {
  const { test, write, propose, copy } = await database(t);
  const file = write('late.csv', 'n,flag\n1,t\n2,f\nx,t\n4,T\n5,\n6,f\n');
  const request: CopyRequest = { files: [file], into: 'late' };
  const proposal = await propose(request, { rows: 2, values: 0 });
  const { columns, sampled, complete } = proposal;
  assert.deepEqual([columns.map(({ type }) => type), sampled, complete], [['integer', 'boolean'], 2, false]);
  const { rejects } = await copy(request, 2, proposal);
  assert.deepEqual(
    rejects.map(({ line, reason, column_name, value }) => [Number(line), reason, column_name, value]).sort(),
    [
      [4, 'not_an_integer', 'n', 'x'],
      [5, 'would_change', 'flag', 'T'],
    ],
  );
  assert.deepEqual(await written(test, 'SELECT * FROM late ORDER BY n'), [
    ['1', 't'],
    ['2', 'f'],
    ['5', null],
    ['6', 'f'],
  ]);
});

test('JSON says itself what its values are, and a later one of another kind is not changed', async (t) => {
  const { test, write, propose, copy } = await database(t);
  const rows = [
    { n: 1, flag: true, day: '2026-02-28', doc: { a: [1] }, mixed: 'x' },
    { n: 2.5, flag: false, day: null, doc: 'text', mixed: 7 },
    // Each of these is taken by its type, and would be changed.
    { n: 3, flag: 1 },
    { n: 4, day: 20260228 },
    { n: 5, flag: 'true' },
  ];
  const file = write('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  const request: CopyRequest = { files: [file], into: 'typed' };
  const proposal = await propose(request, { rows: 2, values: 0 });
  assert.deepEqual(
    proposal.columns.map(({ type }) => type),
    ['numeric', 'boolean', 'date', 'jsonb', 'text'],
  );
  const { rejects } = await copy(request, 3, proposal);
  assert.deepEqual(rejects.map(({ line, reason }) => [Number(line), reason]).sort(), [
    [3, 'would_change'],
    [4, 'would_change'],
    [5, 'would_change'],
  ]);
  assert.deepEqual(await written(test, 'SELECT * FROM typed ORDER BY n'), [
    ['1', 't', '2026-02-28', '{"a": [1]}', 'x'],
    ['2.5', 'f', null, '"text"', '7'],
  ]);
});
