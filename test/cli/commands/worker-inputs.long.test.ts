import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Running } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { httpServer } from '../../support/http-server.js';
import { s3Server } from '../../support/s3-server.js';
import { sqliteFile } from '../../support/sqlite.js';
import { holds, processes } from '../../support/workers.js';

const ROWS = 60_000;

const TABLES = 'CREATE TABLE things (id integer PRIMARY KEY, name text, process integer)';

/** Rows of some hundred bytes, of which there are several parts. */
const OLD = `CREATE TABLE old_things (id integer PRIMARY KEY, name text);
INSERT INTO old_things SELECT n, repeat('x', 300) FROM generate_series(1, ${ROWS}) n;
ANALYZE old_things`;

const CSV = `id,name\n${Array.from({ length: ROWS }, (_, i) => `${i + 1},${'x'.repeat(300)}\n`).join('')}`;

/** Writes a pipeline that loads things out of `source` and says which process did it; held at row 40,000 where it is to be. */
function written(cwd: string, source: string, more = ''): string {
  const path = join(cwd, 'things.ts');
  writeFileSync(
    path,
    `import { append, csv, flow, pipeline, query, replace, sqlite, stateless } from 'sluice';
import { map } from 'sluice/transforms';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
export default pipeline({
  name: 'things',
  summary: 'Things.',
  inputs: { old: ${source} },
  tables: { things: append('things', { columns: ['id', 'name', 'process'] }), ${more} },
  flows: ({ inputs, tables }) => [
    flow(inputs.old)
      .through(${holds(40_000)} stateless(map((row) => ({ ...row, process: process.pid }), 'process')))
      .into(tables.things),
  ],
});
`,
  );
  return path;
}

async function fleet(t: TestContext, source: string, sql = '', env: Readonly<Record<string, string>> = {}) {
  const database = await testDatabase(t);
  await database.query(`${TABLES}; ${sql}`);
  const cwd = tempFolder(t);
  const path = written(cwd, source);
  return {
    database,
    ...processes(t, { cwd, path, env: { SLUICE_DATABASE_URL: database.url, ...env } }),
    /** Rows, those that are as they were in the beginning, and the processes that have loaded some. */
    async loaded() {
      const [all] = await database.query<{ n: number; same: number; by: number[] }>(
        `SELECT count(*)::int AS n, count(*) FILTER (WHERE name = repeat('x', 300))::int AS same, array_agg(DISTINCT process) AS by FROM things`,
      );
      return all;
    },
  };
}

const QUERY =
  "query('SELECT id, name FROM old_things', { name: 'old_things', columns: ['id', 'name'], sqlite: { table: 'old_things' } })";
const SQLITE = (path: string) => `sqlite('${path}', { table: 'old_things', columns: ['id', 'name'] })`;

/** The run is over, and two workers have each loaded some of all rows. */
async function assertShared(
  world: Awaited<ReturnType<typeof fleet>>,
  workers: readonly Running[],
  ended: Promise<{ readonly code: number | null; readonly stderr: string }>,
) {
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(await world.loaded(), {
    n: ROWS,
    same: ROWS,
    by: workers.map(({ child }) => child.pid).toSorted((a, b) => Number(a) - Number(b)),
  });
}

for (const [how, source, sql] of [
  ['by where rows lie', QUERY, OLD],
  ['by a key', QUERY.replace('{ ', "{ partBy: 'id', "), OLD],
] as const)
  test(`a query that is cut ${how} is read by workers in the one state that the run has seen`, async (t) => {
    const world = await fleet(t, source, sql);
    world.hold();
    const workers = [await world.worker(), await world.worker()];
    const running = world.run('--guard', 'off');
    await world.held();
    await world.database.query(
      `UPDATE old_things SET name = 'new'; INSERT INTO old_things VALUES (${ROWS + 1}, 'new')`,
    );
    world.release();
    await assertShared(world, workers, running.ended);
  });

test('the state that a query is read in is gone with the session that held it: the run says so', async (t) => {
  const world = await fleet(t, QUERY, OLD);
  world.hold();
  await world.worker();
  const running = world.run();
  await world.held();
  const ended = await world.database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%sluice snapshot'",
  );
  assert.equal(ended.length, 1);
  // Who reads it already has that state; whoever comes does not get it.
  await world.worker();
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 1, stderr);
  assert.equal(JSON.parse(stdout).error.code, 'snapshot_gone', stderr);
  assert.deepEqual(await world.database.query('SELECT FROM things'), []);
});

const IN_SQLITE = `CREATE TABLE old_things (id INTEGER PRIMARY KEY, name TEXT);
WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${ROWS})
INSERT INTO old_things SELECT n, replace(hex(zeroblob(150)), '0', 'x') FROM n`;

