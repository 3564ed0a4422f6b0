import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sluice, startSluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { leftSchemas } from '../../support/lots.js';
import { HOSTS, type Written, writePipeline } from '../../support/threaded.js';
import { until } from '../../support/until.js';

/** In parts of 4 MiB, of which there are three. */
const ROWS = 20_000;

const TEXT = `id,name,address\n${Array.from({ length: ROWS }, (_, i) => `${i},${'x'.repeat(500)},10.0.0.1\n`).join('')}`;

async function world(t: TestContext, written?: Written) {
  const database = await testDatabase(t);
  await database.query(HOSTS);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'hosts.csv'), TEXT);
  const path = writePipeline(cwd, written);
  return { database, path, options: { cwd, env: { SLUICE_DATABASE_URL: database.url } } };
}

const COUNT = 'SELECT count(*)::int AS n, min(thread) > 0 AS elsewhere FROM hosts';

test('what is piped in is cut by the main thread and loaded by others', async (t) => {
  const { database, path, options } = await world(t);
  const args = ['run', path, '--source', '-', '--threads', '2', '--yes', '--json'];
  const { code, stderr, stdout } = await sluice(args, { ...options, input: TEXT });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).read, ROWS);
  assert.deepEqual(await database.query(COUNT), [{ n: ROWS, elsewhere: true }]);
});

test('a stage that reads stdin is no stage for a thread', async (t) => {
  const { path, options } = await world(t, {
    stages: `stateless(lookup({ from: csv('-'), key: 'address', take: { name: 'name' } })),`,
    more: "import { lookup } from 'sluice/transforms';",
  });
  const args = ['run', path, '--threads', '1', '--yes'];
  const { code, stderr } = await sluice(args, { ...options, input: 'address,name\n10.0.0.1,home\n' });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /stdin can be read by the main thread alone/);
});

test('a copy of JSON Lines is loaded by threads that make its pipeline again', async (t) => {
  const { database, options } = await world(t);
  const lines = Array.from({ length: ROWS }, (_, i) => JSON.stringify({ id: i, name: 'x'.repeat(500) }));
  writeFileSync(join(options.cwd, 'hosts.jsonl'), lines.join('\n'));
  const args = ['copy', 'hosts.jsonl', '--into', 'hosts', '--threads', '2', '--yes', '--json'];
  const { code, stderr, stdout } = await sluice(args, options);
  assert.equal(code, 0, stderr);
  assert.ok(!/without threads/.test(stderr), stderr);
  assert.deepEqual(JSON.parse(stdout).loaded, { 'public.hosts': ROWS });
  assert.equal((await database.query<{ n: number }>(COUNT))[0]?.n, ROWS);
});

test('SIGTERM ends a command whose threads spin, and nothing is left', async (t) => {
  const { database, path, options } = await world(t, {
    stages: "stateless(map((row) => { if (row.id === '12000') for (;;); return row; }, 'spins')),",
  });
  const running = startSluice(['run', path, '--threads', '2', '--yes'], options);
  t.after(() => running.child.kill('SIGKILL'));
  await until('committed parts', async () => {
    const parts = await database.query('SELECT FROM sluice.migration_part');
    return parts.length > 0;
  });
  running.child.kill('SIGTERM');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130, stderr);
  assert.deepEqual(await leftSchemas(database), []);
});

test('a load by threads that was killed is resumed by threads', async (t) => {
  const { database, path, options } = await world(t, {
    stages:
      "stateless(map((row) => { if (row.id === '12000' && !existsSync('go')) for (;;); return row; }, 'spins')),",
    // What is read again must be what was loaded.
    thread: 'threadId > 0 ? 1 : 0',
  });
  const args = ['run', path, '--threads', '2', '--yes'];
  const running = startSluice(args, options);
  t.after(() => running.child.kill('SIGKILL'));
  await until('committed parts', async () => {
    const parts = await database.query('SELECT FROM sluice.migration_part');
    return parts.length > 0;
  });
  running.child.kill('SIGKILL');
  await once(running.child, 'close');
  writeFileSync(join(options.cwd, 'go'), '');
  const { code, stderr } = await sluice([...args, '--resume', '1'], options);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await database.query(COUNT), [{ n: ROWS, elsewhere: true }]);
});
