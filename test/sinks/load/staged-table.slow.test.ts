import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedTable } from '../../../sinks/load/checked-table.js';
import { type StagedTableOptions, stagedTable } from '../../../sinks/load/staged-table.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { markOrigin, type Row } from '../../../src/core/row.js';
import { readColumns } from '../../../src/db/catalog/columns.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { isSluice } from '../../support/said.js';
import { sinkRun } from '../../support/sink-run.js';
import { until } from '../../support/until.js';

async function options(
  database: TestDatabase,
  ddl: string,
  more: Partial<StagedTableOptions> = {},
): Promise<StagedTableOptions> {
  await database.query(`CREATE TABLE staged (${ddl})`);
  return {
    schema: 'public',
    table: 'staged',
    liveName: 'public.live',
    columns: await readColumns(database, 'public', 'staged'),
    connect: () => database.connect({ application_name: 'sink' }),
    ...more,
  };
}

const rowsFrom = (from: number, to: number, make: (n: number) => Row): Row[] =>
  Array.from({ length: to - from }, (_, i) => markOrigin({ ...make(from + i) }, from + i));

test('a value that no guard can judge and the server refuses costs its own row only', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const staging = await stagedTable(
    await options(database, 'id int, address inet', { segmentBytes: 2000 }),
  ).open(run);
  const bad = new Set([0, 77, 78, 150, 399]);
  for (let from = 0; from < 400; from += 50) {
    await staging.write(
      rowsFrom(from, from + 50, (n) => ({ id: String(n), address: bad.has(n) ? 'no\taddress' : '10.0.0.1' })),
    );
  }
  assert.equal(await staging.close(), 395);
  assert.deepEqual(
    run.rejects.map(({ why }) => [why.reason, why.sqlstate, why.column, why.value]),
    [...bad].map(() => ['refused_by_server', '22P02', 'address', 'no\taddress']),
  );
  assert.deepEqual(
    run.rejects.map(({ row }) => [row?.id, (row as { [k: symbol]: number })[Symbol.for('sluice.origin')]]),
    [...bad].map((n) => [String(n), n]),
  );
  const [count] = await database.query<{ n: number; d: number }>(
    'SELECT count(*)::int AS n, count(DISTINCT id)::int AS d FROM staged',
  );
  assert.deepEqual(count, { n: 395, d: 395 });
});

test('a backend that is killed in mid-load fails the load with connection_lost, and nothing hangs', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(await options(database, 'id int')).open(sinkRun(t, database));
  await staging.write(rowsFrom(0, 1000, (n) => ({ id: n })));
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sink'",
  );
  await assert.rejects(
    async () => {
      for (let i = 0; i < 1000; i++) await staging.write(rowsFrom(0, 1000, (n) => ({ id: n })));
      await staging.close();
    },
    isSluice('connection_lost', /public\.live/, /0 rows of staging are committed/),
  );
  await staging.discard();
  assert.deepEqual(await database.query('SELECT * FROM staged'), []);
});

test('a backend that is killed after the last row fails close', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(await options(database, 'id int')).open(sinkRun(t, database));
  await staging.write(rowsFrom(0, 10, (n) => ({ id: n })));
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sink'",
  );
  await assert.rejects(staging.close(), isSluice('connection_lost'));
  await staging.discard();
});

test('an abort while the server takes no more rows ends the wait, and discard frees the session', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const staging = await stagedTable(await options(database, 'id int, filler text')).open(run);
  const holder = await database.connect();
  await holder.query('BEGIN; LOCK TABLE staged IN ACCESS EXCLUSIVE MODE');
  setTimeout(() => run.stop(), 100);
  const filler = 'x'.repeat(10_000);
  await assert.rejects(async () => {
    for (;;) await staging.write(rowsFrom(0, 100, (n) => ({ id: n, filler })));
  }, isSluice('interrupted'));
  await staging.discard();
  await holder.query('ROLLBACK');
  await until('the end of the session', async () => {
    const left = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sink'",
    );
    return left.length === 0;
  });
  assert.deepEqual(await database.query('SELECT * FROM staged'), []);
});

