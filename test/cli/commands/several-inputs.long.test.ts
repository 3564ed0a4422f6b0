import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ended, sluice, startSluice } from '../../support/cli.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { until } from '../../support/until.js';

const COLUMNS = ['id', 'amount', 'host'] as const;

/** Good rows of each input. */
const GOOD = 40;

/** Two CSV files of the same columns and one of JSON Lines, each into a table of its own. */
const PIPELINE = `
import { append, csv, flow, jsonl, pipeline } from 'sluice';
import { validate } from 'sluice/transforms';
const columns = ${JSON.stringify(COLUMNS)};
const sound = () => validate({ type: 'object', required: ['id'], properties: { amount: { type: 'integer', minimum: 0 } } });
export default pipeline({
  name: 'shop',
  summary: 'Three inputs.',
  inputs: { orders: csv('orders.csv', { columns }), returns: csv('returns.csv', { columns }), notes: jsonl('notes.jsonl', { columns }) },
  tables: { orders: append('orders', { columns }), returns: append('returns', { columns }), notes: append('notes', { columns }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.orders).through(sound()).into(tables.orders),
    flow(inputs.returns).through(sound()).into(tables.returns),
    flow(inputs.notes).through(sound()).into(tables.notes),
  ],
});
`;

/** Bad rows, one for each who may refuse it: the reader, the stage, the guard, the server. */
const bad = (from: number) => [
  `${from},1,10.0.0.1,ragged`,
  `${from + 1},-5,10.0.0.1`,
  `${from + 2}x,1,10.0.0.1`,
  `${from + 3},1,nowhere`,
];
const REASONS = ['minimum', 'not_an_integer', 'ragged_row', 'refused_by_server'];

const good = (from: number) => Array.from({ length: GOOD }, (_, i) => `${from + i},${i},10.0.0.${i}`);
const asJson = (line: string) => {
  const [id, amount, host, more] = line.split(',');
  // Cut off where the CSV line has a cell too many: no reader takes it.
  return more === undefined ? JSON.stringify({ id, amount, host }) : `{"id": "${id}", "amount"`;
};

/** The inputs' rows: good ones, and the bad ones in the middle. */
const rows = (from: number) => {
  const all = good(from);
  return [...all.slice(0, 20), ...bad(from + 500), ...all.slice(20)];
};

