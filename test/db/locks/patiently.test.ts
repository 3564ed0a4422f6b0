import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from 'pg';
import { interrupted } from '../../../src/core/errors/author.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { backoff } from '../../../src/db/backoff.js';
import { inAttempts } from '../../../src/db/locks/attempts.js';
import { patiently, patientlyDo } from '../../../src/db/locks/patiently.js';
import { patienceUntil } from '../../../src/db/patience.js';
import { sqlstateOf } from '../../../src/db/server-error.js';
import { testDatabase } from '../../support/database.js';
import { PATIENT } from '../../support/patience.js';
import { found } from '../../support/sources.js';

const WRITE = ['INSERT INTO public.orders VALUES (1)'];
const orders = { schema: 'public', table: 'orders' };
const QUICK = { attempts: 2, lockTimeoutMs: 10 };

/** A table, a session that has it locked, and one that wants it. */
async function locked(
  t: Parameters<typeof testDatabase>[0],
): Promise<{ readonly holder: Client; readonly client: Client; readonly rows: () => Promise<number> }> {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE orders (id int)');
  const holder = await database.connect({ application_name: 'a long report' });
  await holder.query('BEGIN; LOCK TABLE orders');
  const client = await database.connect({ options: '-c search_path=pg_catalog' });
  const rows = async () =>
    (await client.query('SELECT count(*)::int AS rows FROM public.orders')).rows[0].rows;
  return { holder, client, rows };
}

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  );

test('locks are waited for again and again, and each time it is told who has them', async (t) => {
  const { holder, client, rows } = await locked(t);
  const told: unknown[] = [];
  await patiently(client, PATIENT, WRITE, {
    lockTimeoutMs: 10,
    tables: [orders],
    onWait: (tables, attempt, holders) => {
      told.push([tables, attempt, holders.map(({ application }) => application)]);
      void holder.query('COMMIT');
    },
  });
  assert.deepEqual(told, [['public.orders', 1, ['a long report']]]);
  assert.equal(await rows(), 1);
});

test('work that asks questions in between is begun anew each time, and done once', async (t) => {
  const { holder, client, rows } = await locked(t);
  let begun = 0;
  const answer = await patientlyDo(
    client,
    PATIENT,
    async () => {
      if (++begun === 2) await holder.query('COMMIT');
      await client.query(WRITE.join());
      return 'done';
    },
    { lockTimeoutMs: 10 },
  );
  assert.deepEqual([answer, begun, await rows()], ['done', 2, 1]);
});

test('what cannot be locked is refused with who has it; where no table is named, as the server says it', async (t) => {
  const { client } = await locked(t);
  const named = await failure(patiently(client, PATIENT, WRITE, { ...QUICK, tables: [orders] }));
  assert.ok(named instanceof SluiceError);
  assert.deepEqual(
    [named.code, named.facts.sqlstate, named.facts.table],
    ['lock_not_got', '55P03', 'public.orders'],
  );
  assert.match(named.facts.details?.join() ?? '', /a long report.*AccessExclusiveLock on public\.orders/);
  const plain = await failure(patiently(client, PATIENT, WRITE, QUICK));
  assert.equal(sqlstateOf(plain), '55P03');
  await client.query('SELECT 1');
});

test('against a prepared transaction waiting does not help, and it is said what does', async (t) => {
  const database = await testDatabase(t);
  const gid = `half done ${database.name}`;
  await database.query(`CREATE TABLE orders (id int)`);
  await database.query(`BEGIN; LOCK TABLE orders; PREPARE TRANSACTION '${gid}'`);
  try {
    const wait = { ...QUICK, tables: [orders] };
    const error = await failure(patiently(await database.connect(), PATIENT, WRITE, wait));
    assert.ok(error instanceof SluiceError);
    assert.match(error.facts.details?.join() ?? '', new RegExp(`^prepared transaction '${gid}' `));
    assert.match(String(error.facts.next), /ROLLBACK PREPARED/);
  } finally {
    // Nobody can drop the database while it is there.
    await database.query(`ROLLBACK PREPARED '${gid}'`);
  }
});

