import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Running } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';
import { ALL, holds, hosts } from '../support/workers.js';

/** Ends the sessions of all workers, as a restart of the server does. */
const endSessions = (database: TestDatabase) =>
  database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'sluice worker %'`,
  );

const published = (running: Running) =>
  until('the end of the run', async () => (running.child.exitCode === null ? undefined : running.ended));

test('a worker whose sessions are ended loads the part that it had, and what the queue gave it unheard', async (t) => {
  const world = await hosts(t, { stages: holds(12_000), thread: '1' });
  world.hold();
  const worker = await world.worker();
  const running = world.run();
  await world.held();
  // The server's last answer may have been a job, and nobody has heard it.
  const unheard = await world.database.query(
    `UPDATE sluice_queue._private_jobs SET locked_at = now(), locked_by = (SELECT pool FROM sluice_queue.sluice_host)
     WHERE id = (SELECT max(id) FROM sluice_queue._private_jobs WHERE locked_by IS NULL) RETURNING id`,
  );
  assert.equal(unheard.length, 1);
  await endSessions(world.database);
  world.release();
  const { code, stderr } = await published(running);
  assert.equal(code, 4, stderr);
  const { by: _, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
  assert.equal(worker.child.exitCode, null);
  worker.child.kill('SIGTERM');
  const stopped = await worker.ended;
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual(await world.database.query('SELECT FROM sluice_queue.sluice_host'), []);
});

test('a worker that sleeps before the COMMIT of its part holds nobody up who loads it again', async (t) => {
  const world = await hosts(t, { thread: '1' });
  const asleep = await world.worker();
  const holder = await world.database.connect();
  const running = world.run();
  await until('parts in the queue', async () => {
    const parts = await world.database
      .query('SELECT FROM sluice_queue.sluice_part')
      .catch(() => [] as readonly object[]);
    return parts.length > 0;
  });
  await holder.query('BEGIN; LOCK TABLE sluice.migration_part IN SHARE MODE');
  await until('the worker at the row of its part', async () => {
    const waits = await world.database.query(
      `SELECT FROM pg_stat_activity WHERE application_name LIKE 'sluice worker %' AND wait_event_type = 'Lock'
         AND datname = current_database() AND query ~ 'migration_part'`,
    );
    return waits.length > 0;
  });
  asleep.child.kill('SIGSTOP');
  await holder.query('ROLLBACK');
  await world.worker();
  const { code, stderr } = await published(running);
  assert.equal(code, 4, stderr);
  asleep.child.kill('SIGCONT');
  await until('the one that slept is there again', async () => {
    const there = await world.database.query('SELECT FROM sluice_queue.sluice_host');
    return there.length === 2;
  });
  const { by: _, ...all } = await world.loaded();
  assert.deepEqual(all, ALL);
});

test('the job of a worker that dies after its batch has ended does not stay in the queue', async (t) => {
  const world = await hosts(t, { stages: holds(12_000) });
  world.hold();
  const worker = await world.worker();
  const running = world.run();
  await world.held();
  worker.child.kill('SIGSTOP');
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 130);
  worker.child.kill('SIGKILL');
  await world.worker();
  await until('an empty queue', async () => {
    const jobs = await world.database.query('SELECT FROM sluice_queue.jobs');
    return jobs.length === 0;
  });
});

test('a queue that is dropped while nothing loads is made again, by the worker that waits', async (t) => {
  const world = await hosts(t);
  const worker = await world.worker();
  await world.database.query('DROP SCHEMA sluice_queue CASCADE');
  await until('another queue', async () => {
    const there = await world.database
      .query('SELECT FROM sluice_queue.sluice_host')
      .catch(() => [] as readonly object[]);
    return there.length === 1;
  });
  const { code, stderr } = await published(world.run());
  assert.equal(code, 4, stderr);
  assert.equal(worker.child.exitCode, null);
});

test('parts of a batch that is not gone on with leave the queue when its end is in the ledger', async (t) => {
  const world = await hosts(t, { stages: holds(2_000) });
  world.hold();
  await world.worker();
  const running = world.run();
  await world.held();
  running.child.kill('SIGKILL');
  await running.ended;
  world.release();
  const { code, stderr } = await world.start('cleanup', '--execute').ended;
  assert.equal(code, 0, stderr);
  await until('an empty queue', async () => {
    const left = await world.database.query(
      `SELECT FROM sluice_queue.sluice_flow UNION ALL SELECT FROM sluice_queue.sluice_part
       UNION ALL SELECT FROM sluice_queue.jobs`,
    );
    return left.length === 0;
  });
});
