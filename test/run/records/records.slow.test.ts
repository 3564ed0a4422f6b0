import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import { type PipelineDefinition, pipeline } from '../../../src/core/pipeline.js';
import type { Row } from '../../../src/core/row.js';
import { merge, replace } from '../../../src/core/target.js';
import { named, type Source } from '../../../src/core/types.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import { memory } from '../../../src/sources/memory.js';
import { filter, sort, validate } from '../../../transforms/index.js';
import { type TestDatabase, testDatabase, WITHOUT_LEDGER } from '../../support/database.js';
import { engine } from '../../support/engine.js';
import { long } from '../../support/long.js';

const CLIENTS = `CREATE TABLE clients (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 101) PRIMARY KEY,
  source_id text NOT NULL UNIQUE, name text NOT NULL, phone text)`;

const OLD: readonly Row[] = [
  { code: 'c1', name: 'Ana', phone: '55 1' },
  { code: 'c2', name: '', phone: '55 2' },
  { code: 'c3', name: 'Íñigo\t"el \\ niño"\n', phone: null },
  { code: 'c4', name: 'gone', phone: null },
];

interface Shape {
  readonly rows?: readonly Row[] | Source;
  readonly stages?: 'sorted' | 'silent';
  readonly more?: Partial<PipelineDefinition<Record<string, Source>, { clients: ReturnType<typeof merge> }>>;
}

/** Clients of an old system, merged by the id that they had there. */
function importing({ rows = OLD, stages, more = {} }: Shape = {}) {
  const source = Array.isArray(rows) ? memory('clients.csv', rows as readonly Row[]) : (rows as Source);
  const renamed = named('rename', async function* (chunks: AsyncIterable<readonly Row[]>) {
    for await (const chunk of chunks)
      yield chunk.map(({ code, ...row }) => ({ ...row, source_id: code }) as Row);
  });
  const silently = named('silent', async function* (chunks: AsyncIterable<readonly Row[]>, run) {
    for await (const chunk of chunks) {
      const out = chunk.filter((row) => row.name !== 'gone');
      run.skip('said nothing of which', chunk.length - out.length);
      yield out;
    }
  });
  return pipeline({
    name: 'test-import',
    summary: 'imports clients',
    inputs: { people: source },
    tables: { clients: merge('clients', { columns: ['source_id', 'name', 'phone'], key: ['source_id'] }) },
    records: { people: { type: 'client', sourceId: 'code', table: 'clients' } },
    flows: ({ inputs, tables }) => [
      flow(inputs.people as Source<Row>)
        .through(
          stages === 'silent' ? silently : filter((row: Row) => row.name !== 'gone', 'gone_away'),
          ...((stages === 'sorted' ? [sort<Row>({ by: ['name'], name: 'by name' })] : []) as []),
          validate<Row>({ type: 'object', properties: { name: { type: 'string', minLength: 1 } } }) as never,
          renamed as never,
        )
        .into(tables.clients as never),
    ],
    ...(more as object),
  });
}

const RECORDS = `SELECT number::int, record_type, source_id, status, target_model, target_id::int, source_data->>'name' AS source,
  transformed_data->>'source_id' AS made, error_message, error_field, input, line::int
  FROM sluice.migration_record WHERE batch_id = $1 ORDER BY number`;

const recordsOf = (database: TestDatabase, batch: string | null) => database.query(RECORDS, [batch]);
const statuses = async (database: TestDatabase, batch: string | null) =>
  (
    await database.query<{ source_id: string; status: string }>(
      'SELECT source_id, status FROM sluice.migration_record WHERE batch_id = $1 ORDER BY number',
      [batch],
    )
  ).map(({ source_id, status }) => `${source_id} ${status}`);

async function setUp(t: TestContext) {
  const database = await testDatabase(t);
  await database.query(CLIENTS);
  const own = engine(t, database);
  return { database, own, run: own.run };
}

const SOME = { maxRejects: { rows: 5 } };

test('a batch that fails keeps its records: errors with their sentence, the rest still pending', async (t) => {
  const { database, run } = await setUp(t);
  await assert.rejects(run(importing()), { code: 'too_many_rejects' });
  const [batch] = await database.query<{ id: string }>('SELECT id::text FROM sluice.migration_batch');
  assert.deepEqual(await statuses(database, batch?.id ?? null), [
    'c1 pending',
    'c2 error',
    'c3 pending',
    'c4 skipped',
  ]);
});

