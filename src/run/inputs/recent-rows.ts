import { mapParts, mapReader } from '../../core/parts.js';
import { type Chunk, originOf, type Row, type Rows } from '../../core/row.js';
import type { Source } from '../../core/types.js';

/**
 * Chunks kept of every input. A stage that passes rows on as they come rejects one within a chunk or two.
 * More would cost much: what is kept is copied by every collection of the young generation (with eight, a
 * third of the CPU of a load from CSV).
 */
const KEPT_CHUNKS = 3;

/** Readings that are over and whose last chunks are kept: a part's rows may be refused a while after they were read. */
const KEPT_READINGS = 4;

/**
 * The records that an input gave last, so that a reject can be stored as the input had it, however stages
 * have changed the row since. Keeps references only: nothing is paid per row.
 */
export class InputRows {
  /** The columns of the first record; undefined while there was none. */
  columns: readonly string[] | undefined;
  /** The latest chunks of each reading: parts of an input are read at the same time. */
  readonly #readings = new Set<Chunk[]>();
  readonly #over: Chunk[][] = [];

  /** `onChunk` is told of every chunk before it is handed on. */
  constructor(private readonly onChunk: (chunk: Chunk) => void = () => {}) {}

  /** `source`, whose chunks are remembered; `between` is awaited before each is handed on. */
  around(source: Source, between: () => Promise<void> | undefined): Source {
    const remembered = this;
    const { cut, partReader } = source;
    const kept = async function* (rows: Rows) {
      const recent: Chunk[] = [];
      remembered.#readings.add(recent);
      try {
        for await (const chunk of rows) {
          remembered.columns ??= Object.keys(chunk[0] as Row);
          if (recent.length === KEPT_CHUNKS) recent.shift();
          recent.push(chunk);
          remembered.onChunk(chunk);
          const waiting = between();
          if (waiting !== undefined) await waiting;
          yield chunk;
        }
      } finally {
        remembered.#end(recent);
      }
    };
    return {
      name: source.name,
      kind: source.kind,
      ...(source.format === undefined ? {} : { format: source.format }),
      ...(source.columns === undefined ? {} : { columns: source.columns }),
      ...(source.order === undefined ? {} : { order: source.order }),
      ...(source.sessions === undefined ? {} : { sessions: source.sessions }),
      ...(source.groups === undefined ? {} : { groups: source.groups }),
      read: (run) => kept(source.read(run)),
      ...(cut === undefined
        ? {}
        : {
            cut: async (run, how) => {
              const opened = await cut.call(source, run, how);
              const csv = 'rows' in opened ? undefined : opened.csv;
              remembered.columns ??= csv?.columns;
              return mapParts(opened, kept, csv);
            },
          }),
      ...(partReader === undefined
        ? {}
        : {
            partReader: async (run, opening) => {
              const reader = await partReader.call(source, run, opening);
              remembered.columns ??= reader.csv?.columns;
              return mapReader(reader, kept, reader.csv);
            },
          }),
    };
  }

  #end(recent: Chunk[]): void {
    this.#over.push(recent);
    if (this.#over.length > KEPT_READINGS) this.#readings.delete(this.#over.shift() as Chunk[]);
  }

  /** The record at `origin`, if it is among those remembered. */
  find(origin: number): Row | undefined {
    for (const recent of this.#readings) {
      const found = inLatest(recent, origin);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function inLatest(recent: readonly Chunk[], origin: number): Row | undefined {
  for (let at = recent.length - 1; at >= 0; at--) {
    const chunk = recent[at] as Chunk;
    const first = originOf(chunk[0] as Row);
    if (first === undefined || first > origin) continue;
    return inChunk(chunk, origin);
  }
  return undefined;
}

/** Origins grow within a chunk. */
function inChunk(chunk: Chunk, origin: number): Row | undefined {
  let low = 0;
  let high = chunk.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const row = chunk[middle] as Row;
    const found = originOf(row) ?? Number.POSITIVE_INFINITY;
    if (found === origin) return row;
    if (found < origin) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
