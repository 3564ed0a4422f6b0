import { type StageAccount, StageCounter, since, sum, unaccounted } from './accounting.js';
import type { Ahead } from './ahead.js';
import { commandErrors } from './errors/catalogue/command-line.js';
import { accountName, type FlowPlan } from './flow.js';
import { staged } from './follow.js';
import type { FollowingParts, PartStaging } from './part-staging.js';
import type { Cut, Part } from './parts.js';
import { countIn, readCounted } from './reading.js';
import type { Rows } from './row.js';
import type { Run } from './run.js';
import type { Target } from './target.js';
import type { Sink } from './types.js';

/** A part whose text the end was given, and how many rows it takes of it. */
interface Handed {
  readonly part: Part;
  readonly rows: Promise<number | undefined>;
}

/** One line of parts, one after the other, through stages of its own. */
export class Lane {
  staging: PartStaging | undefined;
  /** What its parts noted. */
  readonly notes: unknown[] = [];
  readonly #source: StageCounter;
  readonly #stages: readonly StageCounter[];
  readonly #end: StageCounter;
  readonly #refused: StageCounter;
  /** What was counted before the part under way. */
  #before: readonly StageAccount[];
  /** The part under way. */
  #part: Part | undefined;
  /** The part whose text was handed over last, and how many rows were taken: whoever waits for that can look at the next one. */
  #handed: Handed | undefined;

  constructor(
    private readonly plan: FlowPlan,
    private readonly cut: Cut,
    private readonly ahead: Ahead,
    private readonly following: FollowingParts,
    private readonly signal: AbortSignal,
    private readonly number: number,
    /** Told whenever it has taken a part. */
    private readonly onPart: () => void,
  ) {
    const { source, root } = plan;
    const end = accountName.end(root.into as Target | Sink);
    this.#source = new StageCounter(accountName.source(source), '', 'source');
    this.#stages = root.stages.map((stage) => new StageCounter(accountName.stage(stage)));
    this.#end = new StageCounter(end, '', 'end');
    this.#refused = new StageCounter(end, '', 'end');
    this.#before = this.#accounts();
  }

  async run(): Promise<void> {
    if (!(await this.ahead.more())) return;
    const { plan, following } = this;
    const [source, stages, end, refused] = [
      this.#runFor(this.#source),
      this.#stages.map((count) => this.#runFor(count)),
      this.#runFor(this.#end),
      this.#runFor(this.#refused),
    ];
    this.staging = await following.openLane(plan.root.into as Target | Sink, end, refused, this.number);
    if (this.staging === undefined) return;
    for (let part = await this.#next(); part !== undefined; part = await this.#next()) {
      let rows = this.#rows(part, source);
      for (const [at, stage] of plan.root.stages.entries()) {
        const count = this.#stages[at] as StageCounter;
        count.readToEnd = false;
        rows = staged(
          stage,
          rows,
          () => count,
          () => stages[at] as Run,
          plan.source.name,
        );
      }
      for await (const chunk of rows) {
        if (this.signal.aborted) throw commandErrors.interrupted.stopped();
        this.#end.in += chunk.length;
        await this.staging.write(chunk);
        const flushing = following.afterChunk();
        if (flushing !== undefined) await flushing;
      }
      // A stage had rows of it still, which it has given now that there were no more; or has stopped reading.
      if (this.#part !== undefined) await this.#finish(this.#part);
    }
  }

  #runFor(count: StageCounter): Run {
    return this.following.runFor(count, this.plan.source.name, this.signal, this.number);
  }

  /** The next part whose rows have to be read. */
  async #next(): Promise<Part | undefined> {
    for (;;) {
      if (this.signal.aborted) throw commandErrors.interrupted.stopped();
      const part = await this.ahead.next();
      if (part !== undefined) this.onPart();
      const before = this.#handed;
      this.#handed = part === undefined ? undefined : this.#handOver(part);
      if (before !== undefined && !(await this.#isTaken(before))) return before.part;
      if (part === undefined || this.#handed === undefined) return part;
    }
  }

  /** Hands a part's text to the end as it is, where it may take it. */
  #handOver(part: Part): Handed | undefined {
    const { csv } = this.cut;
    if (csv === undefined || this.#stages.length > 0 || this.staging?.raw === undefined) return undefined;
    const { bytes } = part;
    if (bytes === undefined) return undefined;
    const rows = this.staging.raw({ ...part, bytes }, csv, (taken) => this.#accounts(taken));
    // It is awaited when the next part was handed over; until then nobody listens.
    rows.catch(() => {});
    return { part, rows };
  }

  /** Whether the end has taken the part's text. */
  async #isTaken({ part, rows: taken }: Handed): Promise<boolean> {
    const rows = await taken;
    if (rows === undefined) return false;
    part.release();
    this.#source.out += rows;
    countIn(this.#source);
    this.#end.in += rows;
    this.#before = this.#accounts();
    const flushing = this.following.afterChunk();
    if (flushing !== undefined) await flushing;
    return true;
  }

  /**
   * The rows of `part` and of all that follow, as long as no stage keeps any back: then all that has become of a part's
   * rows is there when more are asked for.
   */
  async *#rows(first: Part, run: Run): Rows {
    const count = this.#source;
    const name = this.plan.source.name;
    for (let part: Part | undefined = first; part !== undefined; part = await this.#next()) {
      this.#part = part;
      count.readToEnd = false;
      this.staging?.begin(part);
      yield* readCounted(part.read(run), { name, count, run });
      part.release();
      const kept = this.#stages.some(
        (each, at) => unaccounted(since(each.account(), this.#before[at + 1])) !== 0,
      );
      if (kept) return;
      await this.#finish(part, true);
    }
  }

  /** All that has become of `part` is written. */
  async #finish(part: Part, readToEnd?: boolean): Promise<void> {
    this.#part = undefined;
    const now = this.#accounts();
    const stages = now.map((each, at) => {
      const account = since(each, this.#before[at]);
      const isEnd = at === now.length - 1;
      return {
        ...account,
        ...(isEnd ? { out: account.in - sum(account.rejected) } : {}),
        readToEnd: readToEnd ?? (isEnd || each.readToEnd),
      };
    });
    this.#before = now;
    const note = part.note?.();
    if (note !== undefined) this.notes.push(note);
    await this.staging?.endPart(stages, note);
  }

  /** All counters; `rows`: of a part of so many, all of which the end has taken. */
  #accounts(rows?: number): StageAccount[] {
    const all = [this.#source, ...this.#stages, this.#end].map((each) => each.account());
    if (rows === undefined) return all;
    return all.map((each) => ({
      ...new StageCounter(each.stage, each.branch).account(),
      in: rows,
      out: rows,
      readToEnd: true,
    }));
  }
}
