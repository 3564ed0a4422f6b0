import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { publish } from '../../../../sinks/publish/attempt.js';
import { dropRetained } from '../../../../sinks/publish/replace/discard.js';
import type { WindowPart } from '../../../../sinks/publish/window.js';
import type { SluiceError } from '../../../../src/core/errors/sluice-error.js';
import { testDatabase } from '../../../support/database.js';
import { makeFixture, TARGETS } from '../../../support/fixture.js';
import { PATIENT } from '../../../support/patience.js';
import { copyLive, retainedBy, type Swapped, swap } from '../../../support/swap.js';
import { thrown } from '../../../support/thrown.js';
import { until } from '../../../support/until.js';

const T = { schema: 'public', table: 't' };
const part = (over: Partial<WindowPart>): WindowPart => ({
  table: 'public.t',
  early: [],
  dependents: [],
  locks: [],
  rechecks: [],
  out: [],
  in: [],
  after: [],
  late: [],
  ...over,
});
const lockOn = (table: string) => ({ schema: 'public', table, mode: 'ACCESS EXCLUSIVE' as const });

test('SWAP 08: a pooled session keeps using its %ROWTYPE function, after the swap and after the old table is dropped', async (t) => {
  const database = await testDatabase(t);
  await makeFixture(database);
  const pooled = await database.connect();
  const note = async () => Object.values((await pooled.query('SELECT shop.order_note(2)')).rows[0]);
  assert.deepEqual(await note(), ['nn']);
  await pooled.query('CALL shop.touch_orders()');
  await pooled.query({ name: 'prepared', text: 'SELECT * FROM shop.orders WHERE id = 2' });
  const swapped = await swap(database, TARGETS, {
    fill: async (client, table) => {
      await copyLive(client, table);
      if (table.table === 'orders') await client.query(`UPDATE ${table.schema}.orders SET note = 'new'`);
    },
  });
  assert.deepEqual(await note(), ['new']);
  const client = await database.connect();
  for (const table of retainedBy(swapped)) await dropRetained(client, table, PATIENT);
  assert.deepEqual(await note(), ['new']);
  await pooled.query('CALL shop.touch_orders()');
  const prepared = await pooled.query({ name: 'prepared', text: 'SELECT * FROM shop.orders WHERE id = 2' });
  assert.equal(prepared.rows[0].note, 'new');
});

test('SWAP 10, 17, 20: under constant readers row-level security never lapses, nobody deadlocks, joins never mix generations', async (t) => {
  const database = await testDatabase(t);
  await database.query(`DO $$ BEGIN CREATE ROLE fx_reader; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    CREATE TABLE t (id int PRIMARY KEY, generation int, secret boolean);
    CREATE TABLE u (id int PRIMARY KEY REFERENCES t, generation int);
    INSERT INTO t SELECT n, 0, n % 2 = 0 FROM generate_series(1, 50) n; INSERT INTO u SELECT id, 0 FROM t;
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY open ON t FOR SELECT TO fx_reader USING (NOT secret);
    CREATE VIEW joined AS SELECT t.id, t.generation AS g, u.generation AS h, secret FROM t JOIN u USING (id);
    CREATE VIEW outer_view AS SELECT * FROM joined; GRANT SELECT ON t, u, joined, outer_view TO fx_reader`);
  const errors: string[] = [];
  const faults: string[] = [];
  let reads = 0;
  let worst = 0;
  let over = false;
  const reader = async (
    query: string,
    check: (rows: Record<string, unknown>[]) => string | undefined,
    role?: string,
  ) => {
    const session = await database.connect();
    if (role) await session.query(`SET ROLE ${role}`);
    while (!over) {
      const begun = performance.now();
      try {
        const fault = check((await session.query(query)).rows);
        if (fault) faults.push(fault);
      } catch (error) {
        errors.push(String(error));
      }
      worst = Math.max(worst, performance.now() - begun);
      reads++;
      await sleep(1);
    }
  };
  const generations = (rows: Record<string, unknown>[]) =>
    rows.length === 50 && new Set(rows.flatMap((row) => [row.g, row.h])).size === 1
      ? undefined
      : `mixed: ${rows.length}`;
  const hidden = (rows: Record<string, unknown>[]) =>
    rows.length === 25 && rows.every((row) => row.secret === false) ? undefined : `saw ${rows.length}`;
  const readers = [
    reader('SELECT * FROM outer_view', generations),
    reader('SELECT t.generation AS g, u.generation AS h FROM u JOIN t USING (id)', generations),
    reader('SELECT * FROM t', hidden, 'fx_reader'),
  ];
  const swaps = 6;
  for (let n = 1; n <= swaps; n++) {
    await swap(database, [T, { schema: 'public', table: 'u' }], {
      names: { staging: `sluice_s${n}`, old: `sluice_o${n}` },
      attempts: 30,
      fill: async (client, table) => {
        await copyLive(client, table);
        await client.query(`UPDATE ${table.schema}.${table.table} SET generation = ${n}`);
      },
    });
  }
  over = true;
  await Promise.all(readers);
  t.diagnostic(`${swaps} swaps against ${reads} reads, worst read ${worst.toFixed(0)} ms`);
  assert.deepEqual(errors, []);
  assert.deepEqual(faults, []);
  const [last] = await database.query('SELECT DISTINCT g, h FROM joined');
  assert.deepEqual(last, { g: swaps, h: swaps });
});

