import { type StageAccount, StageCounter } from '../../../core/accounting.js';
import { bookOf, endsOf } from '../../../core/flow.js';
import type { Following } from '../../../core/follow.js';
import type { ClosedEnd } from '../../../core/follow-forks.js';
import type { Staging } from '../../../core/types.js';
import type { Job } from '../../job/job.js';
import type { InParts } from '../in-parts.js';
import { endRowsSql, sentRows } from './end-rows.js';

/** An end of the flow that is no table. */
interface OpenEnd {
  /** Its place among the ends. */
  readonly at: number;
  readonly branch: string;
  readonly staging: Staging;
  readonly account: () => StageAccount;
}

/**
 * The ends of a flow that are no tables (reports, files), which the host fills that began the batch: with the rows of parts
 * that workers have loaded, in the order of the parts.
 */
export class EndsHere {
  /** Where the parts begin that are not filled in yet, in their order. */
  readonly #starts: number[] = [];
  #next = 0;

  private constructor(
    private readonly job: Job,
    private readonly given: InParts,
    private readonly ends: readonly OpenEnd[],
  ) {}

  /** Opens them, and makes what their rows are sent by. Throws what opening one throws. */
  static async open(job: Job, given: InParts, whole: Following): Promise<EndsHere> {
    const { plan, flow, tables } = given;
    const entries = bookOf(plan).filter(({ role }) => role === 'end');
    const ends: OpenEnd[] = [];
    try {
      for (const [at, end] of endsOf(plan.root).entries()) {
        if ('kind' in end) continue;
        const { name = '', branch = '' } = entries[at] ?? {};
        const counter = new StageCounter(name, branch, 'end');
        const run = job.runAt({ counter, input: plan.source.name, signal: whole.signal, flow });
        const staging = await whole.open(end, run, { branch });
        ends.push({ at, branch, staging, account: () => counter.account() });
      }
      if (ends.length > 0) await job.options.database.query(endRowsSql(tables[0].place.staging.schema));
    } catch (error) {
      await Promise.allSettled(ends.map(({ staging }) => staging.discard()));
      throw error;
    }
    return new EndsHere(job, given, ends);
  }

  /** A part that is handed over, behind those before. */
  hand(start: number): void {
    if (this.ends.length > 0) this.#starts.push(start);
  }

  /** Fills in the parts that are loaded, as far as none before them is missing. */
  async fill(): Promise<void> {
    const { database } = this.job.options;
    const { flow, tables } = this.given;
    const { schema } = tables[0].place.staging;
    for (let start = this.#starts[this.#next]; start !== undefined; start = this.#starts[++this.#next]) {
      const loaded = await database.query(
        'SELECT FROM sluice.migration_part WHERE batch_id = $1 AND flow = $2 AND branch = $3 AND starts_at = $4',
        [this.job.batch, flow, tables[0].branch, start],
      );
      if (loaded.length === 0) return;
      for (const { branch, staging } of this.ends)
        for await (const chunk of sentRows(database, schema, { flow, start, branch }))
          await staging.write(chunk);
    }
  }

  /** All parts are loaded: fills in the rest and closes. What became of the rows, by the end's place among all. */
  async close(): Promise<ReadonlyMap<number, ClosedEnd>> {
    await this.fill();
    const closed = new Map<number, ClosedEnd>();
    for (const { at, staging, account } of this.ends)
      closed.set(at, { counted: await staging.close(), account: account() });
    return closed;
  }

  async discard(): Promise<void> {
    await Promise.allSettled(this.ends.map(({ staging }) => staging.discard()));
  }
}
