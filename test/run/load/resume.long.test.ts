import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import { type Pipeline, pipeline, validation } from '../../../src/core/pipeline.js';
import { markOrigin } from '../../../src/core/row.js';
import { replace } from '../../../src/core/target.js';
import { named, type Source, type Stage } from '../../../src/core/types.js';
import { untilAborted } from '../../../src/core/until-aborted.js';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { csv } from '../../../src/sources/csv/index.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../support/database.js';
import { leftGuards, leftSchemas, type Options, openDatabase, runOn } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

type Host = { readonly id: string; readonly name: string | null; readonly address: string | null };

/** `count` hosts from 1 on: every 50th has an address that only the server can refuse, every 70th has no name. */
const hosts = (count: number, name = 'host'): Host[] =>
  Array.from({ length: count }, (_, i) => ({
    id: String(i + 1),
    name: (i + 1) % 70 === 0 ? null : `${name} ${i + 1}`,
    address: (i + 1) % 50 === 0 ? 'nowhere' : '10.0.0.1',
  }));
const REJECTED = (count: number) => Math.floor(count / 50) + Math.floor(count / 70) - Math.floor(count / 350);

const database = async (t: TestContext, more = ''): Promise<TestDatabase> => {
  const made = await testDatabase(t, { template: EMPTY });
  await made.query(`
    CREATE TABLE hosts (id integer PRIMARY KEY, name text NOT NULL, address inet);
    INSERT INTO hosts VALUES (0, 'old', NULL); ${more}`);
  return made;
};

/** Rows in chunks of 100, waiting before chunk number `at` until `until` resolves. */
function source(rows: readonly Host[], at = -1, until: Promise<void> = Promise.resolve()): Source<Host> {
  return {
    name: 'hosts',
    kind: 'memory',
    async *read(run) {
      for (let from = 0; from < rows.length; from += 100) {
        if (from === at * 100) await untilAborted(until, run.signal);
        yield rows.slice(from, from + 100).map((row, i) => markOrigin({ ...row }, from + i + 1));
      }
    },
  };
}

/** Numbers the rows: state that a resumed run must have as the first one had. */
const counted: Stage<Host> = named('counted', async function* (rows) {
  let n = 0;
  for await (const chunk of rows)
    yield chunk.map((row) => ({ ...row, name: row.name && `${++n}: ${row.name}` }));
});

type More = Partial<Pick<Pipeline, 'validations' | 'name' | 'records'>>;

const hostsPipeline = (from: Source<Host>, more: More = {}): Pipeline =>
  pipeline({
    name: 'hosts',
    summary: 'Hosts.',
    inputs: { hosts: from },
    tables: { hosts: replace('hosts', { columns: ['id', 'name', 'address'] }) },
    ...more,
    flows: ({ inputs, tables }) => [flow(inputs.hosts).through(counted).into(tables.hosts)],
  });

const OPTIONS: Options = { segmentBytes: 1, maxRejects: { rows: 1000 } };

