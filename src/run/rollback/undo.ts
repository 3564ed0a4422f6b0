import { type WindowPart, windowSql } from '../../../sinks/publish/window.js';
import { isError } from '../../core/errors/is-error.js';
import { again } from '../../core/next.js';
import type { PgDatabase } from '../../db/connect.js';
import { noteBatch } from '../../db/ledger/batches.js';
import type { Change } from '../changes/change.js';
import { discardAll, partsOf, prepareAll, tidyAll } from '../changes/sequence.js';
import { asFailure } from '../end/failure.js';
import { namingFullDisk } from '../end/full-disk.js';
import { afterCommit } from '../end/stopping.js';
import { runWindow, timesOf } from '../publish/window.js';
import { leftBehind, type RollbackOptions, unchanged } from './session.js';

/** Changes that take something of a batch back, surveyed. */
export interface Undoing {
  readonly batch: string;
  readonly changes: readonly Change[];
  /** The one of them that watches for writes, if any: it is up before the tables are looked through. */
  readonly guard?: Change;
  readonly ledger: readonly string[];
  /** Looks through the tables for what would be lost; throws where that may not be. */
  readonly look: () => Promise<void>;
  /** Reads in the ledger whether the undo has committed. */
  readonly isDone: (ledger: PgDatabase) => Promise<boolean>;
  /** The sentence of what is so once it has. */
  readonly done: string;
}

/** The statements of the transaction that would take it back. */
export function undoStatements({ changes, ledger }: Undoing): string {
  const parts: readonly WindowPart[] = partsOf(changes);
  return windowSql(parts, { ...timesOf(parts), ledger });
}

/**
 * Takes it back in one transaction; gives how long its locks were held, in milliseconds. Where it fails, live and the
 * kept tables are as they were. `stopped` ends the cancelling of statements that an abort of `signal` begins.
 */
export async function undo(
  undoing: Undoing,
  options: RollbackOptions,
  signal: AbortSignal,
  stopped: () => Promise<void>,
): Promise<number> {
  const { database, events } = options;
  const { batch, changes, guard } = undoing;
  await noteBatch(database, batch, { phase: 'rollback' });
  let lockMs: number;
  try {
    // What is written after the look is found under the lock.
    await guard?.stage();
    await undoing.look();
    events?.phase?.('prepare', 'making ready what comes back, as live is now');
    for (const change of changes) if (change !== guard) await change.stage();
    await prepareAll(changes);
    events?.phase?.('rollback', 'putting it back');
    ({ lockMs } = await runWindow(options, { ...undoing, rehearse: false, signal }));
  } catch (error) {
    await stopped();
    await database.recover();
    const told = unchanged(await namingFullDisk(database, asFailure(error, signal), again()));
    // It may have committed: the next command asks the ledger.
    if (isError(told, 'outcome_unknown')) throw told;
    try {
      await discardAll(changes);
      await noteBatch(database, batch, { phase: null });
    } catch (second) {
      throw leftBehind(told, second);
    }
    throw told;
  }
  await stopped();
  await afterCommit(options, signal, undoing.done, async () => {
    await tidyAll(changes);
    await noteBatch(database, batch, { phase: null });
  });
  return lockMs;
}