test('every row of the input has a record that says what became of it', async (t) => {
  const { database, run } = await setUp(t);
  const { summary } = await run(importing(), SOME);
  const [ana, empty, quoted, gone] = await recordsOf(database, summary.batch);
  const known = { record_type: 'client', input: 'people', error_field: '', error_message: '' };
  assert.deepEqual(ana, {
    ...known,
    number: 1,
    source_id: 'c1',
    status: 'success',
    target_model: 'public.clients',
    target_id: 101,
    source: 'Ana',
    made: 'c1',
    line: 1,
  });
  assert.equal(empty?.status, 'error');
  assert.equal(empty?.error_field, 'name');
  assert.match(String(empty?.error_message), /name/);
  assert.deepEqual([empty?.target_model, empty?.target_id, empty?.made], ['', null, null]);
  assert.equal(quoted?.source, OLD[2]?.name, 'quotes, tabs, newlines and backslashes are kept');
  assert.equal(quoted?.target_id, 102);
  assert.deepEqual([gone?.status, gone?.error_message, gone?.source_id], ['skipped', 'gone away', 'c4']);
});

test('importing again updates what changed, adds what is new and skips the rest', async (t) => {
  const { database, run } = await setUp(t);
  await run(importing(), SOME);
  const again = OLD.with(1, { code: 'c2', name: 'Bea', phone: '55 2' }).with(0, { ...OLD[0], phone: '55 9' });
  const { summary } = await run(importing({ rows: again }), SOME);
  assert.deepEqual(await statuses(database, summary.batch), [
    'c1 success',
    'c2 success',
    'c3 skipped',
    'c4 skipped',
  ]);
  const records = await recordsOf(database, summary.batch);
  assert.deepEqual(
    records.map(({ target_id, error_message }) => [target_id, error_message]),
    [
      [101, ''],
      [103, ''],
      [102, 'unchanged'],
      [null, 'gone away'],
    ],
  );
  const [counts] = await database.query(
    'SELECT total_records::int t, processed_records::int p, success_count::int s, error_count::int e, skip_count::int k FROM sluice.migration_batch WHERE id = $1',
    [summary.batch],
  );
  assert.deepEqual(counts, { t: 4, p: 4, s: 2, e: 0, k: 2 });
});

test('a rollback restores the rows, and their records say so; a later batch on top refuses it', async (t) => {
  const { database, own, run } = await setUp(t);
  const options = { database: own.database, log: own.log };
  const first = (await run(importing(), SOME)).summary.batch as string;
  const changed = OLD.with(0, { ...OLD[0], phone: '55 9' });
  const second = (await run(importing({ rows: changed }), SOME)).summary.batch as string;
  await assert.rejects(rollbackBatch(first, options), ({ code, facts }: SluiceError) => {
    assert.deepEqual([code, facts.details], ['built_upon', [`public.clients: batch ${second}`]]);
    const next = `roll those back first, the latest first: sluice rollback ${second}`;
    assert.equal(String(facts.next), next);
    return true;
  });
  await rollbackBatch(second, options);
  assert.deepEqual(await statuses(database, second), [
    'c1 rolled_back',
    'c2 error',
    'c3 skipped',
    'c4 skipped',
  ]);
  assert.deepEqual(await database.query("SELECT phone FROM clients WHERE source_id = 'c1'"), [
    { phone: '55 1' },
  ]);
  await rollbackBatch(first, options);
  assert.deepEqual(await statuses(database, first), [
    'c1 rolled_back',
    'c2 error',
    'c3 rolled_back',
    'c4 skipped',
  ]);
  assert.deepEqual(await database.query('SELECT FROM clients'), []);
});

/** Clients whose ids are known before they are live; two of them are texts that are numbers to the table only. */
const NUMBERED: readonly Row[] = [
  { code: '7', name: 'Ana', phone: null },
  { code: ' +8 ', name: 'Bea', phone: null },
  { code: '9', name: 'Eva', phone: null },
];