/** Runs until three segments are committed, and kills the session that loads. The error. */
async function breakOff(
  t: TestContext,
  made: TestDatabase,
  build: (from: Source<Host>) => Pipeline = (from) => hostsPipeline(from),
  rows = hosts(1000),
  options: Options = {},
): Promise<SluiceError> {
  let release = () => {};
  const killed = new Promise<void>((resolve) => {
    release = resolve;
  });
  const running = thrown(runOn(t, made, build(source(rows, 4, killed)), { ...OPTIONS, ...options }));
  for (;;) {
    await sleep(20);
    const [there] = await made.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_segment') IS NOT NULL AS there",
    );
    if (there?.there !== true) continue;
    const [segments] = await made.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM sluice.migration_segment',
    );
    if ((segments?.n ?? 0) >= 3) break;
  }
  await made.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name ~ 'batch [0-9]+ load'`,
  );
  release();
  const error = await running;
  assert.ok(error instanceof SluiceError, String(error));
  return error;
}

const ids = async (made: TestDatabase) =>
  (
    await made.query<{ n: number; distinct: number; last: string }>(
      'SELECT count(*)::int AS n, count(DISTINCT id)::int AS distinct, max(name) FILTER (WHERE id = 999) AS last FROM hosts',
    )
  )[0];

test('a load whose session is killed keeps its staging, and going on gives every row and every reject once', async (t) => {
  const made = await database(t);
  const error = await breakOff(t, made);
  assert.equal(error.code, 'connection_lost');
  assert.match(String([error.facts.next].flat()[0]), /^sluice run hosts --resume 1 /);
  assert.match(error.facts.state ?? '', /staging is kept/);
  const opened = openDatabase(t, made);
  const broken = await findBatch(opened, '1');
  assert.equal(broken.status, 'failed');
  assert.equal(broken.resumable, true);
  assert.deepEqual(await made.query('SELECT id FROM hosts'), [{ id: 0 }]);

  const { summary } = await runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, resume: '1' });
  assert.equal(summary.status, 'completed');
  assert.equal(summary.read, 1000);
  assert.equal(summary.rejected, REJECTED(1000));
  const loaded = 1000 - REJECTED(1000);
  assert.equal(summary.loaded.hosts, loaded);
  // The stage that counts gave row 999 the number that it has in an undisturbed run.
  assert.deepEqual(await ids(made), { n: loaded, distinct: loaded, last: `${999 - 14}: host 999` });
  const [rejects] = await made.query<{ n: number; lines: number }>(
    'SELECT count(*)::int AS n, count(DISTINCT line)::int AS lines FROM sluice.migration_reject',
  );
  assert.deepEqual(rejects, { n: REJECTED(1000), lines: REJECTED(1000) });
  const batch = await findBatch(opened, '1');
  assert.equal(batch.status, 'completed');
  assert.equal(batch.error, null);
  assert.deepEqual(
    [batch.total_records, batch.success_count, batch.error_count],
    [1000, loaded, REJECTED(1000)],
  );
  assert.deepEqual(await made.query('SELECT * FROM sluice.migration_segment'), []);
  assert.deepEqual(await leftGuards(made), []);
});

test('a load that is resumed has one record of every row, and they say what became of it', async (t) => {
  const made = await database(t);
  const tracked = (from: Source<Host>) =>
    hostsPipeline(from, { records: { hosts: { type: 'host', sourceId: 'id' } } });
  await breakOff(t, made, tracked);
  const before = await made.query<{ status: string }>(
    'SELECT DISTINCT status FROM sluice.migration_record ORDER BY 1',
  );
  assert.ok(before.length > 0, 'a batch that broke off keeps its records');
  assert.ok(before.every(({ status }) => status === 'pending' || status === 'error'));
  await runOn(t, made, tracked(source(hosts(1000))), { ...OPTIONS, resume: '1' });
  assert.deepEqual(
    await made.query(
      'SELECT status, count(*)::int AS n, count(DISTINCT line)::int AS lines FROM sluice.migration_record GROUP BY 1 ORDER BY 1',
    ),
    [
      { status: 'error', n: REJECTED(1000), lines: REJECTED(1000) },
      { status: 'success', n: 1000 - REJECTED(1000), lines: 1000 - REJECTED(1000) },
    ],
  );
  const [same] = await made.query(
    'SELECT count(*)::int AS n FROM sluice.migration_record r JOIN hosts h ON h.id = r.target_id AND h.id::text = r.source_id',
  );
  assert.deepEqual(same, { n: 1000 - REJECTED(1000) });
});

test('a run that goes on may break off again, as often as it likes', async (t) => {
  const made = await database(t);
  await breakOff(t, made);
  const dies = (after: number): Source<Host> => ({
    ...source([]),
    async *read(run) {
      let rows = 0;
      for await (const chunk of source(hosts(1000)).read(run)) {
        if (rows >= after) {
          await made.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ 'load'`,
          );
          await sleep(50);
        }
        yield chunk;
        rows += chunk.length;
      }
    },
  });
  for (const after of [0, 500, 900]) {
    const error = await thrown(runOn(t, made, hostsPipeline(dies(after)), { ...OPTIONS, resume: '1' }));
    assert.equal(error.code, 'connection_lost');
  }
  await runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, resume: '1' });
  const loaded = 1000 - REJECTED(1000);
  assert.equal((await ids(made))?.n, loaded);
  assert.equal((await ids(made))?.distinct, loaded);
});

for (const [how, rows] of [
  ['gives other rows', hosts(1000, 'guest')],
  ['ends before the rows that were loaded', hosts(150)],
  ['begins with another row', hosts(1000).slice(1)],
] as const)
  test(`an input that ${how} when it is read again is refused, and nothing is published`, async (t) => {
    const made = await database(t);
    await breakOff(t, made);
    const error = await thrown(runOn(t, made, hostsPipeline(source(rows)), { ...OPTIONS, resume: '1' }));
    assert.equal(error.code, 'not_repeatable');
    assert.equal(error.kind, 'refused');
    assert.deepEqual(await made.query('SELECT id FROM hosts'), [{ id: 0 }]);
    assert.deepEqual(await leftSchemas(made), []);
    assert.deepEqual(await leftGuards(made), []);
    const again = await thrown(runOn(t, made, hostsPipeline(source(rows)), { ...OPTIONS, resume: '1' }));
    assert.equal(again.code, 'not_resumable');
  });

