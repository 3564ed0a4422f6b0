import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import { type Pipeline, pipeline, validation } from '../../../src/core/pipeline.js';
import type { Row } from '../../../src/core/row.js';
import { append, merge } from '../../../src/core/target.js';
import type { Source } from '../../../src/core/types.js';
import { sort } from '../../../transforms/index.js';
import { csvFile, inShort, runAround } from '../../support/broken.js';
import { testDatabase } from '../../support/database.js';

const published = (ran: unknown) => assert.ok(!(ran instanceof SluiceError), String(ran));
const SYSTEM = `CREATE TABLE items (id int PRIMARY KEY, n int CHECK (n > 0), phone text UNIQUE, at timestamptz DEFAULT now());
  CREATE TABLE copies (LIKE items INCLUDING ALL)`;
const COLUMNS = { columns: ['id', 'n', 'phone'] as const };

/** Items sorted by number, into one table or by a fork into two. */
function items(source: Source, more: Partial<Pipeline> = {}, fork = false): Pipeline {
  return pipeline({
    name: 'items',
    summary: 'items',
    inputs: { items: source },
    tables: {
      items: merge('items', { ...COLUMNS, key: ['id'] }),
      ...(fork ? { copies: append('copies', COLUMNS) } : {}),
    } as never,
    flows: ({ inputs, tables }: never) => {
      const { items: from } = inputs as Record<string, Source>;
      const to = tables as Record<string, never>;
      const way = flow(from as Source<Row>).through(sort<Row>({ by: ['n'], name: 'by number' }));
      return [
        fork
          ? way.fork(
              (a) => a.into(to.items as never),
              (b) => b.into(to.copies as never),
            )
          : way.into(to.items as never),
      ];
    },
    ...more,
  } as never);
}

const LINES = ['id,n,phone', '1,5,111', '2,-4,222', '3,3,333', '1,2,444', '5,1,333'];

test('records of rows that break a constraint have the error, and the summary counts them', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { ran } = await runAround(
    t,
    database,
    items(csvFile(t, 'items.csv', ...LINES), {
      records: { items: { type: 'item', sourceId: 'id', targetId: 'id' } },
    }),
  );
  published(ran);
  const records = await database.query(
    'SELECT line::int AS line, status, error_field, target_id::int AS id FROM sluice.migration_record ORDER BY line',
  );
  // The rows come sorted: of two with a key the one with the smaller number is the first.
  assert.deepEqual(records, [
    { line: 2, status: 'error', error_field: 'id', id: null },
    { line: 3, status: 'error', error_field: 'n', id: null },
    { line: 4, status: 'error', error_field: 'phone', id: null },
    { line: 5, status: 'success', error_field: '', id: 1 },
    { line: 6, status: 'success', error_field: '', id: 5 },
  ]);
  assert.deepEqual(
    !(ran instanceof SluiceError) && ran.summary.records.map(({ success, error }) => [success, error]),
    [[2, 3]],
  );
});

test('in a fork each end rejects for itself, and the accounts balance', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `${SYSTEM}; ALTER TABLE copies DROP CONSTRAINT items_n_check, DROP CONSTRAINT copies_phone_key`,
  );
  const { ran, rejects } = await runAround(t, database, items(csvFile(t, 'items.csv', ...LINES), {}, true));
  published(ran);
  assert.deepEqual(inShort(rejects), [
    '2 unique_violation items_pkey id=1',
    '2 unique_violation copies_pkey id=1',
    '3 check_violation items_n_check n=-4',
    '4 unique_violation items_phone_key phone=333',
  ]);
  assert.deepEqual(!(ran instanceof SluiceError) && ran.summary.loaded, { items: 2, copies: 4 });
});

test('values of masked columns are not told, the constraint and the line are', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${SYSTEM}; ALTER TABLE items ADD UNIQUE (n, phone)`);
  await runAround(t, database, items(csvFile(t, 'items.csv', ...LINES), { mask: ['phone'] }));
  const [row] = await database.query<{ text: string; constraint_name: string }>(
    'SELECT row_to_json(r)::text AS text, constraint_name FROM sluice.migration_reject r WHERE line = 4',
  );
  assert.equal(row?.constraint_name, 'items_phone_key');
  assert.doesNotMatch(row?.text ?? '', /333/);
});

test('a batch that broke off behind its rejects is resumed, and has each of them once', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  let lost = false;
  const breaking = validation('breaks', 'loses its session', async ({ database: session }) => {
    if (!lost) {
      lost = true;
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%control%'",
      );
    }
    await session.query('SELECT 1');
    return [];
  });
  const of = items(csvFile(t, 'items.csv', ...LINES), { validations: [breaking] });
  const limit = { maxRejects: { rows: 9 } };
  const broken = await runAround(t, database, of, limit);
  assert.equal((broken.ran as SluiceError).code, 'connection_lost', String(broken.ran));
  const resumed = await runAround(t, database, of, { ...limit, resume: '1' });
  published(resumed.ran);
  assert.deepEqual(inShort(resumed.rejects), [
    '2 unique_violation items_pkey id=1',
    '3 check_violation items_n_check n=-4',
    '4 unique_violation items_phone_key phone=333',
  ]);
  assert.deepEqual(await database.query('SELECT id FROM items ORDER BY id'), [{ id: 1 }, { id: 5 }]);
});