const numbered = (rows: readonly Row[], mode: 'merge' | 'replace' = 'merge', sorted = true) => {
  const columns = ['id', 'source_id', 'name', 'phone'];
  const withId = named('with id', async function* (chunks: AsyncIterable<readonly Row[]>) {
    for await (const chunk of chunks)
      yield chunk.map((row) => ({ id: row.code, source_id: `c${row.code}`, ...row, code: undefined }) as Row);
  });
  return importing({
    more: {
      inputs: { people: oneByOne(rows) },
      tables: {
        clients:
          mode === 'merge'
            ? merge('clients', { columns, key: ['source_id'] })
            : replace('clients', { columns }),
      },
      flows: ({ inputs, tables }: { inputs: Record<string, Source<Row>>; tables: Record<string, never> }) => [
        flow(inputs.people as Source<Row>)
          .through(...((sorted ? [sort<Row>({ by: ['name'], name: 'by name' })] : []) as []), withId as never)
          .into(tables.clients as never),
      ],
    } as never,
  });
};

long(
  'ids that rows are loaded with are in their records once they are live, however they are written',
  async (t) => {
    const { database, own, run } = await setUp(t);
    await database.query('ALTER TABLE clients ALTER id SET GENERATED BY DEFAULT');
    const shown = async (batch: string | null) =>
      (
        await database.query<{ said: string }>(
          "SELECT concat_ws(' ', source_id, status, target_id) AS said FROM sluice.migration_record WHERE batch_id = $1 ORDER BY number",
          [batch],
        )
      ).map(({ said }) => said);
    for (const mode of ['replace', 'merge'] as const) {
      await database.query('DELETE FROM clients');
      const { batch } = (await run(numbered(NUMBERED, mode), { publish: false })).summary;
      assert.deepEqual(await shown(batch), ['7 pending', ' +8  pending', '9 pending']);
      await swapBatch(numbered(NUMBERED, mode), await findStaged(own.database, batch as string), {
        database: own.database,
        log: own.log,
      });
      assert.deepEqual(await shown(batch), ['7 success 7', ' +8  success 8', '9 success 9'], mode);
    }
    const same = (await run(numbered(NUMBERED))).summary.batch;
    assert.deepEqual(await shown(same), ['7 skipped 7', ' +8  skipped 8', '9 skipped 9'], 'nothing was new');
    const changed = NUMBERED.with(2, { code: '9', name: 'Ivo', phone: null });
    const { batch } = (await run(numbered(changed))).summary;
    assert.deepEqual(
      await shown(batch),
      ['7 skipped 7', ' +8  skipped 8', '9 success 9'],
      'two were unchanged',
    );
  },
);

test('a row that the server refuses after its record was written has an error and no id', async (t) => {
  const { database, run } = await setUp(t);
  await database.query(
    'ALTER TABLE clients ALTER id SET GENERATED BY DEFAULT, ALTER phone TYPE inet USING NULL',
  );
  const rows = [...NUMBERED, { code: '10', name: 'Zoe', phone: 'no address' }];
  const { batch } = (await run(numbered(rows, 'merge', false), SOME)).summary;
  const refused = await database.query(
    "SELECT status, target_model, target_id, error_field FROM sluice.migration_record WHERE batch_id = $1 AND source_id = '10'",
    [batch],
  );
  assert.deepEqual(refused, [{ status: 'error', target_model: '', target_id: null, error_field: 'phone' }]);
});

test('a publish and its rollback say of records what became of them without writing each anew', async (t) => {
  const { database, own, run } = await setUp(t);
  await database.query('ALTER TABLE clients ALTER id SET GENERATED BY DEFAULT');
  const places = () =>
    database.query('SELECT number, ctid, status FROM sluice.migration_record_row ORDER BY 1');
  const options = { database: own.database, log: own.log };
  const { batch } = (await run(numbered(NUMBERED), { publish: false })).summary;
  const before = await places();
  await swapBatch(numbered(NUMBERED), await findStaged(own.database, batch as string), options);
  assert.deepEqual(await places(), before);
  assert.deepEqual(await statuses(database, batch), ['7 success', ' +8  success', '9 success']);
  await rollbackBatch(batch as string, options);
  assert.deepEqual(await places(), before);
  assert.deepEqual(await statuses(database, batch), ['7 rolled_back', ' +8  rolled_back', '9 rolled_back']);
});

