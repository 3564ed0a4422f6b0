import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Ended, sluice, startSluice } from '../../support/cli.js';
import { mayMount, tinyDisk } from '../../support/disk.js';
import { eventsDatabase, eventsFolder, writeEvents } from '../../support/events.js';

const state = /nothing was published; live tables are untouched; batch 1 is failed/;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a load from a stdin that stays open, with 130`, async (t) => {
    const database = await eventsDatabase(t);
    const running = startSluice(['run', './events.js', '--yes', '--source', '-'], {
      cwd: eventsFolder(t),
      env: { DATABASE_URL: database.url },
    });
    running.child.stdin?.write('id,phone,note,on_day\n1,030,fine,2026-01-01\n');
    await running.said('loading staging');
    running.child.kill(signal);
    const ended = await running.ended;
    assert.equal(ended.code, 130, ended.stderr);
    assert.match(ended.stderr, new RegExp(`stopped by ${signal}`));
    assert.match(ended.stderr, state);
    assert.deepEqual(await database.query('SELECT id::int FROM events'), [{ id: 0 }]);
    const left = await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'");
    assert.deepEqual(left, []);
  });
}

test('a second SIGINT ends the process at once; the next run tells of the batch', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t, {
    stage: `named('busy', async function* (rows, run) {
      for await (const chunk of rows) { yield chunk; }
      process.stderr.write('busy now\\n');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    })`,
  });
  const env = { DATABASE_URL: database.url };
  writeEvents(cwd, ['1,030,fine,2026-01-01']);
  const running = startSluice(['run', './events.js', '--yes'], { cwd, env, input: '' });
  await running.said('busy now');
  running.child.kill('SIGINT');
  await running.said('once more to stop at once');
  running.child.kill('SIGINT');
  assert.equal((await running.ended).code, 130);
  const next = await sluice(['status', '1'], { cwd, env });
  assert.match(next.stdout, /interrupted|failed/);
  assert.deepEqual(await database.query('SELECT id::int FROM events'), [{ id: 0 }]);
});

test('a reader that has gone is no failure', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  writeEvents(
    cwd,
    Array.from({ length: 5_000 }, (_, i) => `${i + 1},030,${'x'.repeat(100)},never`),
  );
  assert.equal((await sluice(['run', './events.js', '--yes'], { cwd, env })).code, 3);
  const running = startSluice(['rejects', '1', '--format', 'csv'], { cwd, env, input: '' });
  running.child.stdout?.once('data', () => running.child.stdout?.destroy());
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
});

test('a full disk under the log costs the log, not the rows', { skip: mayMount }, async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t, {
    stage: `named('talks', async function* (rows, run) {
      for await (const chunk of rows) {
        for (const row of chunk) run.log.info('x'.repeat(500), { id: row.id });
        yield chunk;
      }
    })`,
  });
  const log = join(tinyDisk(t), 'batch.log');
  writeEvents(
    cwd,
    Array.from({ length: 500 }, (_, i) => `${i + 1},030,fine,2026-01-01`),
  );
  const ended = await sluice(['run', './events.js', '--yes', '--log-file', log], {
    cwd,
    env: { DATABASE_URL: database.url },
  });
  assert.match(ended.stderr, /the log .* cannot be written any more: .*ENOSPC/);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM events'), [{ n: 501 }]);
});

test('a full disk under the scratch files fails the batch, and live is as it was', {
  skip: mayMount,
}, async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const pipeline = `import { append, csv, flow, pipeline } from 'sluice';
import { sort } from 'sluice/transforms';
export default pipeline({
  name: 'sorted', summary: 'Sorted.',
  inputs: { events: csv('events.csv', { columns: ['id', 'phone', 'note', 'on_day'] }) },
  tables: { events: append('events', { columns: ['id', 'phone', 'note', 'on_day'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.events).through(sort({ by: ['note'], memoryBytes: 1 << 16 })).into(tables.events)],
});
`;
  writeFileSync(join(cwd, 'sorted.js'), pipeline);
  const scratch = tinyDisk(t);
  writeEvents(
    cwd,
    Array.from({ length: 20_000 }, (_, i) => `${i + 1},030,${'x'.repeat(200)}${i},2026-01-01`),
  );
  const ended: Ended = await sluice(['run', './sorted.js', '--yes'], {
    cwd,
    env: { DATABASE_URL: database.url, TMPDIR: scratch },
  });
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /no space left on the device/);
  assert.match(ended.stderr, state);
  assert.deepEqual(await database.query('SELECT id::int FROM events'), [{ id: 0 }]);
});

test('a log file that cannot be opened fails the batch before anything is loaded', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  writeEvents(cwd, ['1,030,fine,2026-01-01']);
  mkdirSync(join(cwd, 'taken'));
  const ended = await sluice(['run', './events.js', '--yes', '--log-file', 'taken'], { cwd, env });
  assert.equal(ended.code, 1, ended.stderr);
  assert.deepEqual(await database.query('SELECT status FROM sluice.migration_batch'), [{ status: 'failed' }]);
});