test('an error that no waiting helps against is thrown at once, and the session is out of the transaction', async (t) => {
  const { client } = await locked(t);
  const error = await failure(patiently(client, PATIENT, ['SELECT 1/0'], { tables: [orders] }));
  assert.equal(sqlstateOf(error), '22012');
  assert.deepEqual((await client.query('SELECT pg_current_xact_id_if_assigned() AS xid')).rows, [
    { xid: null },
  ]);
});

test('who is asked to stop while it waits gives up', async (t) => {
  const { client } = await locked(t);
  const stop = new AbortController();
  const error = await failure(
    patiently(client, patienceUntil(stop.signal), WRITE, {
      lockTimeoutMs: 10,
      onWait: () => stop.abort(),
    }),
  );
  assert.ok(error instanceof SluiceError);
  assert.equal(error.kind, 'interrupted');
  const signalled = new AbortController();
  const said = patiently(client, patienceUntil(signalled.signal), WRITE, {
    lockTimeoutMs: 10,
    onWait: () => signalled.abort(interrupted('stopped by SIGINT')),
  });
  await assert.rejects(said, { code: 'interrupted', message: 'stopped by SIGINT' });
});

test('who begins to wait after that has little time, for tables of the batch’s own one attempt', async (t) => {
  const { client } = await locked(t);
  const late = patienceUntil(AbortSignal.abort());
  const attempts: number[] = [];
  const onWait = (_tables: string, attempt: number) => void attempts.push(attempt);
  const given = { attempts: 50, lockTimeoutMs: 60_000, onWait };
  assert.equal(sqlstateOf(await failure(patiently(client, late, WRITE, given))), '55P03');
  assert.equal(sqlstateOf(await failure(patiently(client, late, WRITE, { ...given, own: true }))), '55P03');
  assert.deepEqual(attempts, [1, 2, 1]);
});

test('a transaction that is to stay open stays so, with its locks and the path of its session', async (t) => {
  const { holder, client, rows } = await locked(t);
  await holder.query('COMMIT');
  await client.query('SET search_path = public');
  await patiently(client, PATIENT, WRITE, {}, ['SAVEPOINT here']);
  await client.query('ROLLBACK TO SAVEPOINT here; INSERT INTO orders VALUES (2); COMMIT');
  assert.equal(await rows(), 2);
});

test('who waits for locks, and who looks for whoever is in the way, does it here', () => {
  const files = (pattern: RegExp) => [...new Set(found(pattern).map((line) => line.split(':')[0]))].sort();
  assert.deepEqual(files(/SET LOCAL lock_timeout = \$/), [
    // The window, with somebody who looks meanwhile; two that try, wait once, and roll back.
    'sinks/publish/replace/tried.ts',
    'sinks/publish/window.ts',
    'src/db/locks/patiently.ts',
    'src/run/broken-rows/tried-rows.ts',
  ]);
  assert.deepEqual(files(/pg_blocking_pids|pg_prepared_xacts/), [
    'src/db/catalog/prepared.ts',
    'src/db/locks/blockers.ts',
  ]);
});

test('pauses double up to a most, half of them at random', () => {
  for (const [next, most] of [
    [2, 200],
    [3, 400],
    [9, 5_000],
  ] as const) {
    const waits = Array.from({ length: 50 }, () => backoff(next, 200, 5_000));
    assert.ok(waits.every((wait) => wait >= most / 2 && wait <= most));
  }
});

test('what is attempted again is told of each attempt that gave way, and ends where that says so', async () => {
  const gaveWay: number[] = [];
  const attempt = inAttempts(
    async (number) => {
      throw new Error(`attempt ${number}`);
    },
    (error, number, waitMs) => {
      gaveWay.push(number);
      assert.ok(waitMs > 0);
      if (number === 2) throw error;
    },
  );
  await assert.rejects(attempt, /attempt 2/);
  assert.deepEqual(gaveWay, [1, 2]);
});
