import { type StageAccount, StageCounter, since, sum } from './accounting.js';
import { commandErrors } from './errors/catalogue/command-line.js';
import { type Branch, bookOf, type FlowPlan } from './flow.js';
import { forked, staged } from './follow.js';
import type { LanePlace } from './follow-parts.js';
import type { InOrder } from './in-order.js';
import type { FollowingForks, TablesStaging } from './part-staging.js';
import type { Part } from './parts.js';
import { readCounted } from './reading.js';
import type { Rows } from './row.js';
import type { Run } from './run.js';
import type { Stage } from './types.js';

/** An entry of the lane's accounts, and the Run that counts in it. */
interface Counted {
  readonly count: StageCounter;
  readonly run: Run;
}

/** A branch of the flow with the lane's own accounts. */
interface Way {
  readonly stages: readonly (Counted & { readonly stage: Stage })[];
  readonly end?: Counted & { readonly into: number | InOrder };
  readonly fork: readonly Way[];
}

/** The ends of a flow that are no tables, which all lanes fill, and the number of the part that is taken next. */
export interface SharedEnds {
  /** By the place of the end among all of the flow. */
  readonly inOrder: ReadonlyMap<number, InOrder>;
  next: number;
}

/**
 * One line of parts, one after the other, each through stages that begin anew with it, to all ends of its flow: into its
 * tables in one transaction, and into what is no table in the order of the parts.
 */
export class ForkLane {
  staging: TablesStaging | undefined;
  /** What its parts noted. */
  readonly notes: unknown[] = [];
  readonly #counts: readonly Counted[];
  readonly #refused: readonly Run[];
  readonly #root: Way;
  /** What was counted before the part under way. */
  #before: readonly StageAccount[];

  constructor(
    private readonly plan: FlowPlan,
    private readonly following: FollowingForks,
    private readonly shared: SharedEnds,
    private readonly place: LanePlace,
  ) {
    this.#counts = bookOf(plan).map(({ name, branch, role }) =>
      this.#counted(new StageCounter(name, branch, role)),
    );
    let next = 1;
    let tables = 0;
    let ends = 0;
    const wayOf = ({ stages, into, fork = [] }: Branch): Way => ({
      stages: stages.map((stage) => ({ stage, ...(this.#counts[next++] as Counted) })),
      ...(into === undefined
        ? {}
        : {
            end: {
              ...(this.#counts[next++] as Counted),
              into: this.shared.inOrder.get(ends++) ?? tables++,
            },
          }),
      fork: fork.map(wayOf),
    });
    this.#root = wayOf(plan.root);
    this.#refused = tablesOf(this.#root).map(
      ({ count }) => this.#counted(new StageCounter(count.stage, count.branch, 'end')).run,
    );
    this.#before = this.#accounts();
  }

  async run(): Promise<void> {
    const { ahead, number, onPart, signal } = this.place;
    if (!(await ahead.more())) return;
    const refused = this.#refused;
    const tables = tablesOf(this.#root).map(({ run }, at) => ({ run, refused: refused[at] as Run }));
    this.staging = await this.following.openTables(tables, number);
    if (this.staging === undefined) return;
    for (;;) {
      if (signal.aborted) throw commandErrors.interrupted.stopped();
      const at = this.shared.next++;
      const part = await ahead.next();
      if (part === undefined) return;
      onPart();
      await this.#load(part, at, this.staging);
    }
  }

  #counted(count: StageCounter): Counted {
    const run = this.following.runFor(count, this.plan.source.name, this.place.signal, this.place.number);
    return { count, run };
  }

  /** Takes the part, the one at `at` of all. */
  async #load(part: Part, at: number, staging: TablesStaging): Promise<void> {
    const stop = new AbortController();
    const [{ count, run }] = this.#counts as [Counted];
    for (const each of this.#counts) each.count.readToEnd = false;
    staging.begin(part);
    const rows = readCounted(part.read(run), { name: this.plan.source.name, count, run });
    await this.#drain(this.#root, rows, { at, staging, stop });
    part.release();
    const now = this.#accounts();
    const stages = now.map((each, i) => {
      const account = since(each, this.#before[i]);
      const isEnd = this.#counts[i]?.count.role === 'end';
      return isEnd ? { ...account, out: account.in - sum(account.rejected), readToEnd: true } : account;
    });
    this.#before = now;
    const note = part.note?.();
    if (note !== undefined) this.notes.push(note);
    await staging.endPart(stages, note);
    for (const end of this.shared.inOrder.values()) await end.end(at);
  }

  async #drain(
    way: Way,
    rows: Rows,
    part: { readonly at: number; readonly staging: TablesStaging; readonly stop: AbortController },
  ): Promise<void> {
    const input = this.plan.source.name;
    let current = rows;
    for (const { stage, count, run } of way.stages)
      current = staged(
        stage,
        current,
        () => count,
        () => run,
        input,
      );
    const { end } = way;
    if (end === undefined) {
      const ways = way.fork.map((each) => (line: Rows) => this.#drain(each, line, part));
      return forked(current, ways, part.stop);
    }
    for await (const chunk of current) {
      if (this.place.signal.aborted || part.stop.signal.aborted) throw commandErrors.interrupted.stopped();
      end.count.in += chunk.length;
      if (typeof end.into === 'number') part.staging.write(end.into, chunk);
      else await end.into.write(part.at, chunk, this.place.signal);
      const flushing = this.following.afterChunk();
      if (flushing !== undefined) await flushing;
    }
  }

  #accounts(): StageAccount[] {
    return this.#counts.map(({ count }) => count.account());
  }
}

/** The accounts of the tables, in their order. */
function tablesOf({ end, fork }: Way): Counted[] {
  if (end !== undefined) return typeof end.into === 'number' ? [end] : [];
  return fork.flatMap(tablesOf);
}