test('records of a batch that is loaded wait for the swap', async (t) => {
  const { database, own, run } = await setUp(t);
  const { summary } = await run(importing(), { ...SOME, publish: false });
  const batch = summary.batch as string;
  assert.deepEqual(await statuses(database, batch), ['c1 pending', 'c2 error', 'c3 pending', 'c4 skipped']);
  await swapBatch(importing(), await findStaged(own.database, batch), {
    database: own.database,
    log: own.log,
  });
  assert.deepEqual(await statuses(database, batch), ['c1 success', 'c2 error', 'c3 success', 'c4 skipped']);
});

long('a dry run writes no records; a rehearsal’s are rolled back', async (t) => {
  const { database, run } = await setUp(t);
  await database.query(WITHOUT_LEDGER);
  await run(importing(), { ...SOME, dryRun: true });
  assert.deepEqual(await database.query("SELECT to_regclass('sluice.migration_record') AS at"), [
    { at: null },
  ]);
  const { summary } = await run(importing(), { ...SOME, rehearse: true });
  assert.deepEqual(await statuses(database, summary.batch), [
    'c1 rolled_back',
    'c2 error',
    'c3 rolled_back',
    'c4 skipped',
  ]);
});

long('--records errors keeps those with an error, none keeps none', async (t) => {
  const { database, run } = await setUp(t);
  const errors = (await run(importing(), { ...SOME, records: 'errors' })).summary.batch;
  assert.deepEqual(await statuses(database, errors), ['c2 error']);
  const none = (await run(importing(), { ...SOME, records: 'none' })).summary.batch;
  assert.deepEqual(await statuses(database, none), []);
});

test('a pipeline that declares no records keeps none, and says so to who wants some', async (t) => {
  const { run } = await setUp(t);
  const bare = importing({ more: { records: {} } });
  await assert.rejects(run(bare, { ...SOME, records: 'all' }), { code: 'no_records' });
});

/** Chunks of one row each, so that a few rows are many chunks. */
function oneByOne(rows: readonly Row[]): Source {
  const all = memory('clients.csv', rows);
  return {
    ...all,
    async *read(run) {
      for await (const chunk of all.read(run)) for (const row of chunk) yield [row];
    },
  };
}

const MANY: readonly Row[] = Array.from({ length: 60 }, (_, i) =>
  i === 3
    ? { code: 'bad', name: '', phone: null }
    : i === 4
      ? { code: 'left', name: 'gone', phone: null }
      : { code: `m${i}`, name: `name ${99 - i}`, phone: null },
);

long('rows that a stage holds back for long have one record each, too', async (t) => {
  const { database, run } = await setUp(t);
  const { summary } = await run(importing({ rows: oneByOne(MANY), stages: 'sorted' }), SOME);
  const records = await recordsOf(database, summary.batch);
  assert.deepEqual(
    records.map(({ number, source_id, status }) => [number, source_id, status]),
    MANY.map(({ code }, i) => [
      i + 1,
      code,
      code === 'bad' ? 'error' : code === 'left' ? 'skipped' : 'success',
    ]),
  );
  assert.ok(records.every(({ status, made }) => (made !== null) === (status === 'success')));
  const [joined] = await database.query(
    'SELECT count(*)::int AS n FROM sluice.migration_record r JOIN clients c ON c.id = r.target_id AND c.source_id = r.source_id WHERE batch_id = $1',
    [summary.batch],
  );
  assert.deepEqual(joined, { n: 58 });
});

long('a row that a stage leaves out without saying which is skipped with the reason', async (t) => {
  const { database, run } = await setUp(t);
  const { summary } = await run(importing({ rows: oneByOne(MANY), stages: 'silent' }), SOME);
  const [left] = await database.query(
    "SELECT status, error_message FROM sluice.migration_record WHERE batch_id = $1 AND source_id = 'left'",
    [summary.batch],
  );
  assert.deepEqual(left, { status: 'skipped', error_message: 'said nothing of which' });
});

