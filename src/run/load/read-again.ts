import type { FlowPlan } from '../../core/flow.js';
import type { Around } from '../../core/input-bytes.js';
import { originOf, type Row } from '../../core/row.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { isUntouched, recordInputs } from '../inputs/fingerprint.js';
import type { Job } from '../job/job.js';

/** Inputs that give the same records at the same places however often they are read. */
const REPEATABLE: ReadonlySet<Source['kind']> = new Set(['file', 'sqlite', 'memory']);

/**
 * The inputs, by name, that give their records once more: of a file, as long as nobody has written to it since the run
 * began. Neither stdin nor a query does: it has seen a state of the database that is gone, in an order of its own.
 */
export async function repeatableInputs(job: Job): Promise<ReadonlySet<string>> {
  const before = job.state.manifest?.inputs ?? {};
  // Asked anew: what is shared is known since the beginning.
  const around: Around = { signal: job.signal, share: (_key, make) => make() };
  const now = await recordInputs(job.inputs, job.options.inputs ?? {}, around);
  const same = ([name, { kind }]: [string, Source]) =>
    REPEATABLE.has(kind) && (kind !== 'file' || isUntouched(before[name], now[name]));
  return new Set(Object.entries(job.inputs).flatMap((each) => (same(each) ? [each[0]] : [])));
}

/** `flow` as it is declared, to be read once more; undefined where its input is none of the `repeatable` ones. */
export function againOf(job: Job, flow: FlowPlan, repeatable: ReadonlySet<string>): FlowPlan | undefined {
  const input = Object.keys(job.inputs).find((name) => job.labels[name] === flow.source.name);
  if (input === undefined || !repeatable.has(input)) return undefined;
  return { ...flow, source: job.inputs[input] as Source };
}

/** A run that nobody listens to: everything was said at the first reading. */
export function silent(run: Run): Run {
  const nothing = () => {};
  return changedRun(run, {
    reject: nothing,
    skip: nothing,
    merge: nothing,
    add: nothing,
    keep: nothing,
    report: nothing,
    reportRows: nothing,
    wrote: nothing,
    progress: nothing,
  });
}

/**
 * The records of an input at places that are asked for in their order, each by reading on from the one before: the
 * input is read once more at most, and one chunk of it is held.
 */
export class ReadAgain {
  readonly #rows: AsyncIterator<readonly Row[]> | undefined;
  #chunk: readonly Row[] = [];
  #at = 0;
  #ended = false;

  /** `run`: told nothing, since everything was said at the first reading. `source`: left out where it cannot be read again. */
  constructor(source: Source | undefined, run: Run) {
    this.#rows = source?.read(run)[Symbol.asyncIterator]();
  }

  /** The record at `place`, no smaller than the last one asked for; undefined where there is none. */
  async at(place: number): Promise<Row | undefined> {
    for (;;) {
      for (; this.#at < this.#chunk.length; this.#at++) {
        const row = this.#chunk[this.#at] as Row;
        const origin = originOf(row);
        if (origin === place) return row;
        if (origin !== undefined && origin > place) return undefined;
      }
      if (this.#rows === undefined || this.#ended) return undefined;
      const next = await this.#rows.next();
      this.#ended = next.done === true;
      this.#chunk = next.done === true ? [] : next.value;
      this.#at = 0;
    }
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#rows?.return?.();
  }
}