test('--no-source-data stays with the batch; it, and --only-rejects-of, cannot come in later', async (t) => {
  const made = await database(t);
  const resume = (options: Options, id: string) =>
    runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, ...options, resume: id });
  await breakOff(t, made);
  for (const [options, says] of [
    [{ noSourceData: true }, /begun without --no-source-data, and the ledger has values/],
    [{ onlyRejectsOf: '1' }, /begun without --only-rejects-of 1/],
  ] as const) {
    const error = await thrown(resume(options, '1'));
    assert.equal(error.code, 'not_resumable');
    assert.match(error.message, says);
    assert.match(
      String(error.facts.next),
      /sluice run hosts --resume 1,or (start afresh|resubmit them by themselves): /,
    );
  }
  await resume({}, '1');

  await breakOff(t, made, undefined, hosts(1000, 'other'), { noSourceData: true });
  await runOn(t, made, hostsPipeline(source(hosts(1000, 'other'))), { ...OPTIONS, resume: '2' });
  const kept = await made.query<{ batch_id: string; n: number }>(
    'SELECT batch_id::int, count(raw)::int + count(stage_row)::int AS n FROM sluice.migration_reject GROUP BY 1 ORDER BY 1',
  );
  assert.deepEqual(
    kept.map(({ n }) => n > 0),
    [true, false],
  );
});

test('a write to live between the two attempts refuses the publish', async (t) => {
  const made = await database(t);
  await breakOff(t, made);
  await made.query("UPDATE hosts SET name = 'written in between'");
  const error = await thrown(runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, resume: '1' }));
  assert.equal(error.kind, 'refused');
  assert.match(error.message, /1 statement wrote to .* since/);
  assert.deepEqual(await made.query('SELECT name FROM hosts'), [{ name: 'written in between' }]);
});

test('a run that broke off behind its load reads nothing again', async (t) => {
  const made = await database(t);
  const killing =
    (kills: boolean, finds: readonly { severity: 'error'; message: string }[] = []) =>
    (from: Source<Host>) =>
      hostsPipeline(from, {
        validations: [
          validation('kills its own session once', 'It does.', async ({ database: asked }) => {
            if (kills) await asked.query('SELECT pg_terminate_backend(pg_backend_pid())');
            return finds;
          }),
        ],
      });
  const error = await thrown(runOn(t, made, killing(true)(source(hosts(1000))), OPTIONS));
  assert.equal(error.code, 'connection_lost');
  const unread: Source<Host> = {
    ...source([]),
    // biome-ignore lint/correctness/useYield: it must not even be asked
    async *read() {
      assert.fail('it was read again');
    },
  };
  const { summary } = await runOn(t, made, killing(false)(unread), { ...OPTIONS, resume: '1' });
  assert.equal(summary.status, 'completed');
  assert.equal(summary.read, 1000);
  assert.equal(summary.rejected, REJECTED(1000));
  assert.equal((await ids(made))?.n, 1000 - REJECTED(1000));
  // What the first attempt has read and rejected stays in the ledger, also where the second comes to nothing.
  await made.query('TRUNCATE hosts');
  await thrown(runOn(t, made, killing(true)(source(hosts(1000))), OPTIONS));
  const wrong = killing(false, [{ severity: 'error', message: 'wrong' }])(unread);
  assert.equal((await thrown(runOn(t, made, wrong, { ...OPTIONS, resume: '2' }))).kind, 'refused');
  for (const [id, status] of [
    ['1', 'completed'],
    ['2', 'failed'],
  ] as const) {
    const batch = await findBatch(openDatabase(t, made), id);
    assert.equal(batch.status, status);
    assert.deepEqual(batch.input_columns, { hosts: ['id', 'name', 'address'] });
    assert.deepEqual([batch.total_records, batch.error_count], [1000, REJECTED(1000)]);
  }
});

test('staging that somebody else has written to, or that a restart may have emptied, is not published', async (t) => {
  const made = await database(t, 'ALTER TABLE hosts SET UNLOGGED');
  await breakOff(t, made);
  await made.query("UPDATE sluice.migration_batch SET server_started_at = '2001-01-01'");
  const resume = () => runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, resume: '1' });
  assert.equal((await thrown(resume())).code, 'staging_emptied');
  await made.query('UPDATE sluice.migration_batch SET server_started_at = pg_postmaster_start_time()');
  await made.query('DELETE FROM sluice_staging_1.hosts WHERE id = 7');
  assert.equal((await thrown(resume())).code, 'staging_differs');
  assert.deepEqual(await made.query('SELECT id FROM hosts'), [{ id: 0 }]);
});

