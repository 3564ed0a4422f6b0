import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { MAIN, sluice, startSluice } from '../support/cli.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { testRole } from '../support/role.js';
import { until } from '../support/until.js';

/** A column of every kind, with what is hard to write. */
const TYPES = `CREATE TYPE mood AS ENUM ('sad', 'so, so', ''); CREATE DOMAIN few AS integer CHECK (VALUE < 10);
  CREATE TABLE all_types (
  id integer PRIMARY KEY, big bigint, price numeric(10,2), "any number" numeric, half real, wide double precision,
  "text" text, code varchar(10), fixed char(4), flag boolean, day date, at timestamp, seen timestamptz, clock time,
  long interval, bytes bytea, uid uuid, doc json, docb jsonb, tags text[], area int4range, ip inet, xml xml, bits bit(3),
  mood mood, few few, grid integer[], prices numeric[], times timestamptz[], blobs bytea[], during tstzrange,
  slots int4multirange, moods mood[])`;
const ROWS = String.raw`INSERT INTO all_types VALUES
  (1, 9223372036854775807, 12345678.90, 1e-30, 0.1, 1e308, E'line\none,"two"\t\\N', 'é', 'a', true, '2024-02-29',
   '2024-01-02 03:04:05.123456', '2024-01-02 03:04:05.5+02', '23:59:59.999999', '1 year 2 days 03:04:05', '\xdeadbeef',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', E'{"a": 1,\n "b": "x\\ny"}', '{"n": 9007199254740993, "f": 1.10}', '{a,"b,c",NULL}',
   '[1,5)', '10.0.0.1/8', '<a>1</a>', '101',
   'so, so', 9, '{{1,2},{3,NULL}}', '{1.10,NULL,NaN}', '{2024-01-02 03:04:05.5+02}', '{"\\xdead",NULL}', '[2024-01-02 03:04:05+02,)',
   '{[1,3),[5,9)}', '{sad,"so, so",""}'),
  (2, -1, -0.05, 'NaN', 'Infinity', '-Infinity', '', '', '', false, '9999-12-31', '1969-12-31 23:59:59', '1969-12-31 23:59:59+00', '00:00', '-1 mon', '\x',
   '00000000-0000-0000-0000-000000000000', 'null', '[]', '{}', 'empty', '::1', '', '000',
   '', -1, '{}', '{}', '{}', '{}', 'empty', '{}', '{}'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 0, 0, 0, 0, 0, '\.', 'x', 'abcd', true, '0001-01-01', '0001-01-01 00:00:00', '2024-06-01 00:00:00+00', '12:00', '0', '\x00',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '"q"', '"q"', '{""}', '(,5]', '0.0.0.0', 'plain', '111',
   'sad', 0, '[0:1]={7,8}', '{-Infinity,1e-30}', '{infinity}', '{"\\x"}', '(,infinity]', '{(,)}', '{NULL}')`;

const asText = async (database: TestDatabase, table = 'all_types') =>
  (await database.query<{ line: string }>(`SELECT t::text AS line FROM ${table} t ORDER BY id`)).map(
    ({ line }) => line,
  );

async function withTypes(t: Parameters<typeof testDatabase>[0]): Promise<TestDatabase> {
  const database = await testDatabase(t);
  await database.query(TYPES);
  await database.query(ROWS);
  return database;
}

