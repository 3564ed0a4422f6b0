import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../../core/errors/sluice-error.js';
import { type Batch, findBatch } from '../../db/ledger/batches.js';
import { readPublished } from '../../db/ledger/published.js';
import type { Session } from '../../program/database.js';
import { nextOf, stateOf } from '../show/batch.js';
import { nextLines } from '../show/next.js';
import { isUnread, put } from '../show/output.js';
import { byInput } from '../show/progress.js';
import { count, print, say, shown } from '../show/terminal.js';

/** How often the ledger is asked; a running load tells it as often. */
const EVERY_MS = 1_000;
/** To the line's beginning, and nothing behind the cursor. */
const REDRAW = '\r\u001b[K';

/** What of a batch is shown while it goes on; plain data, one JSON line each with --json. */
interface Watched {
  readonly batch: string;
  readonly state: string;
  readonly total: number;
  readonly processed: number;
  readonly success: number;
  readonly error: number;
  readonly skip: number;
  readonly progress: Batch['progress'];
}

/**
 * Shows how far a batch is until it ends: one line that is drawn again on a terminal, a line for each change off it,
 * JSON lines with --json. Gives the exit code: 0 where the batch is completed, staged or rolled back, 1 where it
 * failed or its process is gone; 0 where nobody reads on.
 */
export async function watchBatch(
  { database, signal }: Session,
  id: string,
  json: boolean,
  everyMs = EVERY_MS,
): Promise<number> {
  const drawn = process.stdout.isTTY === true && !json;
  let last = '';
  for (;;) {
    const batch = await findBatch(database, id);
    const now = watched(batch);
    const line = json ? JSON.stringify(now) : describe(now);
    if (line !== last) {
      if (drawn) put(process.stdout, REDRAW + shown(line).slice(0, (process.stdout.columns ?? 80) - 1));
      else print(line);
    }
    last = line;
    if (!goesOn(batch)) {
      if (drawn) print('');
      if (batch.error !== null && batch.status === 'failed') say(`error: ${batch.error.message}`);
      const { resubmit } = await import('../show/resubmit.js');
      const next = nextOf(batch, await readPublished(database, id), await resubmit(database, batch));
      for (const step of nextLines(next)) say(`next: ${step}`);
      return ['completed', 'staged', 'rolled_back'].includes(batch.status) ? EXIT.done : EXIT.failed;
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
    if (isUnread()) return EXIT.done;
  }
}

/**
 * Whether a process still works on the batch. One that is staged may be about to be published by the process that
 * staged it, so only that one's end tells.
 */
function goesOn({ alive, status, phase }: Pick<Batch, 'alive' | 'status' | 'phase'>): boolean {
  return alive && (phase !== null || ['pending', 'running', 'staged'].includes(status));
}

/** What of a batch is shown. */
function watched(batch: Batch): Watched {
  return {
    batch: batch.id,
    state: stateOf(batch),
    total: batch.total_records,
    processed: batch.processed_records,
    success: batch.success_count,
    error: batch.error_count,
    skip: batch.skip_count,
    progress: batch.progress,
  };
}

/** The same as a line for people. */
function describe(now: Watched): string {
  const { state, total, processed, success, error, skip, progress } = now;
  const files = progress === null || state === 'completed' ? '' : byInput(progress);
  return `batch ${now.batch} ${state}: ${count(total)} read, ${count(processed)} processed (${count(success)} success, ${count(error)} error, ${count(skip)} skipped)${files}`;
}
