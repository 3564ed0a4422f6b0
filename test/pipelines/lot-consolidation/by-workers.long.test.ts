import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fill } from '../../../samples/lot-consolidation/generate.js';
import type { HostsLoaded } from '../../../src/db/ledger/hosts.js';
import type { TestDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { leftBy } from '../../support/filled-lots.js';
import { lotSystem } from '../../support/lots.js';
import { processes } from '../../support/workers.js';

const SERIALS = 260_000;

/** A generated system, with some LOTs that have no serials. */
async function system(t: TestContext): Promise<TestDatabase> {
  const database = await lotSystem(t, { data: false });
  await fill(await database.connect(), { serials: SERIALS, seed: 1 });
  await database.query(
    'DELETE FROM inspections; DELETE FROM serials WHERE lot_id IN (SELECT id FROM lots WHERE id % 71 = 9); ANALYZE',
  );
  return database;
}

/** Runs it in a folder of its own, by `workers` workers; what it leaves there and in the database. */
async function consolidated(t: TestContext, database: TestDatabase, workers: number) {
  const cwd = tempFolder(t);
  const world = processes(t, {
    cwd,
    path: 'lot-consolidation',
    env: { SLUICE_DATABASE_URL: database.url },
  });
  for (let at = 0; at < workers; at++) await world.worker();
  const { code, stderr } = await world.start(
    ...['run', 'lot-consolidation', '--yes', '--max-rejects', '100%', '--jobs', '1'],
    ...(workers === 0 ? [] : ['--workers']),
  ).ended;
  assert.ok(code === 0 || code === 4, stderr);
  return leftBy(database, cwd);
}

test('its groups are shared out to workers, and it leaves what it leaves on one host', async (t) => {
  const [whole, shared] = [await system(t), await system(t)];
  const before = await consolidated(t, whole, 0);
  const after = await consolidated(t, shared, 2);
  assert.deepEqual(after, before);
  const [batch] = await shared.query<{ workers: HostsLoaded }>('SELECT workers FROM sluice.migration_batch');
  const parts = batch?.workers.hosts.reduce((sum, host) => sum + host.parts, 0) ?? 0;
  assert.ok(parts >= 3, `${parts} parts by workers`);
});