test('a table of an SQLite file is read by workers in ranges of its row numbers', async (t) => {
  const world = await fleet(t, SQLITE(sqliteFile(t, IN_SQLITE)));
  world.hold();
  const workers = [await world.worker(), await world.worker()];
  const running = world.run();
  await world.held();
  world.release();
  await assertShared(world, workers, running.ended);
});

test('a worker to which another SQLite file stands at the path leaves the parts to others', async (t) => {
  const path = sqliteFile(t, IN_SQLITE);
  const world = await fleet(t, SQLITE(path));
  world.hold();
  const running = world.run();
  await running.said('loading staging');
  const other = sqliteFile(t, IN_SQLITE.replaceAll("'x'", "'y'"));
  copyFileSync(other, path);
  await world.worker();
  await running.said('has left a part: ');
  running.child.kill('SIGTERM');
  const { stderr } = await running.ended;
  assert.match(stderr, /has another content|was written at/);
});

test('what is at a URL is read by workers by its ranges', async (t) => {
  const server = await httpServer(t);
  server.files.set('/things.csv', { body: CSV, etag: '"one"' });
  const world = await fleet(t, `csv('${server.origin}/things.csv', { columns: ['id', 'name'] })`);
  world.hold();
  const workers = [await world.worker(), await world.worker()];
  const running = world.run();
  await world.held();
  world.release();
  await assertShared(world, workers, running.ended);
  // Who cuts it reads all of it, and who reads a part no more than that, of the version that was cut.
  const parts = server.came.filter(({ range = '' }) => /^bytes=[1-9]\d{6,}-/.test(range));
  assert.ok(parts.length > 0);
  assert.ok(
    parts.every(({ headers, sent }) => headers['if-match'] === '"one"' && sent < CSV.length / 2),
    JSON.stringify(parts),
  );
});

test('what is at a URL is another version by now: the worker reads none of it, and the run says so', async (t) => {
  const server = await httpServer(t);
  server.files.set('/things.csv', { body: CSV, etag: '"one"' });
  const world = await fleet(t, `csv('${server.origin}/things.csv', { columns: ['id', 'name'] })`);
  world.hold();
  await world.worker();
  const running = world.run();
  await world.held();
  server.files.set('/things.csv', { body: CSV.replaceAll('x', 'y'), etag: '"two"' });
  world.release();
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 3, stderr);
  assert.equal(JSON.parse(stdout).error.code, 'changed_while_read', stderr);
});

test('an object of S3 is read by workers', async (t) => {
  const put = await s3Server(t);
  await put('things.csv', CSV);
  const aws = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'));
  const world = await fleet(
    t,
    "csv('s3://exports/things.csv', { columns: ['id', 'name'] })",
    '',
    Object.fromEntries(aws) as Record<string, string>,
  );
  world.hold();
  const workers = [await world.worker(), await world.worker()];
  const running = world.run();
  await world.held();
  world.release();
  await assertShared(world, workers, running.ended);
});

test('what workers cannot load the host does that began the batch, and says why', async (t) => {
  const world = await fleet(t, "csv('things.csv', { columns: ['id', 'name'] })");
  writeFileSync(join(world.cwd, 'things.csv'), CSV);
  await world.worker();
  const limited = await world.run('--limit', '10', '--rehearse').ended;
  assert.equal(limited.code, 0, limited.stderr);
  assert.match(limited.stderr, /things\.csv is loaded by this host alone: only its first rows are wanted/);
  writeFileSync(join(world.cwd, 'things.csv.gz'), gzipSync(CSV));
  const packed = await world.run('--source', 'things.csv.gz').ended;
  assert.equal(packed.code, 0, packed.stderr);
  assert.match(
    packed.stderr,
    /things\.csv\.gz is loaded by this host alone: it can only be read from its beginning/,
  );
  assert.deepEqual((await world.loaded())?.n, ROWS);
});

test('a plan says which inputs workers would load in which parts, and why others not', async (t) => {
  const world = await fleet(t, QUERY, OLD);
  const read = async (...args: string[]) => {
    const { code, stdout, stderr } = await world.start('plan', world.path, '--workers', '--json', ...args)
      .ended;
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).inputs[0].read;
  };
  writeFileSync(join(world.cwd, 'things.csv'), CSV);
  writeFileSync(join(world.cwd, 'things.csv.gz'), gzipSync(CSV));
  assert.match(await read(), /^in \d+ parts by where rows lie in public\.old_things, by workers$/);
  assert.equal(await read('--source', 'things.csv'), 'in parts of some MiB of its text, by workers');
  assert.match(
    await read('--source', 'things.csv.gz'),
    /^in parts of some MiB of its text, \d at a time, by the host that begins the batch: it can only be read from its beginning on/,
  );
  assert.match(
    await read('--source', '-'),
    /^in parts of some MiB of its text, \d at a time, by the host that begins the batch: it can only be read/,
  );
  assert.match(
    await read('--source', sqliteFile(t, IN_SQLITE)),
    /^in \d+ parts by the row numbers of old_things, by workers$/,
  );
});
