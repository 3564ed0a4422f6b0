import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { buryDead } from '../../../cluster/dead.js';
import {
  forgetParts,
  openQueue,
  putFlow,
  putParts,
  type Queue,
  type QueuedFlow,
  type QueueState,
  queueOf,
  queueState,
} from '../../../cluster/queue.js';
import { StageCounter } from '../../../core/accounting.js';
import { errorFromData } from '../../../core/errors/as-data.js';
import { SluiceError } from '../../../core/errors/sluice-error.js';
import { accountName, type FlowPlan } from '../../../core/flow.js';
import { command } from '../../../core/next.js';
import { packageVersion } from '../../../core/package.js';
import type { Part, PartPlace } from '../../../core/parts.js';
import { rejectPages } from '../../../db/ledger/rejects.js';
import { isCommand } from '../../given/next-command.js';
import type { Job } from '../../job/job.js';
import { taskOf } from '../apart.js';
import type { InParts } from '../in-parts.js';
import type { EndsHere } from './ends-here.js';
import { isOfFlow } from './numbers.js';
import type { WorkerTask } from './ready.js';

/** How often the ledger is asked how far the workers are. */
const POLL_MS = 300;
const POLL_MOST_MS = 3_000;
/** How long nobody may be there before that is said. */
const PATIENCE_MS = 3_000;
/** Parts that are put into the queue together. */
const TOGETHER = 50;
/** How long workers have to break a part off. */
const GRACE_MS = 3_000;

/** Hands parts of a flow to workers, and waits for them. */
export class ByWorkers {
  #bytes = 0;
  /** Parts that were handed over. */
  #handed = 0;
  #all = false;
  #waiting: PartPlace[] = [];
  /** Rows that are read, and those that the first table has. */
  readonly #counter: StageCounter;
  readonly #loaded: StageCounter;