test('SWAP 15: a transaction older than the load stops the publish by name and never sees an empty table', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
  const old = await database.connect({ application_name: 'nightly report' });
  await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
  await assert.rejects(swap(database, [T], { freezeWaitMs: 300 }), (error: SluiceError) => {
    assert.equal(error.code, 'old_snapshot');
    assert.match(String(error.facts.details?.[0]), /nightly report/);
    return true;
  });
  assert.equal((await old.query('SELECT FROM t')).rowCount, 1);
  const waiting = swap(database, [T], {
    names: { staging: 'sluice_2', old: 'sluice_3' },
    freezeWaitMs: 20_000,
  });
  await sleep(300);
  await old.query('COMMIT');
  await waiting;
});

test('SWAP 16: with a long reader on live no other query waits longer than lock_timeout, and the blocker is named', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
  const long = await database.connect({ application_name: 'long reader' });
  await long.query('BEGIN; SELECT * FROM t');
  const other = await database.connect();
  const waits: number[] = [];
  let over = false;
  const reading = (async () => {
    while (!over) {
      const begun = performance.now();
      await other.query('SELECT * FROM t');
      waits.push(performance.now() - begun);
      await sleep(5);
    }
  })();
  const failure = await thrown(swap(database, [T], { attempts: 3, freezeWaitMs: 100 }));
  over = true;
  await reading;
  assert.ok('code' in failure);
  assert.equal(failure.code, 'locked');
  assert.match(
    String(failure.facts.details),
    new RegExp(
      `pid ${(long as unknown as { processID: number }).processID} .*long reader.*SELECT \\* FROM t`,
    ),
  );
  const slowest = Math.max(...waits);
  t.diagnostic(`worst wait of another query ${slowest.toFixed(0)} ms`);
  assert.ok(waits.length > 0);
});

test('SWAP 18: the wait for all locks together is bounded across five tables', async (t) => {
  const database = await testDatabase(t);
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await database.query(`CREATE TABLE ${name} (id int)`);
  const holders = await Promise.all(names.map(() => database.connect()));
  for (const [at, holder] of holders.entries())
    await holder.query(`BEGIN; LOCK TABLE ${names[at]} IN ACCESS SHARE MODE`);
  // Each gives way within the time for one lock, so only the sum of the waits can stop the window; a slow
  // machine makes it longer only.
  let over = false;
  const releasing = (async () => {
    for (const [at, holder] of holders.entries()) {
      await until(`a wait for ${names[at]}`, async () => {
        const waits = await database.query(
          `SELECT FROM pg_locks WHERE relation = '${names[at]}'::regclass AND NOT granted`,
        );
        return over || waits.length > 0;
      });
      await sleep(500);
      await holder.query('COMMIT');
    }
  })();
  const states: string[] = [];
  const outcome = publish(database.connect, [part({ locks: names.map(lockOn) })], {
    attempts: 1,
    ledger: [],
    onRetry: () => {},
    resolve: async () => 'not',
    lockTimeoutMs: 60_000,
    statementTimeoutMs: 1_500,
  }).catch((error: SluiceError) => states.push(`${error.code} ${error.facts.sqlstate}`));
  await outcome;
  over = true;
  await releasing;
  assert.deepEqual(states, ['locked 57014']);
});

