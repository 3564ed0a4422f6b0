import { tmpdir } from 'node:os';
import { quietRun } from '../core/quiet-run.js';
import type { Log, Run } from '../core/run.js';
import type { PgDatabase } from '../db/connect.js';
import { usersDatabase } from '../db/users-database.js';

/** What looking at an input needs before there is a run. */
export interface Surroundings {
  readonly database: PgDatabase;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What the looks at inputs and the run after them have in common; left out: nothing. */
  readonly share?: Run['share'];
}

/** A run that counts nothing, for looking at a file before it is read in earnest. */
export function silentRun({
  database: ours,
  log,
  signal,
  share = (_key, make) => make(),
}: Surroundings): Run {
  const database = usersDatabase(ours);
  // Files need no scratch.
  return quietRun({ database, log, signal, scratch: tmpdir(), share });
}
