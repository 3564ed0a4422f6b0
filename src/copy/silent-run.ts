import { tmpdir } from 'node:os';
import type { Log, Run } from '../core/run.js';
import { Shared } from '../core/shared.js';
import type { PgDatabase } from '../db/connect.js';

/** What looking at an input needs before there is a run. */
export interface Surroundings {
  readonly database: PgDatabase;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A run that is over when `end` is called: what its sources shared goes then. */
export interface SilentRun extends Run {
  end(): Promise<void>;
}

/** A run that counts nothing, for looking at an input before it is read in earnest. */
export function silentRun({ database, log, signal }: Surroundings): SilentRun {
  const shared = new Shared();
  return {
    batch: undefined,
    dryRun: true,
    startedAt: new Date(),
    signal,
    settings: {},
    log,
    database,
    scratch: tmpdir(),
    share: (key, make, release) => shared.share(key, make, release),
    end: () => shared.releaseAll(),
    reject() {},
    skip() {},
    merge() {},
    add() {},
    keep() {},
    report() {},
    wrote() {},
    progress() {},
  };
}