test('discard leaves nothing of the open segment and keeps what was committed', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(await options(database, 'id int', { segmentBytes: 300 })).open(
    sinkRun(t, database),
  );
  await staging.write(rowsFrom(100, 200, (n) => ({ id: n })));
  await staging.write(rowsFrom(200, 205, (n) => ({ id: n })));
  await staging.discard();
  const [row] = await database.query('SELECT count(*)::int AS n, max(id) AS last FROM staged');
  assert.deepEqual(row, { n: 100, last: 199 });
});

test('a segment and what its hook writes are committed together or not at all', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE ledger (number int, rows int, handed int, position int)');
  const staging = await stagedTable(
    await options(database, 'id int', {
      segmentBytes: 30,
      async onSegment(client, segment) {
        const { number, rows, handed, position } = segment;
        await client.query('INSERT INTO public.ledger VALUES ($1, $2, $3, $4)', [
          number,
          rows,
          handed,
          position,
        ]);
        if (number === 2) throw new Error('the ledger is full');
      },
    }),
  ).open(sinkRun(t, database));
  await staging.write(rowsFrom(100, 110, (n) => ({ id: n })));
  await staging.write(rowsFrom(110, 119, (n) => ({ id: n })));
  await staging.write(rowsFrom(119, 120, (n) => ({ id: n })));
  await assert.rejects(
    staging.close(),
    isSluice('load_failed', /the ledger is full/, /19 rows|20 rows|10 rows/),
  );
  await staging.discard();
  const ledger = await database.query('SELECT number, rows, handed, position FROM ledger');
  assert.deepEqual(
    ledger,
    [
      { number: 0, rows: 10, handed: 10, position: 109 },
      { number: 1, rows: 19, handed: 19, position: 118 },
    ].slice(0, ledger.length),
  );
  const [count] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM staged');
  assert.equal(count?.n, [0, 10, 19][ledger.length]);
});

test('a refusal without a line number is found by halving', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const sinkOptions = await options(database, 'id int');
  // An error at the end of the statement names no line.
  await database.query(`
    CREATE FUNCTION no_sevens() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF EXISTS (SELECT FROM new_rows WHERE id % 10 = 7) THEN RAISE EXCEPTION 'no sevens'; END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER t AFTER INSERT ON staged REFERENCING NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION no_sevens()`);
  const staging = await stagedTable(sinkOptions).open(run);
  await staging.write(rowsFrom(1, 31, (n) => ({ id: n })));
  assert.equal(await staging.close(), 27);
  assert.deepEqual(
    run.rejects.map(({ row, why }) => [row?.id, why.sqlstate, why.message]),
    ['7', '17', '27'].map((id) => [id, 'P0001', 'no sevens']),
  );
});

test('a server that drops rows without an error is found out', async (t) => {
  const database = await testDatabase(t);
  const sinkOptions = await options(database, 'id int');
  await database.query(`
    CREATE FUNCTION drop_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id % 2 = 0 THEN RETURN NULL; END IF; RETURN NEW;
    END $$;
    CREATE TRIGGER t BEFORE INSERT ON staged FOR EACH ROW EXECUTE FUNCTION drop_some()`);
  const staging = await stagedTable(sinkOptions).open(sinkRun(t, database));
  await staging.write(rowsFrom(0, 10, (n) => ({ id: n })));
  await assert.rejects(staging.close(), isSluice('row_count_differs', /5 of 10/));
  await staging.discard();
  assert.deepEqual(await database.query('SELECT * FROM staged'), []);
});

long('thousands of rows that only the server can judge do not make the load crawl', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const staging = await stagedTable(await options(database, 'id int, address inet')).open(run);
  for (let from = 0; from < 3000; from += 1000) {
    await staging.write(rowsFrom(from, from + 1000, (n) => ({ id: n, address: n % 4 === 0 ? 'x' : '::1' })));
  }
  assert.equal(await staging.close(), 2250);
  assert.equal(run.rejects.length, 750);
});

test('a table that is gone is an error of the load, not of its rows', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const sinkOptions = await options(database, 'id int');
  await database.query('DROP TABLE staged');
  const staging = await stagedTable(sinkOptions).open(run);
  await assert.rejects(
    async () => {
      await staging.write([{ id: 1 }]);
      await staging.close();
    },
    isSluice('copy_failed', /does not exist/, /42P01/),
  );
  await staging.discard();
  assert.equal(run.rejects.length, 0);
});

test('no rows at all: nothing is copied and zero is the answer', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(await options(database, 'id int')).open(sinkRun(t, database));
  assert.equal(await staging.close(), 0);
});

