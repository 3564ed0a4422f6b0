import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HEAD_BYTES } from '../../src/sources/remote/remote-bytes.js';
import { sluice, startSluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { httpServer } from '../support/http-server.js';
import { until } from '../support/until.js';

async function place(t: TestContext) {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE pets (id int PRIMARY KEY, name text NOT NULL)');
  const cwd = tempFolder(t);
  const options = { cwd, env: { SLUICE_DATABASE_URL: database.url } };
  return {
    ...{ database, cwd, options, server: await httpServer(t) },
    copy: (...args: string[]) => sluice(['copy', ...args, '--into', 'pets', '--yes'], options),
  };
}

const rows = (from: number, count: number) =>
  `id,name\n${Array.from({ length: count }, (_, at) => `${from + at},pet number ${from + at}\n`).join('')}`;

/** Everything that a command has left: what it wrote into the ledger and its logs. */
async function left(database: Awaited<ReturnType<typeof place>>['database'], cwd: string): Promise<string> {
  const [ledger] = await database.query<{ text: string }>(
    `SELECT string_agg(b::text, ' ') || coalesce((SELECT string_agg(r::text, ' ') FROM sluice.migration_reject r), '') AS text
     FROM sluice.migration_batch b`,
  );
  const logs = join(cwd, '.sluice', 'logs');
  return `${ledger?.text} ${readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'))}`;
}

test('a file is copied from a URL with few requests, and is not loaded again while it is the same', async (t) => {
  const { database, server, copy } = await place(t);
  server.files.set('/pets.csv', { body: rows(1, 50_000), etag: '"v1"' });
  const url = `${server.origin}/pets.csv`;
  const first = await copy(url, '--mode', 'replace', '--json');
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(Object.values(JSON.parse(first.stdout).loaded), [50_000]);
  // The beginning, the end (for the ledger's record), and the rest.
  assert.ok(server.came.length <= 3, JSON.stringify(server.came.map(({ range }) => range)));
  const [batch] = await database.query<{ print: { touched: string; size: number }; path: string }>(
    `SELECT manifest #> '{inputs,file,print}' AS print, manifest #>> '{inputs,file,path}' AS path FROM sluice.migration_batch`,
  );
  assert.deepEqual([batch?.path, batch?.print.touched], [url, 'etag "v1"']);

  const again = await copy(url, '--mode', 'replace', '--json');
  assert.equal(JSON.parse(again.stdout).status, 'unchanged', again.stderr);
  server.files.set('/pets.csv', { body: rows(2, 50_000), etag: '"v2"' });
  const other = await copy(url, '--mode', 'replace', '--json');
  assert.equal(JSON.parse(other.stdout).status, 'completed', other.stderr);
  const [min] = await database.query<{ id: number }>('SELECT min(id) AS id FROM pets');
  assert.equal(min?.id, 2);
});

test('packed files are copied, with a table made of what is in them', async (t) => {
  const { database, server, options } = await place(t);
  server.files.set('/dogs.csv.gz', { body: gzipSync(rows(1, 20_000)), etag: '"v1"' });
  const { code, stderr } = await sluice(
    ['copy', `${server.origin}/dogs.csv.gz?year=2026`, '--into', 'dogs', '--create', '--yes'],
    options,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(await database.query('SELECT count(*)::int AS n, max(id) AS last FROM dogs'), [
    { n: 20_000, last: 20_000 },
  ]);
});

test('what changes while it is loaded is refused, and live is what it was', async (t) => {
  const { database, server, copy } = await place(t);
  await database.query("INSERT INTO pets VALUES (0, 'old')");
  server.files.set('/pets.csv', { body: rows(1, 100_000), etag: '"v1"' });
  server.fault = ({ headers }) => {
    if (headers.range !== `bytes=${HEAD_BYTES}-`) return undefined;
    server.files.set('/pets.csv', { body: rows(3, 100_000), etag: '"v2"' });
    server.fault = () => undefined;
    return { status: 503 };
  };
  const { code, stderr } = await copy(`${server.origin}/pets.csv`, '--mode', 'replace');
  assert.equal(code, 3, stderr);
  assert.match(stderr, /was changed while it was read/);
  assert.deepEqual(await database.query('SELECT name FROM pets'), [{ name: 'old' }]);
});

test('no password, token or signature is shown or kept, and the next step does without', async (t) => {
  const { database, cwd, server, copy } = await place(t);
  const secret = `http://me:hidden1@localhost:${server.port}/pets.csv?year=2026&token=hidden2#hidden3`;
  server.files.set('/pets.csv', { body: `${rows(1, 10)}x,bad\n`, etag: '"v1"' });
  const rejected = await copy(secret);
  assert.equal(rejected.code, 3, rejected.stderr);
  assert.equal(
    server.came[0]?.headers.authorization,
    `Basic ${Buffer.from('me:hidden1').toString('base64')}`,
  );
  assert.match(rejected.stderr, /copy 'http:\/\/localhost:\d+\/pets\.csv\?year=2026&…'.*--max-rejects/);
  assert.match(rejected.stderr, /left out.*~\/\.netrc/);
  const done = await copy(secret, '--max-rejects', '1', '--json');
  assert.equal(done.code, 4, done.stderr);
  server.fault = () => ({ status: 403 });
  const denied = await copy(secret);
  server.fault = () => ({ status: 401 });
  const unknown = await copy(secret);
  assert.match(unknown.stderr, /does not take the login of the URL/);
  const twice = await copy(secret, secret);
  const all = [rejected, done, denied, unknown, twice].map(({ stdout, stderr }) => stdout + stderr).join();
  assert.doesNotMatch(all, /hidden/);
  assert.doesNotMatch(await left(database, cwd), /hidden/);
  const missing = await copy(`${server.origin}/pets.csv?year=2026&…`);
  assert.match(missing.stderr, /is not the whole URL/);
});

test('a load that is killed is resumed with the parts that are missing alone', async (t) => {
  const { database, server, options } = await place(t);
  await database.query('CREATE TABLE names (id int, name text, sum int GENERATED ALWAYS AS (id + 1) STORED)');
  // Parts of 4 MiB; the fifth and what comes after it do not come at first.
  const body = Buffer.from(rows(1, 1_000_000));
  const stalled = 18 << 20;
  server.files.set('/names.csv', { body, etag: '"v1"' });
  server.fault = ({ headers }) => {
    const from = Number(/=(\d+)-$/.exec(headers.range ?? '')?.[1]);
    return !(from < stalled) ? undefined : { stallAfter: stalled - from };
  };
  const args = ['copy', `${server.origin}/names.csv`, '--into', 'names', '--mode', 'replace', '--yes'];
  const running = startSluice(args, options);
  const loaded = await until('two parts', async () => {
    const parts = await database
      .query<{ end: number }>('SELECT ends_at::float8 AS end FROM sluice.migration_part ORDER BY 1')
      .catch(() => []);
    return parts.length >= 2 ? parts : undefined;
  });
  running.child.kill('SIGKILL');
  await running.ended;
  const before = server.came.length;
  server.fault = () => undefined;
  const [batch] = await database.query<{ id: string }>('SELECT id FROM sluice.migration_batch');
  const { code, stderr } = await sluice([...args, '--resume', String(batch?.id)], options);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    await database.query('SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM names'),
    [{ n: 1_000_000, ids: 1_000_000 }],
  );
  // The last part that is loaded is read again and compared; what is before it is not.
  const asked = server.came.slice(before).map(({ range }) => Number(/=(\d+)-/.exec(range ?? '')?.[1] ?? 0));
  const last = loaded.at(-2)?.end as number;
  assert.ok(
    asked.every((from) => from === 0 || from >= last),
    `${asked} but for what ends at ${last}`,
  );
  const sent = server.came.slice(before).reduce((sum, each) => sum + each.sent, 0);
  assert.ok(sent < body.length - last + (2 << 20), `${sent} bytes of ${body.length}`);
  assert.match(stderr, /is read on at line/);
});
