import { type Duplex, Readable } from 'node:stream';
import { type AnyRow, CHUNK_ROWS, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage } from '../src/core/types.js';

/** A Transform, or any other Duplex of Node's, as far as it has to be known here: so these types need none of Node's. */
export interface RowStream {
  destroy(error?: Error): unknown;
  on(event: 'close', listener: () => void): unknown;
  write(row: unknown): boolean;
  [Symbol.asyncIterator](): AsyncIterator<unknown>;
}

/**
 * A stage out of a Transform (or any Duplex) of Node's, in object mode, which gets the rows one by one and gives rows. `make`
 * is called for every reading of the rows, with the run: rows that the stream leaves out or makes anew are to be told to
 * `run.skip`, `run.reject`, `run.merge` or `run.add`, as in every stage; what is not told is found by the accounting. A
 * row made with `{ ...row }` keeps its origin. Backpressure works both ways; an error of the stream ends the batch. It costs more than a
 * stage of chunks does: for what is there already, not for what is written anew.
 */
export function nodeStream<In extends AnyRow = Row, Out extends AnyRow = Row>(
  name: string,
  make: (run: Run) => RowStream,
): Stage<In, Out> {
  return named(name, async function* (rows: Rows<In>, run: Run): AsyncGenerator<Out[]> {
    const source = Readable.from(rowByRow(rows), { objectMode: true });
    const stream = make(run);
    source.on('error', (error) => stream.destroy(error));
    stream.on('close', () => source.destroy());
    source.pipe(stream as unknown as Duplex);
    let out: Out[] = [];
    for await (const row of stream as unknown as AsyncIterable<Out>) {
      out.push(row);
      if (out.length < CHUNK_ROWS) continue;
      yield out;
      out = [];
    }
    if (out.length > 0) yield out;
  });
}

async function* rowByRow<R>(rows: Rows<R>): AsyncGenerator<R> {
  for await (const chunk of rows) yield* chunk;
}