  private constructor(
    private readonly job: Job,
    private readonly given: InParts,
    private readonly queue: Queue,
    private readonly ends: EndsHere,
  ) {
    this.#counter = new StageCounter(accountName.source(given.plan.source), '', 'source');
    this.#loaded = new StageCounter(`into ${given.tables[0].place.name}`, '', 'end');
    for (const counter of [this.#counter, this.#loaded])
      job.progress.counts(`${given.flow}/workers`, counter);
    job.progress.sharesOf(given.flow, { parts: 0, loaded: 0, hosts: [] });
  }

  /** Throws what `queueOf` and `openQueue` do. */
  static async open(job: Job, given: InParts, ends: EndsHere): Promise<ByWorkers> {
    const { database, queue: own } = job.options;
    const queue = await queueOf(database, own);
    await openQueue(queue);
    return new ByWorkers(job, given, queue, ends);
  }

  /** Bytes of the input's text that are loaded. */
  readonly loadedBytes = (): number => this.#bytes;

  get #queued(): QueuedFlow {
    const { job, given } = this;
    const { from = job.pipeline.name } = job.options;
    return { batch: this.#batch, flow: given.flow, pipeline: isCommand(from) ? 'copy' : job.pipeline.name };
  }

  get #batch(): string {
    return this.job.batch as string;
  }

  /** Tells of the flow; `opening` is what its cut said of itself. */
  async begin(opening: unknown): Promise<void> {
    const { job, given } = this;
    // What else is read (a query's parts, lookups of stages) is read of the same state everywhere.
    const reads = given.plan.source.kind === 'query' || !isBare(given.plan);
    const snapshot = reads ? await job.options.database.snapshot() : undefined;
    const task: WorkerTask = {
      ...taskOf(given, 1, opening),
      code: job.state.manifest?.code,
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    await putFlow(this.queue, this.#batch, given.flow, task);
  }

  /** Hands a part over, and lets go of it. */
  async hand({ start, end, line, lines, of, release }: Part): Promise<void> {
    release();
    const place = { start, end, line, lines, ...(of === undefined ? {} : { of }) };
    this.#handed++;
    this.ends.hand(start);
    this.#waiting.push(place);
    // The first ones at once: workers need not wait until all is cut.
    if (this.#waiting.length >= Math.min(TOGETHER, 1 + this.#handed / 4)) await this.flush();
  }

  async flush(): Promise<void> {
    const places = this.#waiting;
    this.#waiting = [];
    if (places.length === 0) return;
    await putParts(this.queue, this.#queued, places);
  }

  /** No more parts are handed over. */
  handedAll(): void {
    this.#all = true;
  }

  /**
   * Waits until no more parts are handed over and the ledger has a row of every part that was handed over. Throws the error that a worker's part has failed
   * with; what is loaded stays. `told` is called whenever it has come further.
   */
  async loaded(signal: AbortSignal, told: () => void): Promise<void> {
    const { job, given } = this;
    const { events } = job.options;
    const said = new Set<string>();
    let lonely = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const asked = performance.now();
      const missing = await this.#missing();
      const took = performance.now() - asked;
      told();
      await this.ends.fill();
      if (this.#all && missing === 0) break;
      await buryDead(this.queue);
      const state = await queueState(this.queue, this.#queued);
      if (state.failed !== undefined) throw failure(state.failed);
      if (state.workers > 0) lonely = performance.now();
      const { text, next } = news(state, performance.now() - lonely > PATIENCE_MS, job);
      for (const each of text)
        if (!said.has(each)) {
          said.add(each);
          events?.note?.(each, next);
        }
      // Of very many parts it is asked less often; but the session may only have waited for somebody who slept.
      await sleep(Math.min(Math.max(POLL_MS, 10 * took), POLL_MOST_MS), undefined, { signal });
    }
    for await (const page of rejectPages(job.options.database, this.#batch))
      job.rejects.takeOver(page.filter(({ number }) => isOfFlow(number, given.flow)));
  }

  /** Takes what is left of the flow out of the queue; workers that are at it are broken off. Never throws. */
  async end(): Promise<void> {
    // The run's own sessions may be on their way to be ended.
    const database = this.job.options.database.sibling();
    const queue = this.queue.database.sibling();
    try {
      await forgetParts({ ...this.queue, database: queue }, this.#batch, this.given.flow);
      const since = performance.now();
      for (let busy = true; busy; ) {
        const sessions = await database.query<{ pid: number }>(
          // Between two parts a session does nothing, and is let go of by itself.
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = CURRENT_USER
             AND application_name LIKE $1 AND state IS DISTINCT FROM 'idle'`,
          [`% batch ${this.#batch} worker %`],
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
      await Promise.all([database, queue].map((each) => each.close().catch(() => {})));
    }
  }

  /** How many parts the ledger has no row of. Brings the run's progress along. */
  async #missing(): Promise<number> {
    const { job, given } = this;
    const { branch, known } = given.tables[0];
    const by = await job.options.database.query<{
      host: string | null;
      parts: number;
      rows: number;
      staged: number;
      bytes: number;
      seconds: number;
    }>(
      `SELECT p.host, count(*)::int AS parts, sum((p.account -> 0 ->> 'out')::bigint)::float8 AS rows, sum(p.rows)::float8 AS staged, sum(p.ends_at - p.starts_at)::float8 AS bytes,
              extract(epoch FROM max(p.committed_at) - min(p.committed_at - p.took_ms * interval '1 ms'))::float8 AS seconds
       FROM sluice.migration_part p WHERE p.batch_id = $1 AND p.flow = $2 AND p.branch = $3 GROUP BY p.host ORDER BY p.host`,
      [this.#batch, given.flow, branch],
    );
    const sum = (of: 'parts' | 'rows' | 'staged' | 'bytes') => by.reduce((all, each) => all + each[of], 0);
    const loaded = sum('parts');
    const parts = this.#handed + known.length;
    this.#bytes = sum('bytes');
    // What an earlier attempt has loaded is counted already, as it is passed over or read again.
    const rows = sum('rows') - known.reduce((all, { stages }) => all + (stages[0]?.out ?? 0), 0);
    this.#counter.in = rows;
    this.#counter.out = rows;
    this.#loaded.in = sum('staged') - known.reduce((all, part) => all + part.rows, 0);
    const hosts = by.flatMap(({ host, rows: its, seconds }) =>
      host === null ? [] : [{ host, rowsPerSecond: Math.round(its / Math.max(seconds, 0.001)) }],
    );
    job.progress.sharesOf(given.flow, { parts, loaded, hosts });
    return parts - loaded;
  }
}

/** Whether a flow has no stages, which might read something else. */
const isBare = ({ root }: FlowPlan): boolean => root.stages.length === 0 && root.fork === undefined;

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