/** `sluice export … | sluice copy - …`, as a shell runs it. */
async function piped(cwd: string, from: readonly string[], to: readonly string[]): Promise<void> {
  const env = { PATH: process.env.PATH ?? '', HOME: cwd };
  const out = spawn(process.execPath, [MAIN, 'export', ...from], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  out.stderr.on('data', (more) => {
    said += more;
  });
  const into = spawn(process.execPath, [MAIN, 'copy', '-', ...to, '--yes'], {
    cwd,
    env,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  out.stdout.pipe(into.stdin);
  into.stderr.on('data', (more) => {
    said += more;
  });
  const [[left], [right]] = await Promise.all([once(out, 'close'), once(into, 'close')]);
  assert.deepEqual([left, right], [0, 0], said);
}

for (const format of ['csv', 'jsonl'] as const)
  test(`what is exported as ${format} and copied into a table of another database is the same, of every type`, async (t) => {
    const [one, two] = [await withTypes(t), await testDatabase(t)];
    // JSON has one null, blanks between its tokens mean nothing, and its arrays begin where they begin.
    if (format === 'jsonl')
      await one.query(
        `UPDATE all_types SET doc = CASE id WHEN 1 THEN '{"a":1,"b":"x\\ny"}'::json END WHERE id < 3;
         UPDATE all_types SET grid = '{7,8}' WHERE id = 4`,
      );
    await two.query(TYPES);
    const cwd = tempFolder(t);
    await piped(
      cwd,
      ['all_types', '--format', format, '--database-url', one.url],
      ['--format', format, '--into', 'all_types', '--database-url', two.url],
    );
    assert.deepEqual(await asText(two), await asText(one));
  });

test('a Parquet file has the values with their types, and NULL', async (t) => {
  const database = await testDatabase(t);
  await database.query(TYPES);
  await database.query(`${ROWS.replaceAll("'NaN'", '2').replaceAll("'-Infinity'", '0')}`);
  const cwd = tempFolder(t);
  const ended = await sluice(
    ['export', 'all_types', '--into', 'all.parquet', '--database-url', database.url],
    { cwd },
  );
  assert.equal(ended.code, 0, ended.stderr);
  const file = await asyncBufferFromFile(join(cwd, 'all.parquet'));
  const rows = await parquetReadObjects({ file, utf8: false });
  assert.equal(rows.length, 4);
  const [first, second, third] = rows;
  assert.equal(first?.big, 9223372036854775807n);
  assert.equal(first?.price, 12345678.9);
  assert.equal(first?.['any number'], '0.000000000000000000000000000001');
  assert.equal(first?.text, 'line\none,"two"\t\\N');
  assert.equal(first?.flag, true);
  assert.deepEqual(first?.day, new Date('2024-02-29'));
  assert.equal(new Date(first?.seen).toISOString(), '2024-01-02T01:04:05.500Z');
  assert.deepEqual(Buffer.from(first?.bytes as Uint8Array), Buffer.from('deadbeef', 'hex'));
  assert.equal(first?.uid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
  assert.equal(second?.price, -0.05);
  assert.equal(second?.half, Number.POSITIVE_INFINITY);
  assert.equal(second?.text, '');
  assert.deepEqual(
    Object.entries(third ?? {}).filter(([, value]) => value !== null && value !== undefined),
    [['id', 3]],
  );
});

test('a value that Parquet cannot have is named, and no file is left', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  const ended = await sluice(
    [
      'export',
      '--query',
      `SELECT 1 AS id, 'infinity'::date AS due`,
      '--into',
      'x.parquet',
      '--database-url',
      database.url,
    ],
    { cwd },
  );
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /column due \(date\): Parquet has no such value as infinity/);
  assert.deepEqual(readdirSync(cwd), []);
});

test('files of so many rows are cut between rows, also where values hold line ends', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `CREATE TABLE notes AS SELECT g AS id, E'a\\n"b"\\n' || repeat('x', g % 700) AS note FROM generate_series(1, 2500) g`,
  );
  const cwd = tempFolder(t);
  const ended = await sluice(
    [
      'export',
      'notes',
      '--into',
      'out/n-%n.csv.gz',
      '--rows-per-file',
      '1000',
      '--json',
      '--database-url',
      database.url,
    ],
    { cwd },
  );
  assert.equal(ended.code, 0, ended.stderr);
  const said = JSON.parse(ended.stdout) as { rows: number; files: { path: string; rows: number }[] };
  assert.equal(said.rows, 2500);
  assert.deepEqual(
    said.files.map(({ path, rows }) => [path, rows]),
    [
      ['out/n-001.csv.gz', 1000],
      ['out/n-002.csv.gz', 1000],
      ['out/n-003.csv.gz', 500],
    ],
  );
  await database.query('CREATE TABLE again (LIKE notes)');
  for (const { path } of said.files) {
    assert.match(gunzipSync(readFileSync(join(cwd, path))).toString(), /^id,note\n/);
    const copied = await sluice(['copy', path, '--into', 'again', '--yes', '--database-url', database.url], {
      cwd,
    });
    assert.equal(copied.code, 0, copied.stderr);
  }
  const [differ] = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM (SELECT * FROM notes EXCEPT SELECT * FROM again) d`,
  );
  assert.deepEqual([differ?.n, (await database.query('SELECT FROM again')).length], [0, 2500]);
});

test('where a query fails in the midst of its rows, no file is there, not even those that were whole', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  const query = 'SELECT g AS id, 1 / (5000 - g) AS x FROM generate_series(1, 9000) g';
  const ended = await sluice(
    [
      'export',
      '--query',
      query,
      '--into',
      'out-%n.csv',
      '--rows-per-file',
      '1000',
      '--database-url',
      database.url,
    ],
    { cwd },
  );
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /division by zero/);
  assert.deepEqual(readdirSync(cwd), []);
});

test('all tables are of one snapshot', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `CREATE TABLE late (id integer); CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(1.5)::text AS nothing`,
  );
  const cwd = tempFolder(t);
  const running = startSluice(
    ['export', 'slow', 'late', '--into', '%t.csv', '--database-url', database.url],
    { cwd, input: '' },
  );
  await until('it reads the first table', async () => {
    const busy = await database.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%slow%' AND state = 'active'`,
    );
    return busy.length > 0;
  });
  await database.query('INSERT INTO late VALUES (7)');
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(readFileSync(join(cwd, 'late.csv'), 'utf8'), 'id\n');
});

