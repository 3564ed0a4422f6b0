import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  idsSql,
  needsNumbers,
  numbersSql,
  type SettledKind,
  settleSql,
} from '../../../src/run/changes/records/records-sql.js';

const MERGED: SettledKind = {
  at: 1,
  batch: '7',
  staging: 'sluice_staging_7',
  input: 'people',
  table: { schema: 'public', table: 'clients' },
  model: 'public.clients',
  live: 'public.clients',
  staged: undefined,
  written: 'sluice_old_7.clients__written',
  counts: 'sluice_old_7.publish_counts',
  suppressing: false,
  key: [{ name: 'code', type: 'public.citext', equality: 'OPERATOR(public.=)' }],
  hidden: false,
  targetId: 'id',
  idLoaded: true,
};

const WAITING = `r.batch_id = 7 AND r.status = 'pending' AND r.input = 'people' AND r.target_model = 'public.clients'`;
const PUBLISHED = `INSERT INTO sluice.migration_record_outcome (batch_id, target_model, status) VALUES (7, 'public.clients', 'success') ON CONFLICT (batch_id, target_model) DO UPDATE SET status = excluded.status, error_message = excluded.error_message`;

test('records that have their ids are settled at once; only those whose rows were left as they were are written', () => {
  assert.equal(needsNumbers(MERGED), false);
  assert.deepEqual(settleSql(MERGED), [
    'SET LOCAL enable_nestloop = off',
    `UPDATE sluice.migration_record_row r SET status = 'skipped', error_message = 'unchanged' WHERE EXISTS (SELECT FROM sluice_old_7.publish_counts WHERE schema_name = 'public' AND table_name = 'clients' AND unchanged + missing + suppressed > 0) AND ${WAITING} AND NOT EXISTS (SELECT FROM sluice_old_7.clients__written w WHERE w."code" OPERATOR(public.=) (r.transformed_data->>'code')::public.citext)`,
    'SET LOCAL enable_nestloop TO DEFAULT',
    PUBLISHED,
  ]);
  assert.deepEqual(
    settleSql({ ...MERGED, written: undefined }),
    [PUBLISHED],
    'a replace leaves no row as it was',
  );
  assert.deepEqual(settleSql({ ...MERGED, key: [] }), [PUBLISHED], 'without a key nobody knows');
});

test('records of rows that triggers may have suppressed are told from unchanged ones as far as the counts tell', () => {
  const [, left] = settleSql({ ...MERGED, suppressing: true });
  assert.match(
    left ?? '',
    /error_message = \(SELECT CASE WHEN suppressed = 0 THEN 'unchanged' WHEN unchanged \+ missing = 0 THEN 'suppressed' ELSE 'unchanged or suppressed' END FROM sluice_old_7\.publish_counts WHERE schema_name = 'public' AND table_name = 'clients'\) WHERE EXISTS/,
  );
});

test('ids that could not be told from the row are read as the server reads them', () => {
  assert.equal(
    idsSql(MERGED, 'id'),
    `UPDATE sluice.migration_record_row r SET target_id = (r.transformed_data->>'id')::numeric::bigint WHERE ${WAITING} AND r.target_id IS NULL`,
  );
});

test('records whose ids live gives are found by key, out of a work table made before', () => {
  const kind = { ...MERGED, idLoaded: false };
  assert.equal(needsNumbers(kind), true);
  assert.deepEqual(numbersSql(kind), [
    'DROP TABLE IF EXISTS "sluice_staging_7"."sluice_record_1"',
    `CREATE TABLE "sluice_staging_7"."sluice_record_1" AS SELECT r.number, NULL::bigint AS target_id, (r.transformed_data->>'code')::public.citext AS k1 FROM sluice.migration_record_row r WHERE ${WAITING}`,
    'ANALYZE "sluice_staging_7"."sluice_record_1"',
  ]);
  assert.deepEqual(settleSql(kind), [
    `UPDATE sluice.migration_record_row r SET status = CASE WHEN w.sluice_kind IS NULL THEN 'skipped' ELSE 'success' END, error_message = CASE WHEN w.sluice_kind IS NULL THEN 'unchanged' ELSE '' END, target_id = l."id"::bigint FROM "sluice_staging_7"."sluice_record_1" k LEFT JOIN sluice_old_7.clients__written w ON w."code" OPERATOR(public.=) k.k1 LEFT JOIN public.clients l ON l."code" OPERATOR(public.=) k.k1 WHERE r.batch_id = 7 AND r.number = k.number AND r.status = 'pending'`,
    PUBLISHED,
  ]);
});

test('keys that records may not show are read from a table of their own', () => {
  const kind = { ...MERGED, hidden: true };
  assert.equal(needsNumbers(kind), true);
  assert.equal(needsNumbers({ ...kind, written: undefined }), false, 'the id is known, and nothing was left');
  assert.equal(
    numbersSql(kind)[1],
    `CREATE TABLE "sluice_staging_7"."sluice_record_1" AS SELECT r.number, (r.transformed_data->>'id')::numeric::bigint AS target_id, (k.key->>0)::public.citext AS k1 FROM sluice.migration_record_row r LEFT JOIN "sluice_staging_7"."sluice_record_keys" k ON k.input = r.input AND k.line = r.line WHERE ${WAITING}`,
  );
});
