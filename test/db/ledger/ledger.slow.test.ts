import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { changes } from '../../../src/core/changes.js';
import { PgDatabase } from '../../../src/db/connect.js';
import {
  findBatch,
  holdBatch,
  listUnfinished,
  moveBatch,
  startBatch,
} from '../../../src/db/ledger/batches.js';
import { mappingsInForce, readMappings, replaceMappings } from '../../../src/db/ledger/mappings.js';
import { ledgerVersion, openLedger, requireLedger } from '../../../src/db/ledger/open.js';
import { publishSql, undoSql } from '../../../src/db/ledger/publish-sql.js';
import { readPublished } from '../../../src/db/ledger/published.js';
import { forgetRecords, settlePending, undoRecordsSql } from '../../../src/db/ledger/records.js';
import { claimRejects, rejectFates } from '../../../src/db/ledger/reject-fates.js';
import { countRejects, readRejects } from '../../../src/db/ledger/rejects.js';
import { awaitWriters } from '../../../src/run/given/load-session.js';
import { RejectWriter } from '../../../src/run/rejects/writer.js';
import { EMPTY, testDatabase } from '../../support/database.js';
import { testRole } from '../../support/role.js';
import { until } from '../../support/until.js';

async function ledger(t: TestContext) {
  const test = await testDatabase(t, { template: EMPTY });
  const another = () => {
    const opened = new PgDatabase({ url: test.url, described: test.name, from: 'the test' });
    t.after(() => opened.close());
    return opened;
  };
  return { test, database: another(), another };
}

const start = (database: PgDatabase) =>
  startBatch(database, {
    pipeline: 'p',
    from: '/some/p.ts',
    source: 'csv',
    sourceFile: 'old.csv',
    settings: { a: 'b' },
    options: {},
    stopOnError: false,
  });

test('a ledger of a newer Sluice is not touched', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  await database.query('INSERT INTO sluice.ledger_version (version) VALUES (99)');
  await assert.rejects(openLedger(database), { code: 'ledger_newer' });
});

test('a role that may not make the ledger is told what to grant', async (t) => {
  const { test: own, database } = await ledger(t);
  const role = `weak_${randomBytes(4).toString('hex')}`;
  await own.query(`CREATE ROLE ${role}`);
  t.after(() => own.query(`DROP ROLE ${role}`).catch(() => {}));
  await database.query(`SET SESSION AUTHORIZATION ${role}`);
  await assert.rejects(openLedger(database), { code: 'no_ledger_rights' });
  await database.query('RESET SESSION AUTHORIZATION');
  assert.equal(await ledgerVersion(database), 0);
});

test('commands that only look say that nothing was ever run', async (t) => {
  const { database } = await ledger(t);
  await assert.rejects(requireLedger(database), { code: 'no_ledger', kind: 'usage' });
});

test('two commands at once make one ledger, which the public cannot read', async (t) => {
  const { database, another } = await ledger(t);
  await Promise.all([openLedger(database), openLedger(another()), openLedger(another())]);
  assert.deepEqual(
    await database.query('SELECT count(*)::int AS n, max(version) > 0 AS ok FROM sluice.ledger_version'),
    [{ n: 1, ok: true }],
  );
  const [acl] = await database.query("SELECT nspacl::text AS acl FROM pg_namespace WHERE nspname = 'sluice'");
  assert.doesNotMatch(String(acl?.acl), /[{,]=/);
});

test('an illegal move is refused, and leaves the batch where it is', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  await assert.rejects(moveBatch(database, id, 'completed'), { code: 'illegal_move' });
  await moveBatch(database, id, 'running', { phase: 'load' });
  await moveBatch(database, id, 'failed', { error: { code: 'x', message: 'it broke' } });
  await assert.rejects(moveBatch(database, id, 'staged'), { code: 'illegal_move' });
  const batch = await findBatch(database, id);
  assert.equal(batch.status, 'failed');
  assert.equal(batch.phase, null);
  assert.deepEqual(batch.error, { code: 'x', message: 'it broke' });
  assert.deepEqual([batch.source, batch.source_file, batch.pipeline_from], ['csv', 'old.csv', '/some/p.ts']);
});