test('a reader of stdout that has had enough is no failure, and the query is stopped', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'export',
      '--query',
      'SELECT g AS id FROM generate_series(1, 100000000) g',
      '--database-url',
      database.url,
    ],
    { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  await until('its session is gone', async () => {
    const left = await database.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sluice export%'`,
    );
    return left.length === 0;
  });
});

test('a signal stops it: no file is left, and the exit code says so', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  const running = startSluice(
    [
      'export',
      '--query',
      'SELECT g AS id FROM generate_series(1, 100000000) g',
      '--into',
      'x.csv',
      '--database-url',
      database.url,
    ],
    { cwd, input: '' },
  );
  await until('the file is begun', async () => readdirSync(cwd).length > 0);
  running.child.kill('SIGTERM');
  const ended = await running.ended;
  assert.equal(ended.code, 130, ended.stderr);
  assert.deepEqual(readdirSync(cwd), []);
});

test('a file that is there is not written over unasked, nor one that would be among the numbered ones', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t AS SELECT 1 AS id, 2 AS n');
  const cwd = tempFolder(t);
  mkdirSync(join(cwd, 'out'));
  writeFileSync(join(cwd, 'out', 't.csv'), 'mine');
  writeFileSync(join(cwd, 'out', 't-004.csv'), 'mine');
  const run = (...args: string[]) =>
    sluice(['export', 't', ...args, '--database-url', database.url], { cwd });
  for (const args of [
    ['--into', 'out'],
    ['--into', 'out/%t.csv'],
    ['--into', 'out/t-%n.csv', '--rows-per-file', '9'],
  ]) {
    const refused = await run(...args);
    assert.equal(refused.code, 2, args.join(' '));
    assert.match(refused.stderr, /is there already[\s\S]*--overwrite/);
  }
  assert.equal((await run('--into', 'out', '--overwrite')).code, 0);
  assert.equal(readFileSync(join(cwd, 'out', 't.csv'), 'utf8'), 'id,n\n1,2\n');
  assert.equal(readFileSync(join(cwd, 'out', 't-004.csv'), 'utf8'), 'mine');
});

