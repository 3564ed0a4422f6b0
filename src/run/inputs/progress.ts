import type { StageCounter } from '../../core/accounting.js';
import type { InputProgress } from '../../db/ledger/batches.js';
import type { Events, Shares } from '../given/events.js';
import { type LiveCounts, liveCounts } from './live-counts.js';

/** How far an input is, in its own unit. */
interface Position {
  readonly input: string;
  readonly rows: number;
  readonly done: number;
  readonly unit: 'bytes' | 'rows';
  readonly of: number | undefined;
}

/** How far a run's inputs are and what has become of their rows, while it goes on. */
export class Progress {
  readonly #positions = new Map<StageCounter, Position>();
  /** The counters of every line of stages that is followed, the source's first. */
  readonly #counters = new Map<string, StageCounter[]>();

  /** What workers load, by flow. */
  readonly #shares = new Map<number, Shares>();

  /** `tell` is called whenever an input has come further. */
  constructor(private readonly tell: Events['progress']) {}

  /** `counter` counts in the line of stages `line`: a flow, or one of those that read its parts. */
  counts(line: string, counter: StageCounter): void {
    this.#counters.set(line, [...(this.#counters.get(line) ?? []), counter]);
  }

  /** Workers load `shares` of the flow at `flow`; told with what is next said of an input. */
  sharesOf(flow: number, shares: Shares): void {
    this.#shares.set(flow, shares);
  }

  /** What workers load of all flows; undefined where they load none. */
  get shares(): Shares | undefined {
    const all = [...this.#shares.values()];
    if (all.length === 0) return undefined;
    const hosts = new Map<string, number>();
    for (const { host, rowsPerSecond } of all.flatMap((each) => each.hosts))
      hosts.set(host, (hosts.get(host) ?? 0) + rowsPerSecond);
    return {
      parts: all.reduce((sum, { parts }) => sum + parts, 0),
      loaded: all.reduce((sum, { loaded }) => sum + loaded, 0),
      hosts: [...hosts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([host, rowsPerSecond]) => ({ host, rowsPerSecond })),
    };
  }

  /** Rows that the flow at `flow` has read so far. */
  rowsOf(flow: number): number {
    let rows = 0;
    for (const [line, [source]] of this.#counters) if (line.startsWith(`${flow}/`)) rows += source?.out ?? 0;
    return rows;
  }

  /** The source that `counter` counts for, which reads `input`, is at a place. */
  advance(
    counter: StageCounter,
    input: string,
    {
      rows = counter.out,
      bytes,
      of,
    }: { readonly bytes?: number; readonly rows?: number; readonly of?: number },
  ): void {
    const position: Position = {
      input,
      rows,
      done: bytes ?? rows,
      unit: bytes === undefined ? 'rows' : 'bytes',
      of,
    };
    this.#positions.set(counter, position);
    if (this.tell === undefined) return;
    // All inputs that were begun, together: several may be read at once.
    const all = [...this.#positions.values()];
    const sum = (amount: (each: Position) => number) => all.reduce((total, each) => total + amount(each), 0);
    const { shares } = this;
    const known = all.every((each) => each.unit === position.unit && each.of !== undefined);
    this.tell({
      inputs: this.inputs,
      rows: this.rows,
      ...(shares === undefined ? {} : { shares }),
      ...(all.every(({ unit }) => unit === position.unit)
        ? { done: sum(({ done }) => done), unit: position.unit }
        : {}),
      ...(known ? { of: sum((each) => each.of ?? 0) } : {}),
    });
  }

  /** Rows read so far, over all inputs. */
  get rows(): number {
    let rows = 0;
    for (const position of this.#positions.values()) rows += position.rows;
    return rows;
  }

  /** What has become of the rows so far. */
  get live(): LiveCounts {
    return liveCounts(this.#counters.values());
  }

  /** How far every input that was begun is. */
  get inputs(): InputProgress[] {
    return [...this.#positions.values()].map(({ input, rows, done, unit, of }) => ({
      input,
      rows,
      done,
      unit,
      of: of ?? null,
    }));
  }
}