test('a batch is alive while its session lasts, and nobody else can take it meanwhile', async (t) => {
  const { database, another } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  const other = another();
  assert.equal((await findBatch(other, id)).alive, true);
  await assert.rejects(holdBatch(other, id), { code: 'batch_busy' });
  await database.close();
  for (;;) {
    const [batch] = await listUnfinished(other);
    if (batch?.alive === false) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await holdBatch(other, id);
});

test('the record of a publish commits with it, or the publish does not', async (t) => {
  const { test: own, database } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  const record = {
    schema: 'public',
    table: "o'dd",
    mode: 'replace',
    rows: 5,
    changes: changes({ staged: 5, inserted: 5, deleted: null }),
    facts: { live_oid: 1 },
    retained: { schema: 'kept', oid: 4_000_000_000 },
  } as const;
  const publish = ['BEGIN', ...publishSql(id, 'completed', [record]), 'COMMIT'].join(';');
  // From pending it is no legal move.
  await assert.rejects(database.query(publish), { code: 'SL009' });
  await database.query('ROLLBACK');
  assert.deepEqual(await own.query('SELECT FROM sluice.migration_publish'), []);
  await moveBatch(database, id, 'running');
  await moveBatch(database, id, 'staged');
  await database.query(publish);
  const [row] = await own.query<Record<string, unknown>>(
    "SELECT table_name, rows_staged::int, retained_oid, facts->>'xid' IS NOT NULL AS xid FROM sluice.migration_publish",
  );
  assert.deepEqual(row, { table_name: "o'dd", rows_staged: 5, retained_oid: 4_000_000_000, xid: true });
  const undo = [
    'BEGIN',
    ...undoSql(id, [{ schema: 'public', table: "o'dd", retained: null }], true),
    'COMMIT',
  ].join(';');
  await database.query(undo);
  assert.equal((await findBatch(database, id)).status, 'rolled_back');
  await assert.rejects(database.query(undo), { code: 'SL009' }, 'only once');
});

test('rejects are stored whatever their values are, and read in their order', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  const book = new RejectWriter(database, id, { stopOnError: false, firstShown: 2 });
  book.add(
    'old.csv',
    'validate',
    { a: 'nul\0 and \ud800', long: 'x'.repeat(10_000), n: 5, none: null },
    {
      reason: 'odd',
      column: 'a',
      value: 'nul\0',
      expected: 'text',
    },
  );
  book.add('old.csv', 'read old.csv', undefined, {
    reason: 'broken_line',
    line: 7,
    offset: 99,
    raw: '"a,b',
    message: 'no end',
  });
  for (let i = 0; i < 600; i++)
    book.add('old.csv', 'validate', { i }, { reason: 'many', value: new Date(Number.NaN) });
  await Promise.all([book.flushSome(), book.flushSome(), book.flush()]);
  assert.equal(book.count, 602);
  assert.equal(book.first.length, 2);
  const stored = await readRejects(database, id, 0, 1000);
  assert.equal(stored.length, 602);
  const [first, second, third] = stored;
  const raw = first?.stage_row as { a: string; long: string };
  assert.deepEqual(
    [first?.message, first?.value, raw.a],
    ['a is "nul\u2400"; expected: text', 'nul\u2400', 'nul\u2400 and \ufffd'],
  );
  // Cut, it would be resubmitted as another value.
  assert.equal(raw.long.length, 10_000);
  assert.deepEqual(
    [second?.line, second?.byte_offset, second?.raw, second?.message],
    [7, 99, '"a,b', 'no end'],
  );
  assert.equal(third?.value, 'Invalid Date');
  assert.deepEqual(
    stored.slice(2).map((each) => (each.stage_row as { i: number }).i),
    Array.from({ length: 600 }, (_, i) => i),
  );
  // By pages they come in the same order.
  const page = await readRejects(database, id, stored[99]?.number as number, 3);
  assert.deepEqual(page, stored.slice(100, 103));
  assert.deepEqual(
    (await countRejects(database, id)).map((each) => [each.reason, each.rows]),
    [
      ['many', 600],
      ['broken_line', 1],
      ['odd', 1],
    ],
  );
});

test('rejects whose storing failed are stored at the next try, each once', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  const book = new RejectWriter(database, id, { stopOnError: false, firstShown: 2 });
  book.add('old.csv', 's', { i: 1 }, { reason: 'r' });
  await database.query('ALTER TABLE sluice.migration_reject RENAME TO away');
  await assert.rejects(book.flush(), { code: 'rejects_not_stored' });
  await database.query('ALTER TABLE sluice.away RENAME TO migration_reject');
  book.add('old.csv', 's', { i: 2 }, { reason: 'r' });
  await book.flush();
  assert.deepEqual(
    (await readRejects(database, id, 0, 10)).map((each) => each.stage_row),
    [{ i: 1 }, { i: 2 }],
  );
});