test('generated columns are left out and named, as nothing could load them, unless they are asked for', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE t (id integer, twice integer GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO t VALUES (2)',
  );
  const cwd = tempFolder(t);
  const run = (...args: string[]) =>
    sluice(['export', 't', ...args, '--database-url', database.url], { cwd });
  const plain = await run();
  assert.equal(plain.stdout, 'id\n2\n');
  assert.match(plain.stderr, /generated from others: twice/);
  assert.equal((await run('--columns', 'twice,id')).stdout, 'twice,id\n4,2\n');
});

test('a partitioned table gives the rows of its partitions, an empty one a header', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `CREATE TABLE p (id integer, x text) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1, NULL); CREATE TABLE none (id integer, x text)`,
  );
  const cwd = tempFolder(t);
  const run = (table: string) => sluice(['export', table, '--database-url', database.url], { cwd });
  assert.equal((await run('p')).stdout, 'id,x\n1,\n');
  assert.equal((await run('none')).stdout, 'id,x\n');
});

test('in CSV of one column a NULL is written in letters, since an empty line is no row', async (t) => {
  const [one, two] = [await testDatabase(t), await testDatabase(t)];
  await one.query(`CREATE TABLE c AS SELECT * FROM (VALUES ('a'), (NULL), ('')) v (x)`);
  await two.query('CREATE TABLE c (x text)');
  const cwd = tempFolder(t);
  await piped(
    cwd,
    ['c', '--database-url', one.url],
    ['--null', '\\N', '--into', 'c', '--database-url', two.url],
  );
  assert.deepEqual(await two.query('SELECT x FROM c'), [{ x: 'a' }, { x: null }, { x: '' }]);
});

test('where a policy would hide rows the export is refused, and names it', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `CREATE TABLE secret AS SELECT 1 AS id; ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
     CREATE POLICY own ON secret USING (false)`,
  );
  const role = await testRole(t);
  await database.query(`ALTER ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON secret TO ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'x';
  const cwd = tempFolder(t);
  const ended = await sluice(['export', 'secret', '--database-url', url.href], { cwd });
  assert.equal(ended.code, 3, ended.stderr);
  assert.match(ended.stderr, /policy own/);
  assert.equal(ended.stdout, '');
});

test('a column called like the whole row, and one that shadows a function, are exported as JSON', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `CREATE TABLE odd ("row" integer, row_to_json text, "a""b" text); INSERT INTO odd VALUES (1, 'x', 'y')`,
  );
  const ended = await sluice(['export', 'odd', '--format', 'jsonl', '--database-url', database.url], {
    cwd: tempFolder(t),
  });
  assert.equal(ended.stdout, '{"row":1,"row_to_json":"x","a\\"b":"y"}\n');
});

test('what is JSON within a line has no line end of its own, and rows of it are lines', async (t) => {
  const database = await withTypes(t);
  const ended = await sluice(['export', 'all_types', '--format', 'jsonl', '--database-url', database.url], {
    cwd: tempFolder(t),
  });
  const rows = ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { doc: unknown });
  assert.deepEqual(
    rows.map(({ doc }) => doc),
    [{ a: 1, b: 'x\ny' }, null, null, 'q'],
  );
});

test('flags that do not go together are told before anything is read', async (t) => {
  const cwd = tempFolder(t);
  for (const [args, why] of [
    [[], /name tables, or give a query/],
    [['a', '--query', 'SELECT 1'], /name tables, or give a query/],
    [['a', 'b'], /cannot be told apart/],
    [['a', 'b', '--into', 'x.csv'], /one file, and there are several/],
    [['a', '--into', 'x-%n.csv'], /how many rows one has/],
    [['a', '--rows-per-file', '5'], /the data goes to stdout/],
    [['a', '--into', 'x.parquet.gz'], /compressed inside/],
    [['a', '--format', 'jsonl', '--delimiter', ';'], /of CSV/],
    [['a', '--delimiter', 'xx'], /one character/],
    [['a', '--json'], /where the data goes/],
  ] as const) {
    const ended = await sluice(['export', ...args, '--database-url', 'postgres://localhost:1/none'], { cwd });
    assert.equal(ended.code, 2, args.join(' '));
    assert.match(ended.stderr, why);
  }
});
