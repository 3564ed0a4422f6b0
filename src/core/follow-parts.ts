import { type StageAccount, StageCounter, since, sum, unaccounted } from './accounting.js';
import { commandErrors } from './errors/catalogue/command-line.js';
import { accountName, type FlowPlan } from './flow.js';
import { type Following, firstCause, staged } from './follow.js';
import type { CsvText, Cut, Part } from './parts.js';
import { countIn, readCounted } from './reading.js';
import type { Chunk, Rows } from './row.js';
import type { Run } from './run.js';
import type { Target } from './target.js';
import type { Sink } from './types.js';

/**
 * An end of a flow as one lane fills it, a part at a time: begin, write any number of times, endPart. A part is there
 * as a whole, or not at all.
 */
export interface PartStaging {
  begin(part: Part): void;
  /** Takes the chunk over; resolves when the next one may come. */
  write(chunk: Chunk): Promise<void>;
  /**
   * What was written since `begin` is all of the part, and `stages` what became of its rows. Resolves when the next part
   * may begin, which may be before this one is safe.
   */
  endPart(stages: readonly StageAccount[], note: unknown): Promise<void>;
  /**
   * Takes the part's text as it is, in place of begin, write and endPart: the number of its rows, once they are safe.
   * Undefined where they have to be read. `stages`: what became of so many rows.
   */
  raw?(
    part: Part,
    csv: CsvText,
    stages: (rows: number) => readonly StageAccount[],
  ): Promise<number | undefined>;
  /** Everything written is safe. */
  close(): Promise<void>;
  /** Undoes the part that is not safe yet; never throws because of an earlier failure. */
  discard(): Promise<void>;
}

/** What the engine needs from whoever runs a flow part by part. */
export interface FollowingParts extends Pick<Following, 'signal' | 'afterChunk'> {
  /** How many parts are read at once, at most. */
  readonly lanes: number;
  /** The Run of a source, stage or sink of one lane. */
  runFor(counter: StageCounter, input: string, signal: AbortSignal, lane: number): Run;
  /**
   * Opens the end for one more lane; undefined where there is no room for it, which the first one (0) does not answer.
   * `refused` is the Run of rows that are refused after their part has ended.
   */
  openLane(end: Target | Sink, run: Run, refused: Run, lane: number): Promise<PartStaging | undefined>;
}

/**
 * Runs one flow part by part, several at once; `plan` is one that `mayBeCut`. Each part goes through the stages by
 * itself and into the end as a whole. Where an end takes text as it is, no row is made of it. The first error stops all
 * and is thrown; parts that are safe stay.
 */
export async function followParts(plan: FlowPlan, cut: Cut, following: FollowingParts): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([following.signal, stop.signal]);
  const ahead = new Ahead(cut.parts());
  const lanes: Lane[] = [];
  let first: { readonly error: unknown } | undefined;
  const running: Promise<void>[] = [];
  const start = () => {
    const number = lanes.length;
    const lane = new Lane(plan, cut, ahead, following, signal, number, () => {
      // Who is the last to have begun makes room for one more.
      if (lanes.length === number + 1 && lanes.length < following.lanes) start();
    });
    lanes.push(lane);
    running.push(
      lane.run().catch((error: unknown) => {
        first ??= { error };
        stop.abort();
      }),
    );
  };
  start();
  try {
    // A lane that begins may start another one.
    for (let at = 0; at < running.length; at++) await running[at];
    if (first !== undefined) throw (first as { readonly error: unknown }).error;
    for (const lane of lanes) await lane.staging?.close();
    cut.end?.();
  } catch (error) {
    stop.abort();
    await Promise.allSettled(lanes.map((lane) => lane.staging?.discard()));
    throw firstCause(error, following.signal);
  } finally {
    await ahead.close();
  }
}

/** Parts for several lanes, of which the next one is made while those before are loaded. */
class Ahead {
  #next: Promise<IteratorResult<Part, void>>;

  constructor(private readonly parts: AsyncGenerator<Part, void>) {
    this.#next = this.#ask();
  }

  /** Whether there is another part that nobody has taken. */
  async more(): Promise<boolean> {
    return (await this.#next).done !== true;
  }

  async next(): Promise<Part | undefined> {
    const next = this.#next;
    this.#next = this.#ask();
    const { done, value } = await next;
    return done === true ? undefined : value;
  }

  /** Ends the reading, wherever it is. */
  async close(): Promise<void> {
    await this.parts.return().catch(() => {});
  }

  #ask(): Promise<IteratorResult<Part, void>> {
    const asked = this.parts.next();
    asked.catch(() => {});
    return asked;
  }
}

/** A part whose text the end was given, and how many rows it takes of it. */
interface Handed {
  readonly part: Part;
  readonly rows: Promise<number | undefined>;
}

/** One line of parts, one after the other, through stages of its own. */
class Lane {
  staging: PartStaging | undefined;
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
    const rows = this.staging.raw(part, csv, (taken) => this.#accounts(taken));
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
    await this.staging?.endPart(stages, part.note?.());
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
