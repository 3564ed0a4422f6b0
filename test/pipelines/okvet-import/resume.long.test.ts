import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { markOrigin, type Row } from '../../../src/core/row.js';
import type { Source } from '../../../src/core/types.js';
import { untilAborted } from '../../../src/core/until-aborted.js';
import { GOOD, importing, memories, practiceContents, practiceDatabase } from '../../support/okvet.js';
import { thrown } from '../../support/thrown.js';

/** Visits of GOOD's first pet; every tenth is bad. */
const visits = Array.from({ length: 600 }, (_, i) => ({
  'ID Expediente': `E${i}`,
  'ID Mascota': 'P1',
  Fecha: i % 10 === 9 ? '31/02/2023' : '2023-05-06',
  Motivo: 'Cojera',
}));

/** Rows in chunks of 100, waiting before chunk number `at` until `until` resolves. */
const source = (rows: readonly Row[], at: number, until: Promise<void>): Source => ({
  name: 'medical_records',
  kind: 'memory',
  async *read(run) {
    for (let from = 0; from < rows.length; from += 100) {
      if (from === at * 100) await untilAborted(until, run.signal);
      yield rows.slice(from, from + 100).map((row, i) => markOrigin({ ...row }, from + i + 1));
    }
  },
});

test('an import that broke off is resumed, and gives the rows and ids of one that did not', async (t) => {
  const undisturbed = await practiceDatabase(t);
  await importing(t, undisturbed, { ...GOOD, medical_records: visits });
  const database = await practiceDatabase(t);
  let release = () => {};
  const killed = new Promise<void>((resolve) => {
    release = resolve;
  });
  const others = memories({ clients: GOOD.clients, pets: GOOD.pets });
  const inputs = (at: number) => ({ ...others, medical_records: source(visits, at, killed) });
  const running = thrown(importing(t, database, {}, { inputs: inputs(4), segmentBytes: 1 }));
  for (;;) {
    await sleep(20);
    const [there] = await database.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_segment') IS NOT NULL AS there",
    );
    if (there?.there !== true) continue;
    const [segments] = await database.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM sluice.migration_segment WHERE table_name = 'medical_records'",
    );
    if ((segments?.n ?? 0) >= 3) break;
  }
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name ~ 'batch [0-9]+ load'`,
  );
  release();
  const error = await running;
  assert.ok(error instanceof SluiceError, String(error));
  const { summary } = await importing(t, database, {}, { inputs: inputs(-1), segmentBytes: 1, resume: '1' });
  assert.equal(summary.status, 'completed');
  assert.equal(summary.rejected, 60);
  const without = 'created_at';
  assert.deepEqual(
    await practiceContents(database, { without }),
    await practiceContents(undisturbed, { without }),
  );
});