test('corrected rows that a killed command had claimed may be resubmitted again', async (t) => {
  const { database, another } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  const book = new RejectWriter(database, id, { stopOnError: false, firstShown: 2 });
  book.add('old.csv', 's', { i: 1 }, { reason: 'r' });
  await book.flush();
  const killed = another();
  const by = await start(killed);
  await moveBatch(killed, by, 'running');
  await claimRejects(killed, id, [1], by);
  const fate = { number: 1, input: 'old.csv', line: null, stage: 's' };
  assert.deepEqual(await rejectFates(database, id), [{ ...fate, corrected_by: by }]);
  await killed.close();
  await until('the news that it is gone', async () => !(await findBatch(database, by)).alive);
  assert.deepEqual(await rejectFates(database, id), [{ ...fate, corrected_by: null }]);
});

test('whoever resumes a batch waits for the session that stores its rejects', async (t) => {
  const { database, another } = await ledger(t);
  await openLedger(database);
  const id = await start(database);
  const book = new RejectWriter(database, id, { stopOnError: false, firstShown: 2 });
  book.add('old.csv', 's', { i: 1 }, { reason: 'r' });
  await book.flush();
  const ended: string[] = [];
  const waiting = awaitWriters(another(), id).then(() => ended.push('waited'));
  await until('a look at the writers', async () => {
    const looks = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_locks%granted%' AND pid <> pg_backend_pid()",
    );
    return looks.length > 0;
  });
  ended.push('closed');
  await book.close();
  await waiting;
  assert.deepEqual(ended, ['closed', 'waited']);
});

test('a ledger of version 2 is brought up to date, and its batches stay', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const batch = await start(database);
  await database.query(
    `DROP VIEW sluice.migration_record; DROP TABLE sluice.migration_record_row, sluice.migration_record_outcome,
     sluice.migration_field_mapping, sluice.migration_view, sluice.migration_view_use`,
  );
  await database.query(
    `ALTER TABLE sluice.migration_batch DROP COLUMN progress, DROP COLUMN record_summary, DROP COLUMN changes;
     ALTER TABLE sluice.migration_publish DROP COLUMN rows_inserted, DROP COLUMN rows_updated,
       DROP COLUMN rows_unchanged, DROP COLUMN rows_missing, DROP COLUMN rows_suppressed,
       DROP COLUMN rows_deleted, DROP COLUMN deletes_suppressed;
     INSERT INTO sluice.migration_publish (batch_id, table_schema, table_name, mode, rows_staged)
     VALUES (${batch}, 'public', 'a', 'merge', 7)`,
  );
  await database.query(
    'DROP TABLE sluice.migration_part; ALTER TABLE sluice.migration_segment ADD COLUMN mark json',
  );
  await database.query(
    'DELETE FROM sluice.ledger_version WHERE version > 2; INSERT INTO sluice.ledger_version VALUES (2) ON CONFLICT DO NOTHING',
  );
  await openLedger(database);
  assert.equal(await ledgerVersion(database), 12);
  const { progress, record_summary, changes: told } = await findBatch(database, batch);
  assert.deepEqual([progress, record_summary, told], [null, null, null]);
  // What it did to the rows nobody has counted then.
  const [published] = await readPublished(database, batch);
  assert.deepEqual([published?.rows_staged, published?.changes], [7, null]);
  assert.deepEqual(await database.query('SELECT FROM sluice.migration_part'), []);
  for (const table of ['migration_record', 'migration_view', 'migration_view_use'])
    assert.deepEqual(await database.query(`SELECT FROM sluice.${table}`), []);
});

test('what a ledger of version 9 knows of how batches were begun is under its new names', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const batch = await start(database);
  const facts = { stages: [], adds: ['orders'] };
  await database.query(
    `ALTER TABLE sluice.migration_batch RENAME COLUMN manifest TO run_record;
     UPDATE sluice.migration_batch SET run_record = '{"guard": "journal", "feedBack": ${JSON.stringify(facts)}}';
     DELETE FROM sluice.ledger_version WHERE version > 8; INSERT INTO sluice.ledger_version VALUES (9)`,
  );
  await openLedger(database);
  await openLedger(database);
  assert.deepEqual((await findBatch(database, batch)).manifest, { guard: 'journal', resubmit: facts });
});

