import type { FlowPlan } from '../../core/flow.js';
import type { Chunk } from '../../core/row.js';
import { InputRows } from './recent-rows.js';

/** The inputs of a run as they were read: their columns, and the latest records of each. */
export class ReadInputs {
  readonly #rows = new Map<string, InputRows>();
  #columnsBefore: Readonly<Record<string, readonly string[]>> = {};

  /** The records that each input gave last, by the source's name. */
  get latest(): ReadonlyMap<string, InputRows> {
    return this.#rows;
  }

  /**
   * `flows` with their inputs remembered. `onChunk` is told of every chunk and the flow that reads it; `between` is
   * awaited before each is handed on.
   */
  remember(
    flows: readonly FlowPlan[],
    onChunk: (flow: number, chunk: Chunk) => void,
    between: () => Promise<void> | undefined,
  ): FlowPlan[] {
    return flows.map((flow, at) => {
      const rows = new InputRows((chunk) => onChunk(at, chunk));
      this.#rows.set(flow.source.name, rows);
      return { ...flow, source: rows.around(flow.source, between) };
    });
  }

  /** The columns of every input of which a record was read, by the source's name. */
  columns(): Record<string, readonly string[]> {
    const all: Record<string, readonly string[]> = { ...this.#columnsBefore };
    for (const [name, { columns }] of this.#rows) if (columns !== undefined) all[name] ??= columns;
    return all;
  }

  /** Others have read the input `name`, of these columns. */
  heard(name: string, columns: readonly string[]): void {
    this.#columnsBefore = { ...this.#columnsBefore, [name]: columns };
  }

  /** An earlier attempt at the batch has read inputs of these columns, of which nothing may be read again. */
  readBefore(columns: Readonly<Record<string, readonly string[]>>): void {
    this.#columnsBefore = columns;
  }
}
