import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quietRun } from '../../core/quiet-run.js';
import type { Run } from '../../core/run.js';
import { Shared } from '../../core/shared.js';
import { usersDatabase } from '../../db/users-database.js';
import type { RunOptions } from '../given/options.js';

/** A run outside any batch, and how many records it was told cannot be read. */
export interface QuietRun extends Run {
  rejected: number;
}

/**
 * Gives `work` a run that writes nothing and counts only what is rejected, for commands that read inputs without
 * loading them. What sources shared, its scratch and the run's snapshot are gone when it is over.
 */
export async function withQuietRun<T>(
  options: Pick<RunOptions, 'database' | 'settings' | 'log' | 'signal'>,
  work: (run: QuietRun) => Promise<T>,
): Promise<T> {
  const shared = new Shared();
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-'));
  const { settings, log } = options;
  const run: QuietRun = {
    ...quietRun({
      log,
      database: usersDatabase(options.database),
      scratch,
      signal: options.signal ?? new AbortController().signal,
      share: (key, make, release) => shared.share(key, make, release),
      ...(settings === undefined ? {} : { settings }),
    }),
    rejected: 0,
    reject() {
      run.rejected += 1;
    },
  };
  try {
    return await work(run);
  } finally {
    await shared.releaseAll();
    await options.database.endSnapshot();
    await rm(scratch, { recursive: true, force: true });
  }
}
