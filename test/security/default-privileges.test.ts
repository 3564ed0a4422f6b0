import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBatch } from '../../src/db/ledger/batches.js';
import { checkPipeline } from '../../src/run/check.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { swapBatch } from '../../src/run/swap.js';
import { EMPTY, testDatabase } from '../support/database.js';
import { engine, loads, rowsAfter } from '../support/engine.js';
import { long } from '../support/long.js';
import { testRole } from '../support/role.js';
import { PARTS_BY, rowsFor, SYSTEM } from '../support/system.js';

/** Everything of Sluice's that a role may reach: schemas by themselves, and what is in them. */
const reach = (role: string) => `
  SELECT 'schema ' || nspname AS what FROM pg_namespace WHERE nspname ~ '^sluice' AND has_schema_privilege('${role}', oid, 'USAGE, CREATE')
  UNION ALL SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname ~ '^sluice' AND c.relkind IN ('r', 'v', 'p') AND has_table_privilege('${role}', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
  UNION ALL SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname ~ '^sluice' AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege('${role}', c.oid, 'USAGE, SELECT, UPDATE') ELSE false END
  UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname ~ '^sluice' AND has_function_privilege('${role}', p.oid, 'EXECUTE') ORDER BY 1`;

for (const mode of ['replace', 'merge', 'append'] as const)
  (mode === 'replace' ? test : long)(
    `default privileges open nothing of a ${mode} to a reader who sees one column of live`,
    async (t) => {
      const database = await testDatabase(t, { template: EMPTY });
      const reader = await testRole(t);
      await database.query(`${SYSTEM} GRANT SELECT (id) ON parts TO ${reader};
      ALTER TABLE models ENABLE ROW LEVEL SECURITY; GRANT SELECT ON models TO ${reader}`);
      for (const what of ['TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES', 'SCHEMAS'])
        await database.query(`ALTER DEFAULT PRIVILEGES GRANT ALL ON ${what} TO ${reader}, PUBLIC`);
      const acl = () =>
        database.query(
          `SELECT relname, coalesce(relacl, acldefault('r', relowner))::text AS acl, relrowsecurity FROM pg_class WHERE relname IN ('parts', 'models') AND relnamespace = 'public'::regnamespace ORDER BY 1`,
        );
      const before = await acl();
      const { run, database: own, log } = engine(t, database);
      let meanwhile: unknown;
      const rows = rowsAfter([...rowsFor(mode), { id: 'no number', model_id: 1, amount: 1 }], async () => {
        meanwhile = await database.query(reach(reader));
      });
      const of = loads({ parts: [PARTS_BY[mode], rows] });
      const { findings } = await checkPipeline(of, { database: own, log });
      assert.equal(
        findings.filter(
          ({ finding: { severity, message } }) =>
            severity === 'warning' && message.includes('default privileges') && message.includes(reader),
        ).length,
        1,
      );
      await run(of, { publish: false, maxRejects: { rows: 1 } });
      assert.deepEqual(meanwhile, [], 'while it loads');
      assert.deepEqual(
        await database.query(reach(reader)),
        [],
        'once it is staged, with a reject in the ledger',
      );
      await swapBatch(of, await findBatch(own, '1'), { database: own, log });
      assert.deepEqual(await acl(), before, 'live has the grants that it had');
      assert.deepEqual(await database.query(reach(reader)), [], 'what is kept for the way back');
      await rollbackBatch('1', { database: own, log });
      assert.deepEqual(await acl(), before, 'and has them again');
      assert.deepEqual(await database.query(reach(reader)), [], 'what was live until then');
    },
  );

test('no warning where there are no default privileges that open anything', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(SYSTEM);
  const { database: own, log } = engine(t, database);
  const of = loads({ parts: [PARTS_BY.merge, rowsFor('merge')] });
  assert.deepEqual((await checkPipeline(of, { database: own, log })).findings, []);
});