long('a replaced table’s records know the ids that the rows got in staging', async (t) => {
  const { database, run } = await setUp(t);
  const table = replace('clients', { columns: ['source_id', 'name', 'phone'], omit: ['id'] });
  const records = { people: { type: 'client', sourceId: 'code', table: 'clients', key: ['source_id'] } };
  const { summary } = await run(importing({ more: { tables: { clients: table }, records } as never }), SOME);
  const [ana] = await recordsOf(database, summary.batch);
  const [live] = await database.query<{ id: number }>("SELECT id::int FROM clients WHERE source_id = 'c1'");
  assert.deepEqual([ana?.status, ana?.target_id], ['success', live?.id]);
  const again = await run(importing({ more: { tables: { clients: table }, records } as never }), SOME);
  assert.ok(['completed', 'unchanged'].includes(again.summary.status));
});

long('masked columns are in no record; ids and states are right all the same', async (t) => {
  const { database, run } = await setUp(t);
  const mask = ['phone', 'source_id', 'code'];
  const first = (await run(importing({ more: { mask } }), SOME)).summary.batch;
  const [ana] = await database.query(
    'SELECT source_id, source_data, transformed_data, target_id::int FROM sluice.migration_record WHERE batch_id = $1 AND number = 1',
    [first],
  );
  assert.deepEqual(ana, {
    source_id: '',
    source_data: { code: '[masked]', name: 'Ana', phone: '[masked]' },
    transformed_data: { source_id: '[masked]', name: 'Ana', phone: '[masked]' },
    target_id: 101,
  });
  const { summary } = await run(importing(), { ...SOME, noSourceData: true });
  assert.deepEqual(
    await database.query(
      'SELECT status, source_id, source_data, transformed_data, target_id::int FROM sluice.migration_record WHERE batch_id = $1 ORDER BY number',
      [summary.batch],
    ),
    (['skipped', 'error', 'skipped', 'skipped'] as const).map((status) => ({
      status,
      source_id: '',
      source_data: {},
      transformed_data: {},
      target_id: null,
    })),
    'a run that changes nothing publishes nothing, and does not look for ids',
  );
});

test('the ledger refuses a record of an unknown state, type or batch', async (t) => {
  const { database, run } = await setUp(t);
  await run(importing(), SOME);
  const set = (what: string, of = 'row') =>
    database.query(`UPDATE sluice.migration_record_${of} SET ${what}`);
  await assert.rejects(set("status = 'done'"), { code: '23514' });
  await assert.rejects(set("record_type = 'Client!'"), { code: '23514' });
  await assert.rejects(set('batch_id = 999'), { code: '23503' });
  await assert.rejects(set("status = 'pending'", 'outcome'), { code: '23514' });
  await assert.rejects(set('batch_id = 999', 'outcome'), { code: '23503' });
  await database.query('DELETE FROM sluice.migration_batch');
  for (const of of ['row', 'outcome'])
    assert.deepEqual(
      await database.query(`SELECT FROM sluice.migration_record_${of}`),
      [],
      `each ${of} goes with it`,
    );
});

long('a record whose row a trigger suppressed is skipped, and says why', async (t) => {
  const { database, run } = await setUp(t);
  await database.query(
    `CREATE FUNCTION no_ana() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.name = ''Ana'' THEN RETURN NULL; END IF; RETURN NEW; END';
     CREATE TRIGGER no_ana BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION no_ana()`,
  );
  const { summary } = await run(importing(), { ...SOME, allowSuppressed: true });
  assert.deepEqual(
    await database.query(
      "SELECT source_id, status, error_message AS why FROM sluice.migration_record WHERE batch_id = $1 AND source_id IN ('c1', 'c3') ORDER BY 1",
      [summary.batch],
    ),
    [
      { source_id: 'c1', status: 'skipped', why: 'suppressed' },
      { source_id: 'c3', status: 'success', why: '' },
    ],
  );
  const [clients] = summary.records;
  assert.deepEqual(
    [clients?.success, clients?.skipped, clients?.skips],
    [1, 2, { gone_away: 1, suppressed: 1 }],
  );
  assert.deepEqual([summary.loaded, summary.changes.clients?.suppressed], [{ clients: 1 }, 1]);
});
