import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fill } from '../../../samples/recipe-snapshots/generate.js';
import { productionRuns } from '../../../samples/recipe-snapshots/system.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { markOrigin } from '../../../src/core/row.js';
import type { Source } from '../../../src/core/types.js';
import { bakery, bakeryFile, runRecipes } from '../../support/bakery.js';
import type { TestDatabase } from '../../support/database.js';

const SYSTEM = { runs: 600, seed: 9 };

/** The generated runs in chunks of 100; before the fourth, `halfway` is awaited. */
function runsInChunks(halfway: () => Promise<void>): Source {
  const rows = [...productionRuns(SYSTEM)];
  return {
    name: 'production_runs',
    kind: 'memory',
    async *read() {
      for (let from = 0; from < rows.length; from += 100) {
        if (from === 300) await halfway();
        yield rows.slice(from, from + 100).map((row, i) => markOrigin({ ...row }, from + i + 1));
      }
    },
  };
}

/** Ends the sessions that load, once both tables have a segment. */
async function breakOff(database: TestDatabase): Promise<void> {
  for (;;) {
    const [row] = await database.query<{ ends: number }>(
      'SELECT count(DISTINCT branch)::int AS ends FROM sluice.migration_segment',
    );
    if (row?.ends === 2) break;
    await sleep(10);
  }
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name ~ 'batch [0-9]+ load'`,
  );
}

test('a load that broke off goes on: every snapshot once, and undated runs all have one moment', async (t) => {
  const database = await bakery(t, { data: false });
  await fill(await database.connect(), SYSTEM);
  await database.query(`CREATE TABLE wanted AS ${await bakeryFile('expected.sql')}`);
  const options = { segmentBytes: 1 };
  const error: unknown = await runRecipes(t, database, {
    ...options,
    inputs: { production_runs: runsInChunks(() => breakOff(database)) },
  }).then(
    () => assert.fail('it was published'),
    (thrown) => thrown,
  );
  assert.ok(error instanceof SluiceError, String(error));
  assert.equal(error.code, 'connection_lost');
  const { summary } = await runRecipes(t, database, {
    ...options,
    resume: '1',
    inputs: { production_runs: runsInChunks(async () => {}) },
  });
  assert.equal(summary.status, 'completed');
  const [compared] = await database.query(
    `SELECT count(*) FILTER (WHERE w IS DISTINCT FROM g)::int AS different, count(*)::int AS rows
     FROM wanted w FULL JOIN (${await bakeryFile('got.sql')}) g ON g.id = w.id`,
  );
  assert.deepEqual(compared, { different: 0, rows: summary.figures.migrated });
  const [moments] = await database.query(
    `SELECT count(DISTINCT s.snapshot_date)::int AS n, count(*)::int AS runs FROM recipe_snapshots s
     JOIN production_runs r ON r.id = s.production_run_id WHERE r.produced_at IS NULL AND s.is_backfilled`,
  );
  assert.equal(moments?.n, 1);
  assert.ok((moments?.runs as number) > 5);
});