test('a key that the table lacks is a usage error with the nearest name', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(await options(database, 'id int, customer text')).open(
    sinkRun(t, database),
  );
  await assert.rejects(
    staging.write([{ id: 1, custmer: 'x' }]),
    isSluice('unknown_column', /custmer/, /did you mean \\"customer\\"/),
  );
  await staging.discard();
});

test('a NOT NULL column that nothing would fill is a usage error before the first row', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(
    await options(database, 'id int NOT NULL, made timestamp NOT NULL DEFAULT now(), note text'),
  ).open(sinkRun(t, database));
  await assert.rejects(staging.write([{ note: 'x' }]), isSluice('missing_column', /live\.id is NOT NULL/));
  await staging.discard();
});

test('a later row may have more columns, but never one that would be dropped unseen', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const staging = await stagedTable(await options(database, "id int, note text, kind text DEFAULT 'a'")).open(
    run,
  );
  await staging.write([
    { id: 1 },
    { id: 2, note: 'n' },
    { id: 3, kind: 'b' },
    { id: 4, kind: null },
    { id: 5, other: 1 },
  ]);
  assert.equal(await staging.close(), 3);
  assert.deepEqual(
    run.rejects.map(({ why }) => [why.reason, why.column, why.value]),
    [
      ['unknown_column', 'kind', 'b'],
      ['unknown_column', 'other', '1'],
    ],
  );
  assert.deepEqual(await database.query('SELECT * FROM staged ORDER BY id'), [
    { id: 1, note: null, kind: 'a' },
    { id: 2, note: 'n', kind: 'a' },
    { id: 4, note: null, kind: 'a' },
  ]);
});

test('declared columns alone are loaded, generated ones are left out, GENERATED ALWAYS identities are loaded', async (t) => {
  const database = await testDatabase(t);
  const staging = await stagedTable(
    await options(
      database,
      'id int GENERATED ALWAYS AS IDENTITY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED, "strange ""name" text',
      { wanted: ['id', 'a', 'twice', 'strange "name'] },
    ),
  ).open(sinkRun(t, database));
  await staging.write([{ id: 7, a: 1, twice: 99, 'strange "name': 'x', more: 1 }]);
  assert.equal(await staging.close(), 1);
  assert.deepEqual(await database.query('SELECT * FROM staged'), [
    { id: 7, a: 1, twice: 2, 'strange "name': 'x' },
  ]);
});

test('a dry run makes the same rejects and writes nothing', async (t) => {
  const database = await testDatabase(t);
  const wet = sinkRun(t, database);
  const dry = sinkRun(t);
  const sinkOptions = await options(database, 'id smallint NOT NULL, note varchar(3)');
  const rows = [
    { id: 1, note: 'abc' },
    { id: 99999, note: 'a' },
    { id: 2, note: 'abcd' },
    { id: null, note: '' },
  ];
  const results: number[] = [];
  for (const [sink, run] of [
    [stagedTable(sinkOptions), wet],
    [checkedTable(sinkOptions), dry],
  ] as const) {
    const staging = await sink.open(run);
    await staging.write(rows);
    results.push(await staging.close());
  }
  assert.deepEqual(results, [1, 1]);
  assert.deepEqual(dry.rejects, wet.rejects);
  assert.deepEqual(
    dry.rejects.map(({ why }) => why),
    [
      { reason: 'out_of_range', column: 'id', value: '99999', expected: 'integer from -32768 to 32767' },
      { reason: 'too_long', column: 'note', value: 'abcd', expected: 'at most 3 characters' },
      {
        reason: 'null_in_not_null',
        column: 'id',
        value: null,
        expected: 'integer from -32768 to 32767, not null',
      },
    ],
  );
  assert.equal(checkedTable(sinkOptions).writes, 'nothing');
});

test('a run that stops at its first reject leaves nothing of the chunk', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const stopping = {
    ...run,
    reject: () => {
      throw new SluiceError('refused', 'reject', 'stopped');
    },
  };
  const staging = await stagedTable(await options(database, 'id int')).open(stopping);
  await assert.rejects(staging.write([{ id: 1 }, { id: 'x' }]), isSluice('reject'));
  await staging.discard();
  assert.deepEqual(await database.query('SELECT * FROM staged'), []);
});
