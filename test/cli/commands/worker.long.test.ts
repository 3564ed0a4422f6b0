import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { WorkersState } from '../../../src/run/load/workers/state.js';
import { EMPTY, testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { leftSchemas } from '../../support/lots.js';
import { testRole } from '../../support/role.js';
import { writePipeline } from '../../support/threaded.js';
import { until } from '../../support/until.js';
import { ALL, holds, hosts, REJECTED, ROWS } from '../../support/workers.js';

test('parts of a run are loaded by workers, each once, with their rejects and accounts', async (t) => {
  const world = await hosts(t);
  const workers = [await world.worker(), await world.worker('--jobs', '2')];
  const { code, stdout, stderr } = await world.run().ended;
  assert.equal(code, 4, stderr);
  const summary = JSON.parse(stdout);
  assert.deepEqual([summary.read, summary.rejected, summary.status], [ROWS, REJECTED, 'completed']);
  const { by, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
  const pids = workers.map(({ child }) => child.pid);
  assert.ok(by.length > 0 && by.every((pid) => pids.includes(pid)), `${by} of ${pids}`);
  const rejects = await world.database.query<{ line: number }>(
    'SELECT line::int FROM sluice.migration_reject ORDER BY line',
  );
  assert.deepEqual(
    rejects.map(({ line }) => line),
    Array.from({ length: REJECTED }, (_, i) => i * 5_000 + 9),
  );
  for (const { child, ended } of workers) {
    child.kill('SIGTERM');
    const stopped = await ended;
    assert.equal(stopped.code, 0, stopped.stderr);
  }
  assert.deepEqual(await world.database.query('SELECT FROM sluice_queue.jobs'), []);
});

test('the part of a worker that is killed in the middle of it is loaded by another one, once', async (t) => {
  const world = await hosts(t, { stages: holds(12_000) });
  world.hold();
  await world.worker();
  await world.worker();
  const running = world.run();
  const pid = await world.held();
  process.kill(pid, 'SIGKILL');
  const { code, stderr } = await running.ended;
  assert.equal(code, 4, stderr);
  const { by, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
  assert.ok(!by.includes(pid) || by.length > 1);
});

test('a worker that sleeps over its part, which another has loaded meanwhile, drops its own', async (t) => {
  const world = await hosts(t, {
    stages: `${holds(12_000)} ${holds(35_000, 'hold2', 'held2', 'held')}`,
  });
  world.hold();
  world.hold('hold2');
  const workers = [await world.worker('--jobs', '2'), await world.worker('--jobs', '2')];
  const running = world.run();
  const sleeper = await world.held();
  process.kill(sleeper, 'SIGSTOP');
  // Its part goes to the other one, which is held in another part then: the batch still loads.
  const other = await world.held('held2');
  assert.notEqual(other, sleeper);
  const asleep = workers.find(({ child }) => child.pid === sleeper) as (typeof workers)[number];
  world.release();
  await until('the other has loaded the part', async () => {
    const parts = await world.database.query(
      "SELECT FROM sluice_queue.sluice_part WHERE state = 'done' AND tries > 1",
    );
    return parts.length > 0;
  });
  process.kill(sleeper, 'SIGCONT');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  world.release('held2');
  const { code, stderr } = await running.ended;
  assert.equal(code, 4, stderr);
  const { by: _, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
  asleep.child.kill('SIGTERM');
  assert.equal((await asleep.ended).code, 0);
});

test('a worker that wakes up after the batch has ended loads nothing into anything', async (t) => {
  const world = await hosts(t, { stages: holds(12_000) });
  world.hold();
  await world.worker();
  await world.worker();
  const running = world.run();
  const sleeper = await world.held();
  process.kill(sleeper, 'SIGSTOP');
  const { code, stderr } = await running.ended;
  assert.equal(code, 4, stderr);
  const before = await world.loaded();
  world.release();
  process.kill(sleeper, 'SIGCONT');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.deepEqual(await world.loaded(), before);
  assert.deepEqual({ n: before.n, ids: before.ids }, ALL);
  assert.ok(!before.by.includes(sleeper) || before.by.length > 1);
});

test('a run that is killed is resumed, and what workers have loaded stays', async (t) => {
  // What is read again must be what was loaded, whoever it was.
  const world = await hosts(t, { stages: holds(30_000), thread: '1' });
  world.hold();
  await world.worker('--jobs', '2');
  const first = world.run();
  await world.held();
  await until('parts that are loaded', async () => {
    const parts = await world.database.query('SELECT FROM sluice.migration_part');
    return parts.length > 2;
  });
  first.child.kill('SIGKILL');
  await first.ended;
  world.release();
  const { code, stdout, stderr } = await world.run('--resume', '1').ended;
  assert.equal(code, 4, stderr);
  assert.deepEqual([JSON.parse(stdout).read, JSON.parse(stdout).rejected], [ROWS, REJECTED]);
  const { by: _, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
});

test('the limit of rejects is one for all workers', async (t) => {
  const world = await hosts(t);
  await world.worker();
  await world.worker();
  const { code, stdout, stderr } = await world.run('--max-rejects', String(REJECTED - 1)).ended;
  assert.equal(code, 3, stderr);
  assert.deepEqual(
    [JSON.parse(stdout).error.code, JSON.parse(stdout).rejected],
    ['too_many_rejects', REJECTED],
    stdout,
  );
  assert.deepEqual((await world.loaded()).by, []);
});

test('a signal at the run stops its workers within moments, and they wait for the next one', async (t) => {
  const world = await hosts(t, {
    stages: `${holds(12_000)} ${holds(35_000, 'hold2', 'held2', 'held')}`,
  });
  world.hold();
  world.hold('hold2');
  const workers = [await world.worker(), await world.worker()];
  const running = world.run();
  await world.held();
  await world.held('held2');
  running.child.kill('SIGTERM');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130, stderr);
  assert.deepEqual(await leftSchemas(world.database), ['sluice_queue']);
  assert.deepEqual(await world.database.query('SELECT FROM sluice_queue.sluice_part'), []);
  const sessions = await world.database.query(
    "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%sluice batch 1 worker%'",
  );
  assert.deepEqual(sessions, []);
  world.release();
  world.release('held2');
  const again = await world.run().ended;
  assert.equal(again.code, 4, again.stderr);
  assert.deepEqual(
    workers.map(({ child }) => child.exitCode),
    [null, null],
  );
});

test('a worker whose file of the pipeline is another leaves the parts, and the run says so', async (t) => {
  const world = await hosts(t);
  const other = writePipeline(tempFolder(t), { thread: 'process.pid + 1' });
  const wrong = world.start('worker', other);
  await wrong.said('waits for parts');
  const running = world.run();
  await running.said('has left a part: hosts is not what it was when the run began');
  await world.worker();
  const { code, stderr } = await running.ended;
  assert.equal(code, 4, stderr);
  assert.ok(!(await world.loaded()).by.includes((wrong.child.pid as number) + 1));
});

test('a run that no worker serves says so, and how one is started', async (t) => {
  const world = await hosts(t);
  const other = world.start('worker', 'copy');
  await other.said('waits for parts of copy');
  const running = world.run();
  await running.said('no worker of Sluice');
  await running.said(`sluice worker ${world.path}`);
  await world.worker();
  assert.equal((await running.ended).code, 4);
});

test('an exception in a worker is the run’s', async (t) => {
  const world = await hosts(t, {
    stages:
      "stateless(map((row) => { if (row.id === '9000') throw new TypeError('what a row'); return row; }, 'thrower')),",
  });
  await world.worker();
  const { code, stderr } = await world.run().ended;
  assert.equal(code, 1);
  assert.match(stderr, /stage thrower: what a row/);
  assert.match(stderr, /hosts\.ts:\d+/);
});

test('copies are loaded by workers that may', async (t) => {
  const world = await hosts(t);
  const worker = world.start('worker', 'copy');
  await worker.said('waits for parts of copy');
  const args = [
    'copy',
    'hosts.csv',
    '--into',
    'hosts',
    '--workers',
    '--max-rejects',
    '100',
    '--yes',
    '--json',
  ];
  const { code, stderr } = await world.start(...args).ended;
  assert.equal(code, 4, stderr);
  const { by: _, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
  const done = await world.database.query("SELECT FROM sluice.migration_batch WHERE status = 'completed'");
  assert.equal(done.length, 1);
});

test('a queue that somebody else has made is not used', async (t) => {
  const world = await hosts(t);
  const role = await testRole(t);
  await world.database.query(`CREATE SCHEMA sluice_queue AUTHORIZATION ${role}`);
  const { code, stderr } = await world.start('worker', world.path).ended;
  assert.equal(code, 3, stderr);
  assert.match(stderr, /sluice_queue.*does not rely on/s);
});

test('a queue in a database of its own serves several targets, of which each has its own parts', async (t) => {
  const queue = await testDatabase(t, { template: EMPTY });
  const [one, two] = [
    await hosts(t, { thread: '1' }),
    await hosts(t, { thread: '2' }, { SLUICE_QUEUE_URL: queue.url }),
  ];
  await one.worker('--queue', queue.url);
  await two.worker();
  // The ids of both batches are the same.
  const runs = [one.run('--queue', queue.url), two.run()];
  for (const { ended } of runs) {
    const { code, stderr } = await ended;
    assert.equal(code, 4, stderr);
  }
  for (const [at, world] of [one, two].entries()) {
    assert.deepEqual(await world.loaded(), { ...ALL, by: [at + 1] });
    assert.deepEqual(await leftSchemas(world.database), ['sluice_old_1']);
  }
  assert.deepEqual(await queue.query('SELECT FROM sluice_queue.jobs'), []);
  assert.deepEqual(await queue.query('SELECT FROM sluice_queue.sluice_part'), []);
});

test('a run whose queue is elsewhere says how a worker is started, without the password', async (t) => {
  const world = await hosts(t);
  const queue = await testDatabase(t, { template: EMPTY });
  const { password, username, host, pathname } = new URL(queue.url);
  const running = world.run('--queue', queue.url);
  await running.said('no worker of Sluice');
  await running.said(`--queue postgres://${username}@${host}${pathname}`);
  running.child.kill('SIGTERM');
  const { stderr } = await running.ended;
  assert.ok(password !== '' && !stderr.includes(password), stderr);
});

test('status says what is loaded by whom, what is under way, who is silent, and afterwards who has done it', async (t) => {
  const world = await hosts(t, { stages: holds(12_000) });
  const status = async () => {
    const { code, stdout, stderr } = await world.start('status', '1', '--json').ended;
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).workers as WorkersState;
  };
  world.hold();
  await world.worker();
  const running = world.run();
  const sleeper = await world.held();
  const host = hostname();
  const before = await until('a part that is loaded', async () => {
    const workers = await status();
    return workers.parts.loaded > 0 ? workers : undefined;
  });
  assert.deepEqual(
    [before.parts, before.silent, before.retries],
    [{ loaded: 1, under_way: 1, waiting: 3, left: 0, failed: 0 }, [], 0],
  );
  assert.deepEqual(
    before.hosts.map((each) => [each.host, each.parts, each.under_way, each.rows > 5_000]),
    [[host, 1, 1, true]],
  );
  process.kill(sleeper, 'SIGSTOP');
  const silent = await until('a worker that is silent', async () => {
    const workers = await status();
    return workers.silent.length > 0 ? workers.silent : undefined;
  });
  assert.deepEqual(
    silent.map((each) => [each.host, each.parts, each.silent > 2]),
    [[host, 1, true]],
  );
  world.release();
  process.kill(sleeper, 'SIGCONT');
  assert.equal((await running.ended).code, 4);
  await world.database.query('DROP SCHEMA sluice_queue CASCADE');
  const after = await status();
  assert.deepEqual(after.parts, { loaded: 5, under_way: null, waiting: null, left: null, failed: null });
  assert.equal(
    after.hosts.reduce((rows, each) => rows + each.rows, 0),
    ROWS,
  );
  assert.ok(after.slowest !== null && after.slowest.seconds > 0);
});
