import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { EMPTY, testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { everyMode } from '../../support/every-mode.js';
import { testRole } from '../../support/role.js';
import { PARTS_BY, rowsFor, SYSTEM } from '../../support/system.js';

test('three sessions do for every mode, a swap and a rollback; with fewer nothing is begun', async (t) => {
  const live = await testDatabase(t, { template: EMPTY });
  await live.query(SYSTEM);
  const role = await testRole(t);
  await live.query(`
    ALTER ROLE ${role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 3;
    GRANT CREATE, CONNECT ON DATABASE ${live.name} TO ${role};
    GRANT CREATE ON SCHEMA public TO ${role};
    ALTER TABLE models OWNER TO ${role}; ALTER TABLE parts OWNER TO ${role};
    ALTER TABLE notes OWNER TO ${role}; ALTER VIEW stock OWNER TO ${role}`);
  const url = new URL(live.url);
  url.username = role;
  url.password = 'secret';
  const on = engine(t, { url: url.href });
  await everyMode(on, live);
  // Also where rows are rejected, which have a session of their own.
  const bad = loads({ parts: [PARTS_BY.merge, [...rowsFor('merge'), { id: 'x', model_id: 1, amount: 1 }]] });
  const { summary } = await on.run(bad, { maxRejects: { rows: 5 } });
  assert.equal(summary.status, 'completed');
  await on.database.close();

  const before = await live.query('SELECT count(*)::int AS n FROM sluice.migration_batch');
  for (const limit of [1, 2]) {
    await live.query(`ALTER ROLE ${role} CONNECTION LIMIT ${limit}`);
    const few = engine(t, { url: url.href });
    await assert.rejects(few.run(loads({ parts: [PARTS_BY.merge, rowsFor('merge')] })), (error: unknown) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.code, 'few_sessions', error.message);
      assert.match(error.message, new RegExp(`needs 3 sessions .* there are ${limit} to be had`));
      assert.match(error.facts.details?.join() ?? '', /too many connections for role/);
      assert.match([error.facts.next].flat().join(), /CONNECTION LIMIT/);
      return true;
    });
    await few.database.close();
  }
  assert.deepEqual(await live.query('SELECT count(*)::int AS n FROM sluice.migration_batch'), before);
  await live.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
  await assert.rejects(engine(t, { url: url.href }).database.query('SELECT 1'), (error: Error) => {
    assert.match(error.message, /too many connections for role/);
    return true;
  });
});