test('records of a ledger of version 4 stay as they were, and are settled like new ones', async (t) => {
  const { database } = await ledger(t);
  const reader = await testRole(t);
  await openLedger(database);
  const [first, second] = [await start(database), await start(database)];
  await database.query(
    `DROP VIEW sluice.migration_record; DROP TABLE sluice.migration_record_outcome;
     ALTER TABLE sluice.migration_record_row RENAME TO migration_record; DELETE FROM sluice.ledger_version WHERE version > 4`,
  );
  const records = (batch: string) => [
    `(${batch}, 1, 'success', 'public.a', 71, '')`,
    `(${batch}, 2, 'skipped', 'public.a', 72, 'unchanged')`,
    `(${batch}, 3, 'pending', 'public.b', NULL, '')`,
    `(${batch}, 4, 'error', '', NULL, 'wrong')`,
  ];
  await database.query(
    `INSERT INTO sluice.ledger_version VALUES (4) ON CONFLICT DO NOTHING;
     INSERT INTO sluice.migration_record (batch_id, number, record_type, source_id, status, target_model, target_id, error_message, input)
     SELECT id, number, 'client', '', status, model, target, said, 'people'
     FROM (VALUES ${[first, second].flatMap(records).join(', ')}) v(id, number, status, model, target, said)`,
  );
  await database.query(`GRANT SELECT ON sluice.migration_record TO ${reader}`);
  await openLedger(database);
  assert.deepEqual(
    await database.query(
      `SELECT has_table_privilege('${reader}', 'sluice.migration_record', 'SELECT') AS may`,
    ),
    [{ may: true }],
  );
  const statuses = async (batch: string) =>
    (
      await database.query<{ said: string }>(
        `SELECT concat_ws(' ', status, target_id, error_message) AS said FROM sluice.migration_record WHERE batch_id = $1 ORDER BY number`,
        [batch],
      )
    ).map(({ said }) => said.trim());
  const old = ['success 71', 'skipped 72 unchanged', 'pending', 'error wrong'];
  assert.deepEqual(await statuses(first), old);
  await database.query(undoRecordsSql(first, [{ schema: 'public', table: 'a' }]));
  await settlePending(database, first, 'skipped', 'unchanged');
  assert.deepEqual(await statuses(first), [
    'rolled_back 71',
    'skipped 72 unchanged',
    'skipped unchanged',
    'error wrong',
  ]);
  assert.deepEqual(await statuses(second), old, 'of that batch only');
});

test('records that are about to be read again are forgotten with what was said of all of them', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const [killed, other] = [await start(database), await start(database)];
  const read = (batch: string) =>
    database.query(
      "INSERT INTO sluice.migration_record_row (batch_id, number, record_type, source_id, target_model, input) VALUES ($1, 1, 'client', '', 'public.a', 'people')",
      [batch],
    );
  const told = () =>
    database.query('SELECT batch_id::text AS batch, status FROM sluice.migration_record ORDER BY 1');
  for (const batch of [killed, other]) {
    await read(batch);
    await settlePending(database, batch, 'skipped', 'unchanged');
  }
  await forgetRecords(database, killed);
  const left = { batch: other, status: 'skipped' };
  assert.deepEqual(await told(), [left]);
  await read(killed);
  assert.deepEqual(await told(), [{ batch: killed, status: 'pending' }, left]);
});

test('a source field is mapped once in a system and record type', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const insert = (type: string) =>
    database.query(
      `INSERT INTO sluice.migration_field_mapping (source_system, record_type, source_field, target_field)
       VALUES ('okvet', $1, 'nombre', 'name') RETURNING transform, is_required, default_value`,
      [type],
    );
  assert.deepEqual(await insert('client'), [{ transform: '', is_required: false, default_value: '' }]);
  await insert('pet');
  await assert.rejects(insert('client'), { code: '23505' });
});

test('mappings are replaced all or nothing, of one record type or of the system', async (t) => {
  const { database } = await ledger(t);
  await openLedger(database);
  const mapping = (recordType: string, sourceField: string) => ({
    sourceSystem: 'okvet',
    recordType,
    sourceField,
    targetField: 'name',
    transform: '',
    isRequired: true,
    defaultValue: '',
  });
  const all = [mapping('pet', 'b'), mapping('client', 'a')];
  assert.deepEqual(await replaceMappings(database, 'okvet', undefined, all), { removed: 0, added: 2 });
  assert.deepEqual(await readMappings(database, 'okvet'), all, 'in their order');
  const twice = [mapping('pet', 'c'), mapping('pet', 'c')];
  await assert.rejects(replaceMappings(database, 'okvet', 'pet', twice), { code: '23505' });
  assert.deepEqual(await readMappings(database, 'okvet'), all);
  const pets = [mapping('pet', 'c')];
  assert.deepEqual(await replaceMappings(database, 'okvet', 'pet', pets), { removed: 1, added: 1 });
  const defaults = [mapping('pet', 'own'), mapping('client', 'own'), mapping('vaccination', 'own')];
  const { mappings, fromLedger } = await mappingsInForce(database, { defaults }, 'okvet');
  assert.deepEqual(mappings, [mapping('client', 'a'), ...pets, mapping('vaccination', 'own')]);
  assert.deepEqual([...fromLedger], ['client', 'pet']);
  assert.deepEqual((await mappingsInForce(database, { defaults }, 'other')).mappings, []);
});
