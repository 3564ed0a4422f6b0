import { tmpdir } from 'node:os';
import type { Log, Run } from '../core/run.js';
import type { PgDatabase } from '../db/connect.js';

/** What looking at an input needs before there is a run. */
export interface Surroundings {
  readonly database: PgDatabase;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A run that counts nothing, for looking at an input before it is read in earnest. */
export function silentRun({ database, log, signal }: Surroundings): Run {
  return {
    batch: undefined,
    dryRun: true,
    startedAt: new Date(),
    signal,
    settings: {},
    log,
    database,
    scratch: tmpdir(),
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
