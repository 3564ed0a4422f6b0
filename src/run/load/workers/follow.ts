import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  buryDead,
  forgetParts,
  openQueue,
  putFlow,
  putParts,
  type QueuedFlow,
  type QueueState,
  queueState,
} from '../../../cluster/queue.js';
import { StageCounter } from '../../../core/accounting.js';
import { errorFromData } from '../../../core/errors/as-data.js';
import { SluiceError } from '../../../core/errors/sluice-error.js';
import { accountName, bookNames } from '../../../core/flow.js';
import { command } from '../../../core/next.js';
import { packageVersion } from '../../../core/package.js';
import type { Part, PartPlace } from '../../../core/parts.js';
import { rejectPages } from '../../../db/ledger/rejects.js';
import { isCommand } from '../../given/next-command.js';
import type { Job } from '../../job/job.js';
import type { ApartTask } from '../apart.js';
import type { InParts } from '../in-parts.js';
import { isOfFlow } from './numbers.js';

/** How often the ledger is asked how far the workers are. */
const POLL_MS = 300;
/** How long nobody may be there before that is said. */
const PATIENCE_MS = 3_000;
/** Parts that are put into the queue together. */
const TOGETHER = 50;
/** How long workers have to break a part off. */
const GRACE_MS = 3_000;

/** Hands parts of a flow to workers, and waits for them. */
export class ByWorkers {
  readonly #places: PartPlace[] = [];
  #waiting: PartPlace[] = [];
  readonly #counter: StageCounter;

  constructor(
    private readonly job: Job,
    private readonly given: InParts,
  ) {
    this.#counter = new StageCounter(accountName.source(given.plan.source), '', 'source');
    job.progress.counts(`${given.flow}/workers`, this.#counter);
  }

  get #queued(): QueuedFlow {
    const { job, given } = this;
    const { from = job.pipeline.name } = job.options;
    return { batch: this.#batch, flow: given.flow, pipeline: isCommand(from) ? 'copy' : job.pipeline.name };
  }

  get #batch(): string {
    return this.job.batch as string;
  }

  /** Makes the queue ready for the flow; `opening` is what its cut said of itself. Throws what `openQueue` does. */
  async begin(opening: unknown): Promise<void> {
    const { job, given } = this;
    const { onColumns: _, ...table } = given.tables[0].place.table;
    await openQueue(job.options.database);
    const task: ApartTask = {
      flow: given.flow,
      book: bookNames(given.plan),
      lanes: 1,
      place: { name: given.tables[0].place.name, staging: given.tables[0].place.staging, table },
      opening,
    };
    await putFlow(job.options.database, this.#batch, given.flow, task);
  }

  /** Hands a part over, and lets go of it. */
  async hand({ start, end, line, lines, of, release }: Part): Promise<void> {
    release();
    const place = { start, end, line, lines, ...(of === undefined ? {} : { of }) };
    this.#places.push(place);
    this.#waiting.push(place);
    if (this.#waiting.length >= TOGETHER) await this.flush();
  }

  async flush(): Promise<void> {
    const places = this.#waiting;
    this.#waiting = [];
    await putParts(this.job.options.database, this.#queued, places);
  }

  /**
   * Waits until the ledger has a row of every part that was handed over. Throws the error that a worker's part has failed
   * with; what is loaded stays.
   */
  async loaded(signal: AbortSignal): Promise<void> {
    const { job, given } = this;
    const { database, events } = job.options;
    const said = new Set<string>();
    let lonely = performance.now();
    for (;;) {
      signal.throwIfAborted();
      if ((await this.#missing()) === 0) break;
      await buryDead(database);
      const state = await queueState(database, this.#queued);
      if (state.failed !== undefined) throw failure(state.failed);
      if (state.workers > 0) lonely = performance.now();
      const { text, next } = news(state, performance.now() - lonely > PATIENCE_MS, job);
      for (const each of text)
        if (!said.has(each)) {
          said.add(each);
          events?.note?.(each, next);
        }
      await sleep(POLL_MS, undefined, { signal });
    }
    for await (const page of rejectPages(database, this.#batch))
      job.rejects.takeOver(page.filter(({ number }) => isOfFlow(number, given.flow)));
  }

  /** Takes what is left of the flow out of the queue; workers that are at it are broken off. Never throws. */
  async end(): Promise<void> {
    // The run's own sessions may be on their way to be ended.
    const database = this.job.options.database.sibling();
    try {
      await forgetParts(database, this.#batch, this.given.flow);
      const since = performance.now();
      for (let busy = true; busy; ) {
        const sessions = await database.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1`,
          [`%sluice batch ${this.#batch} worker%`],
        );
        busy = sessions.length > 0;
        if (!busy) break;
        if (performance.now() - since > GRACE_MS) {
          await database.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [
            sessions.map(({ pid }) => pid),
          ]);
          if (performance.now() - since > 2 * GRACE_MS) break;
        }
        await sleep(100);
      }
    } catch {
      // The fence keeps out whoever did not hear of it.
    } finally {
      await database.close().catch(() => {});
    }
  }

  /** How many parts the ledger has no row of. Brings the run's progress along. */
  async #missing(): Promise<number> {
    const { job, given } = this;
    const [row] = await job.options.database.query<{ parts: number; handed: number }>(
      `SELECT count(*)::int AS parts, coalesce(sum(p.handed), 0)::float8 AS handed
       FROM sluice.migration_part p WHERE p.batch_id = $1 AND p.flow = $2 AND p.starts_at = ANY ($3::bigint[])`,
      [this.#batch, given.flow, this.#places.map(({ start }) => start)],
    );
    const { parts = 0, handed = 0 } = row ?? {};
    this.#counter.in = handed;
    this.#counter.out = handed;
    return this.#places.length - parts;
  }
}

function failure({ host, error }: NonNullable<QueueState['failed']>): unknown {
  const made = errorFromData(error);
  const where = `it was met by a worker on ${host}`;
  if (!(made instanceof SluiceError)) return made;
  return host === hostname() ? made : made.but({ details: [...(made.facts.details ?? []), where] });
}

/** What is to be said of the workers, if there is something, and what to do about it. */
function news({ left }: QueueState, lonely: boolean, { options, pipeline }: Job) {
  const { from = pipeline.name } = options;
  const text = left.map(({ host, why }) => `a worker on ${host} has left a part: ${why}`);
  const next = command('worker', [isCommand(from) ? 'copy' : from]);
  if (!lonely) return { text, next };
  const nobody = `no worker of Sluice ${packageVersion} is there that may run ${pipeline.name}: its parts wait for one`;
  return { text: [...text, nobody], next };
}