test('what is kept to be resumed is listed by cleanup, and dropped with its guard', async (t) => {
  const made = await database(t);
  await breakOff(t, made);
  const opened = openDatabase(t, made);
  const found = await findLeftovers(opened, 30);
  assert.deepEqual(found.map(({ kind }) => kind).sort(), ['guard', 'staging']);
  for (const each of found) await dropLeftover(opened, each);
  assert.deepEqual(await leftSchemas(made), []);
  assert.deepEqual(await leftGuards(made), []);
  const error = await thrown(runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, resume: '1' }));
  assert.equal(error.code, 'not_resumable');
});

test('another session that works on the batch, or on its tables, keeps the resumed run from beginning', async (t) => {
  const made = await database(t);
  await breakOff(t, made);
  const writer = await made.connect();
  await writer.query("SELECT pg_advisory_lock_shared(x'51c1d0'::int, 1)");
  // It does not go by itself, as if its machine were gone: it is ended.
  await runOn(t, made, hostsPipeline(source(hosts(1000))), { ...OPTIONS, resume: '1' });
  await assert.rejects(writer.query('SELECT 1'));
  assert.equal((await ids(made))?.n, 1000 - REJECTED(1000));
});

test('a file that has changed is refused before anything is read, and resumes once it is put back', async (t) => {
  const made = await database(t);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-resume-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'hosts.csv');
  const lines = hosts(1000).map(({ id, name, address }) => `${id},${name ?? ''},${address}`);
  writeFileSync(path, `id,name,address\n${lines.join('\n')}\n`);
  const file = csv(path, { columns: ['id', 'name', 'address'] }) as unknown as Source<Host>;
  await breakOff(t, made, (slow) => hostsPipeline({ ...file, read: slow.read }));
  const resume = () => runOn(t, made, hostsPipeline(file), { ...OPTIONS, resume: '1' });
  const text = readFileSync(path, 'utf8');
  for (const other of [`${text}1001,one more,10.0.0.1\n`, text.replace('host 9', 'ghost')]) {
    writeFileSync(path, other);
    const error = await thrown(resume());
    assert.equal(error.code, 'input_changed');
    assert.match(error.message, /hosts\.csv/);
  }
  writeFileSync(path, text);
  assert.match((await thrown(resume())).message, /was written at/);
  const opened = openDatabase(t, made);
  const record = (await findBatch(opened, '1')).manifest;
  const modified = new Date(record?.inputs.hosts?.print?.modified ?? 0);
  utimesSync(path, modified, modified);
  assert.equal((await resume()).summary.status, 'completed');
});

test('an input that can be read only once says so beforehand, and cannot be resumed', async (t) => {
  const made = await database(t);
  const said: string[] = [];
  const once: Source<Host> = { ...source(hosts(1000)), kind: 'stdin', name: '-' };
  const events = { note: (text: string) => void said.push(text) };
  const error = await thrown(
    runOn(
      t,
      made,
      hostsPipeline({
        ...once,
        async *read(run) {
          yield* source(hosts(200)).read(run);
          await made.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ 'load'`,
          );
          await sleep(50);
          yield* source(hosts(1000).slice(200)).read(run);
        },
      }),
      { ...OPTIONS, events },
    ),
  );
  assert.match(said[0] ?? '', /^hosts can be read only once: .* from a file can go on/);
  assert.equal(error.code, 'connection_lost');
  assert.doesNotMatch(String(error.facts.next), /--resume/);
  assert.deepEqual(await leftSchemas(made), []);
  const again = await thrown(runOn(t, made, hostsPipeline(once), { ...OPTIONS, resume: '1' }));
  assert.equal(again.code, 'not_resumable');
  assert.match(again.message, /stdin could be read only once/);
});

test('a batch that is done, of another pipeline, or not there, cannot be resumed', async (t) => {
  const made = await database(t);
  const run = (resume: string | undefined, more: More = {}) =>
    runOn(t, made, hostsPipeline(source(hosts(10)), more), {
      ...OPTIONS,
      ...(resume === undefined ? {} : { resume }),
    });
  assert.equal((await thrown(run('1'))).code, 'no_ledger');
  await run(undefined);
  assert.equal((await thrown(run('1'))).code, 'not_resumable');
  assert.equal((await thrown(run('77'))).code, 'no_such_batch');
  assert.match((await thrown(run('1', { name: 'others' }))).message, /one of hosts, not of others/);
});