async function setUp(t: TestContext, more = '') {
  const database = await testDatabase(t);
  for (const table of ['orders', 'returns', 'notes'])
    await database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, amount integer, host inet)`);
  await database.query(more);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'shop.mjs'), PIPELINE);
  writeFileSync(join(cwd, 'orders.csv'), `${[COLUMNS.join(','), ...rows(1000)].join('\n')}\n`);
  writeFileSync(join(cwd, 'returns.csv'), `${[COLUMNS.join(','), ...rows(3000)].join('\n')}\n`);
  writeFileSync(join(cwd, 'notes.jsonl'), `${rows(5000).map(asJson).join('\n')}\n`);
  const options = { cwd, env: { DATABASE_URL: database.url } };
  return {
    database,
    cwd,
    run: (command: string): Promise<Ended> => sluice(command.split(' '), options),
    start: (command: string) => {
      const running = startSluice(command.split(' '), { ...options, input: '' });
      t.after(() => running.child.kill('SIGKILL'));
      return running;
    },
  };
}

const RUN = 'run ./shop.mjs --yes';

const counted = async (database: TestDatabase) => {
  const of = async (table: string) =>
    (
      await database.query<{ n: number; ids: number }>(
        `SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM ${table}`,
      )
    )[0];
  return [await of('orders'), await of('returns'), await of('notes')];
};
const each = (n: number) => Array.from({ length: 3 }, () => ({ n, ids: n }));

const rejects = (database: TestDatabase, batch: number) =>
  database.query<{ input: string; n: number; lines: number; reasons: string[] }>(
    `SELECT input, count(*)::int AS n, count(DISTINCT line)::int AS lines, array_agg(DISTINCT reason ORDER BY reason) AS reasons
     FROM sluice.migration_reject WHERE batch_id = ${batch} GROUP BY input ORDER BY input`,
  );

test('rejects of several inputs count together against --max-rejects, as a number and as a share', async (t) => {
  const { database, run } = await setUp(t);
  // 12 of 132.
  for (const [limit, code] of [
    ['11', 3],
    ['9%', 3],
    ['9.1%', 4],
  ] as const) {
    const ended = await run(`${RUN} --max-rejects ${limit}`);
    assert.equal(ended.code, code, ended.stderr);
    if (code === 3) assert.match(ended.stderr, /12 of 132 rows were rejected; (11|9%) may be/);
    else assert.match(ended.stderr, /rejected\s+12 rows/);
    assert.deepEqual(await counted(database), each(code === 3 ? 0 : GOOD));
  }
  const [notes, orders, returns] = await rejects(database, 3);
  assert.deepEqual(orders, { input: 'orders.csv', n: 4, lines: 4, reasons: REASONS });
  assert.deepEqual(returns, { input: 'returns.csv', n: 4, lines: 4, reasons: REASONS });
  const unread = REASONS.map((reason) => (reason === 'ragged_row' ? 'invalid_json' : reason)).sort();
  assert.deepEqual(notes, { input: 'notes.jsonl', n: 4, lines: 4, reasons: unread });
});

/** The rejects of an input as somebody corrects them; `from` as in `rows`. */
function corrected(path: string, from: number): void {
  const id = from + 500;
  const text = readFileSync(path, 'utf8')
    .replace(/^,,,/m, `${id},1,10.0.0.1,`)
    .replace("'-5", '5')
    .replace(`${id + 2}x`, `${id + 2}`)
    .replace('nowhere', '10.0.0.1');
  writeFileSync(path, text);
}

test('rejects of several inputs go into a file each, and corrected back to their own input, once', async (t) => {
  const { database, cwd, run } = await setUp(t);
  assert.equal((await run(`${RUN} --max-rejects 12`)).code, 4);
  for (const format of ['csv', 'jsonl']) {
    const which = await run(`rejects 1 --format ${format}`);
    assert.equal(which.code, 2);
    assert.equal(which.stdout, '');
    assert.match(which.stderr, /rejected rows of 3 inputs, each with its own columns/);
    assert.match(
      which.stderr,
      /--input returns {3}\(returns\.csv\)\n +or a file for each of them: sluice rejects 1 --format \w+ --into fixed/,
    );
  }
  const one = await run('rejects 1 --format csv --input returns');
  assert.deepEqual(
    one.stdout.split('\n').map((line) => line.split(',').toSpliced(3, 1).slice(0, 4).join(',')),
    [
      'id,amount,host,sluice_line',
      ',,,22',
      "3501,'-5,10.0.0.1,23",
      '3502x,1,10.0.0.1,24',
      '3503,1,nowhere,25',
      '',
    ],
  );
  assert.equal((await run('rejects 1 --format csv --input returns.csv')).stdout, one.stdout);
  const jsonl = await run('rejects 1 --format jsonl --input notes');
  assert.deepEqual(
    jsonl.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id),
    [undefined, '5501', '5502x', '5503'],
  );

  const into = await run('rejects 1 --into fixed');
  assert.equal(into.code, 0, into.stderr);
  assert.match(into.stderr, /4 rows of orders in fixed\/orders\.csv/);
  assert.match(
    into.stderr,
    /correct them, then:\n +next: sluice run \S+ --max-rejects 12 --source fixed --only-rejects-of 1 {3}\(resubmits them\)\n/,
  );
  assert.equal(readFileSync(join(cwd, 'fixed', 'returns.csv'), 'utf8'), one.stdout);
  const again = await run('rejects 1 --into fixed');
  assert.equal(again.code, 2);
  assert.match(again.stderr, /fixed\/\w+\.csv is there already, and may have been corrected/);
  rmSync(join(cwd, 'fixed', 'notes.csv'));
  assert.equal((await run('rejects 1 --into fixed')).code, 2);
  assert.equal(existsSync(join(cwd, 'fixed', 'notes.csv')), false, 'all files are made, or none');
  const other = await run('rejects 1 --input notes');
  assert.match(other.stderr, /reason +column +rows/);
  assert.equal((await run('rejects 1 --into fixed --input notes')).code, 0);

  // The columns are the same: only the reject's number tells whose row it is.
  for (const [file, from] of [
    ['orders', 1000],
    ['returns', 3000],
    ['notes', 5000],
  ] as const)
    corrected(join(cwd, 'fixed', `${file}.csv`), from);
  const wrong = await run(`${RUN} --input orders=fixed/returns.csv --only-rejects-of 1`);
  assert.equal(wrong.code, 3, wrong.stderr);
  assert.match(wrong.stderr, /reject \d+ is a row of the input returns, and is given to orders/);
  assert.deepEqual(await counted(database), each(GOOD));

  // Two of the three, with a row in each that is still wrong.
  const wronged = (file: string) => {
    const path = join(cwd, 'fixed', file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^(\d+),5,/m, '$1,-7,'));
  };
  wronged('orders.csv');
  wronged('notes.csv');
  const two = `${RUN} --input orders=fixed/orders.csv --input notes=fixed/notes.csv --only-rejects-of 1`;
  assert.match((await run(two)).stderr, /2 of 8 rows were rejected; none may be/);
  assert.equal((await run(`${two} --max-rejects 25%`)).code, 4);
  const of = (n: number) => ({ n, ids: n });
  assert.deepEqual(await counted(database), [of(GOOD + 3), of(GOOD), of(GOOD + 3)]);
  const all = await run(`${RUN} --source fixed --only-rejects-of 1`);
  assert.equal(all.code, 3, all.stderr);
  assert.match(all.stderr, /reject \d+ was resubmitted already, with batch 3/);
  assert.deepEqual(await counted(database), [of(GOOD + 3), of(GOOD), of(GOOD + 3)]);
  assert.equal((await run(`${RUN} --input returns=fixed/returns.csv --only-rejects-of 1`)).code, 0);

  // What the corrected files left has rejects of its own, each of its input.
  const second = await run('rejects 3 --into rest');
  assert.match(second.stderr, /1 row of notes in rest\/notes\.csv\n1 row of orders in rest\/orders\.csv\n/);
  for (const file of ['orders', 'notes']) {
    const path = join(cwd, 'rest', `${file}.csv`);
    writeFileSync(path, readFileSync(path, 'utf8').replace("'-7", '7'));
  }
  const rest = await run(`${RUN} --source rest --only-rejects-of 3`);
  assert.equal(rest.code, 0, rest.stderr);
  assert.deepEqual(await counted(database), each(GOOD + 4));
  for (const [table, from] of [
    ['orders', 1000],
    ['returns', 3000],
    ['notes', 5000],
  ] as const)
    assert.deepEqual(
      await database.query(
        `SELECT count(*)::int AS n FROM ${table} WHERE id NOT BETWEEN ${from} AND ${from + 999}`,
      ),
      [{ n: 0 }],
    );
});

test('rejects of several arrays of one document are told apart, and go back to their own input', async (t) => {
  const { database, cwd, run } = await setUp(t);
  const array = (from: number) => [
    ...good(from).map(asJson),
    '17',
    ...bad(from + 500)
      .slice(1)
      .map(asJson),
  ];
  writeFileSync(
    join(cwd, 'doc.json'),
    `{"orders": [${array(1000)}], "returns": [${array(3000)}], "notes": [${array(5000)}]}`,
  );
  const ended = await run(`${RUN} --source doc.json --max-rejects 12`);
  assert.equal(ended.code, 4, ended.stderr);
  assert.deepEqual(
    (await rejects(database, 1)).map(({ input, n }) => [input, n]),
    [
      ['doc.json (notes)', 4],
      ['doc.json (orders)', 4],
      ['doc.json (returns)', 4],
    ],
  );
  assert.equal((await run('rejects 1 --into fixed --format jsonl')).code, 0);
  for (const [file, from] of [
    ['orders', 1000],
    ['returns', 3000],
    ['notes', 5000],
  ] as const) {
    const path = join(cwd, 'fixed', `${file}.jsonl`);
    const given = readFileSync(path, 'utf8').trim().split('\n');
    const ids = given.map((line) => JSON.parse(line).id);
    assert.deepEqual(ids, [undefined, `${from + 501}`, `${from + 502}x`, `${from + 503}`]);
    const fixed = given.map((line, at) =>
      JSON.stringify({ ...JSON.parse(line), id: String(from + 500 + at), amount: '1', host: '10.0.0.1' }),
    );
    writeFileSync(path, fixed.join('\n'));
  }
  const fed = await run(`${RUN} --source fixed --only-rejects-of 1`);
  assert.equal(fed.code, 0, fed.stderr);
  assert.deepEqual(await counted(database), each(GOOD + 4));
});

test('a load of several inputs that is killed goes on with every reject of each, once', async (t) => {
  const BAD = 700;
  const { database, cwd, run, start } = await setUp(
    t,
    `CREATE FUNCTION taken(integer) RETURNS boolean LANGUAGE plpgsql AS
       $$ BEGIN IF $1 = 3039 THEN PERFORM pg_advisory_xact_lock_shared(77); END IF; RETURN true; END $$;
     CREATE DOMAIN taken_id AS integer CHECK (taken(VALUE));
     ALTER TABLE returns ALTER id TYPE taken_id`,
  );
  const many = (from: number) => {
    const all = rows(from);
    const wrong = Array.from({ length: BAD }, (_, i) => `${from + 100_000 + i},-1,10.0.0.1`);
    return [...all.slice(0, -1), ...wrong, ...all.slice(-1)];
  };
  writeFileSync(join(cwd, 'orders.csv'), `${[COLUMNS.join(','), ...many(1000)].join('\n')}\n`);
  writeFileSync(join(cwd, 'returns.csv'), `${[COLUMNS.join(','), ...many(3000)].join('\n')}\n`);
  writeFileSync(join(cwd, 'notes.jsonl'), `${many(5000).map(asJson).join('\n')}\n`);

  const holder = await database.connect();
  await holder.query('SELECT pg_advisory_lock(77)');
  const total = 3 * (BAD + 4);
  const running = start(`${RUN} --max-rejects ${total}`);
  await until('two inputs that are loaded, and a third that waits', async () => {
    assert.equal(running.child.exitCode, null, 'it was done before it could be killed');
    const [there] = await database.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_part') IS NOT NULL AS there",
    );
    if (there?.there !== true) return false;
    const [now] = await database.query<{ loaded: number; waits: number }>(
      `SELECT (SELECT count(*) FROM sluice.migration_segment)::int + (SELECT count(*) FROM sluice.migration_part)::int AS loaded,
              (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted)::int AS waits`,
    );
    return now?.loaded === 2 && now.waits === 1;
  });
  running.child.kill('SIGKILL');
  await running.ended;
  const before = await rejects(database, 1);
  assert.ok(
    before.some(({ n }) => n > 0),
    'some rejects were stored before',
  );
  await holder.query('SELECT pg_advisory_unlock(77)');

  const resumed = await run(`${RUN} --resume 1`);
  assert.equal(resumed.code, 4, resumed.stderr);
  assert.match(resumed.stderr, new RegExp(`rejected\\s+${total.toLocaleString('en')} rows`));
  assert.deepEqual(await counted(database), each(GOOD));
  const after = await rejects(database, 1);
  assert.deepEqual(
    after.map(({ input, n, lines }) => ({ input, n, lines })),
    ['notes.jsonl', 'orders.csv', 'returns.csv'].map((input) => ({ input, n: BAD + 4, lines: BAD + 4 })),
  );
  const [numbers] = await database.query<{ n: number }>(
    'SELECT count(DISTINCT number)::int AS n FROM sluice.migration_reject',
  );
  assert.deepEqual(numbers, { n: total });
});