test('SWAP 19: a blocker that is an autovacuum worker gets one attempt longer than deadlock_timeout', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE t (id int, x text) WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0); INSERT INTO t SELECT n, repeat(n::text, 100) FROM generate_series(1, 20000) n; DELETE FROM t WHERE id % 2 = 0',
  );
  const running = async () =>
    (
      await database.query(
        "SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND datname = current_database() AND query LIKE '%public.t%'",
      )
    ).length > 0;
  const until = Date.now() + 3000;
  while (!(await running()) && Date.now() < until) await sleep(100);
  if (!(await running())) return t.skip('autovacuum did not come within 3 s (autovacuum_naptime)');
  const retries: string[] = [];
  const done = await publish(database.connect, [part({ locks: [lockOn('t')] })], {
    attempts: 4,
    ledger: [],
    onRetry: (info) => retries.push(String(info.blockers[0]?.backend)),
    resolve: async () => 'not',
  });
  assert.ok(done.attempts > 1);
  assert.equal(retries[0], 'autovacuum worker');
});

for (const fate of ['committed', 'not'] as const) {
  test(`SWAP 22: the connection is lost in the window and the outcome is ${fate === 'not' ? 'not ' : ''}committed`, async (t) => {
    const database = await testDatabase(t);
    await database.query('CREATE TABLE t (id int); CREATE TABLE ledger (batch text)');
    let lost = 0;
    const connect = async () => {
      const session = await database.connect({ application_name: 'window' });
      const query = session.query.bind(session) as (...args: unknown[]) => unknown;
      Object.assign(session, {
        query: (...args: unknown[]) => {
          const answer = query(...args);
          const isWindow = String(args[0]).includes('INSERT INTO public.ledger');
          if (isWindow && lost++ === 0) {
            const { stream } = (session as unknown as { connection: { stream: { destroy(): void } } })
              .connection;
            if (fate === 'committed') setTimeout(() => stream.destroy(), 50);
            else
              database
                .query(
                  `SELECT pg_terminate_backend(${(session as unknown as { processID: number }).processID})`,
                )
                .catch(() => {});
          }
          return answer;
        },
      });
      return session;
    };
    const resolved: string[] = [];
    const published = await publish(
      connect,
      [part({ locks: [lockOn('t')], after: ['SELECT pg_sleep(0.3)', 'INSERT INTO public.t VALUES (1)'] })],
      {
        attempts: 3,
        ledger: ["INSERT INTO public.ledger VALUES ('b1')"],
        onRetry: (info) => resolved.push(`retry ${info.attempt}`),
        resolve: async () => {
          const outcome = (await database.query('SELECT FROM ledger')).length > 0 ? 'committed' : 'not';
          resolved.push(outcome);
          return outcome;
        },
      },
    );
    assert.deepEqual(resolved, fate === 'committed' ? ['committed'] : ['not', 'retry 1']);
    assert.equal(published.attempts, fate === 'committed' ? 1 : 2);
    assert.deepEqual(await database.query('SELECT * FROM t'), [{ id: 1 }]);
    assert.equal((await database.query('SELECT FROM ledger')).length, 1);
  });
}

test('SWAP 27: an undo keeps grants and indexes that came later, and positions run on', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE t (id serial PRIMARY KEY, x text, CONSTRAINT short CHECK (length(x) < 9)); INSERT INTO t (x) VALUES (1), (2)',
  );
  const swapped: Swapped = await swap(database, [T], {
    fill: async (client, table) => copyLive(client, table, 'id = 1'),
  });
  await database.query(`CREATE INDEX later ON t (x); GRANT SELECT ON t TO PUBLIC; ALTER TABLE t ALTER x SET DEFAULT 'd', ALTER x SET NOT NULL, DROP CONSTRAINT short, ADD CONSTRAINT short CHECK (length(x) < 20);
    CREATE VIEW v AS SELECT * FROM t; COMMENT ON TABLE t IS 'later'; INSERT INTO t DEFAULT VALUES`);
  const { undo } = await import('../../../support/swap.js');
  const { changed, factsOf } = await import('../../../support/facts.js');
  const before = await factsOf(database);
  await undo(database, [T], retainedBy(swapped));
  assert.deepEqual(changed(before, await factsOf(database)), []);
  assert.deepEqual(await database.query('SELECT id FROM v ORDER BY id'), [{ id: 1 }, { id: 2 }]);
  assert.deepEqual(await database.query('INSERT INTO t DEFAULT VALUES RETURNING id'), [{ id: 4 }]);
});
