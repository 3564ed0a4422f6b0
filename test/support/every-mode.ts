import assert from 'node:assert/strict';
import { listBatches } from '../../src/db/ledger/batches.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { findStaged, swapBatch } from '../../src/run/swap.js';
import type { TestDatabase } from './database.js';
import { type Engine, loads } from './engine.js';
import { PARTS_BY, rowsFor } from './system.js';

/** Publishes SYSTEM's parts by `on` in every mode, each by a run and by a swap of what was staged, and takes it back. */
export async function everyMode(on: Engine, live: TestDatabase): Promise<void> {
  const parts = () => live.query('SELECT id, model_id, amount FROM public.parts ORDER BY 1');
  const before = await parts();
  for (const mode of Object.keys(PARTS_BY) as (keyof typeof PARTS_BY)[])
    for (const staged of [false, true]) {
      const what = `${mode}${staged ? ', by a swap' : ''}`;
      const pipeline = loads({ parts: [PARTS_BY[mode], rowsFor(mode)] });
      await on.run(pipeline, staged ? { publish: false } : {});
      const [batch] = await listBatches(on.database, 1);
      const id = batch?.id as string;
      const options = { database: on.database, log: on.log };
      if (staged) await swapBatch(pipeline, await findStaged(on.database, id), options);
      assert.notDeepEqual(await parts(), before, what);
      await rollbackBatch(id, options);
      assert.deepEqual(await parts(), before, what);
    }
}
