import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alone,
  aloneInParallel,
  distributeStatements,
} from '../../../../sinks/publish/replace/distributed.js';
import type { Distribution } from '../../../../src/db/catalog/distribution.js';

const live = (distribution: Distribution | null) => ({ schema: 'public', table: "it's", distribution });

test('staging is distributed by the same column on the nodes where live has it', () => {
  assert.deepEqual(distributeStatements(live({ kind: 'hash', column: 'customer id' }), '"s"."it\'s"'), [
    `SELECT pg_catalog.create_distributed_table('"s"."it''s"'::pg_catalog.regclass, 'customer id', colocate_with => '"public"."it''s"')`,
  ]);
  assert.deepEqual(distributeStatements(live({ kind: 'reference' }), '"s"."t"'), [
    `SELECT pg_catalog.create_reference_table('"s"."t"'::pg_catalog.regclass)`,
  ]);
  assert.deepEqual(distributeStatements(live(null), '"s"."t"'), []);
});

test('a statement that Citus carries out stands alone in its message; others stay as they are', () => {
  const sql = `ALTER TABLE "t" ADD CHECK (x <> 'a')`;
  assert.equal(
    alone({ distribution: { kind: 'reference' } }, sql),
    `DO $sluice$ BEGIN PERFORM pg_catalog.set_config('citus.multi_shard_modify_mode', 'sequential', true); EXECUTE 'ALTER TABLE "t" ADD CHECK (x <> ''a'')'; END $sluice$`,
  );
  assert.equal(
    aloneInParallel({ distribution: { kind: 'reference' } }, sql),
    `DO $sluice$ BEGIN EXECUTE 'ALTER TABLE "t" ADD CHECK (x <> ''a'')'; END $sluice$`,
  );
  assert.equal(alone({ distribution: null }, sql), sql);
  assert.equal(aloneInParallel({ distribution: null }, sql), sql);
});
