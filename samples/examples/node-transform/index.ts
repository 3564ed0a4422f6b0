// A Transform stream of Node's as a stage: rows are written to it one by one, and what it gives goes on in chunks. Back
// pressure is the stream's own; what it leaves out has to be counted, since the engine asks what became of every row.
import { Readable, Transform } from 'node:stream';
import { CHUNK_ROWS, flow, memory, named, pipeline, type Row, replace, type Stage } from 'sluice';

/** `make` gives a stream of objects for each run. Rows that it does not pass on are skipped with `reason`. */
export function through<In extends Row, Out extends Row>(
  make: () => Transform,
  reason: string,
): Stage<In, Out> {
  return named<In, Out>('transform stream', async function* (rows, run) {
    let read = 0;
    async function* each() {
      for await (const chunk of rows) {
        read += chunk.length;
        yield* chunk;
      }
    }
    const stream = make();
    let out: Out[] = [];
    let passed = 0;
    // compose() ends the source where the stage is ended early, and hands its errors on.
    for await (const row of Readable.from(each()).compose<Transform>(stream, { signal: run.signal })) {
      passed++;
      out.push(row);
      if (out.length < CHUNK_ROWS) continue;
      yield out;
      out = [];
    }
    if (out.length > 0) yield out;
    run.skip(reason, read - passed);
  });
}

export interface Reading extends Row {
  readonly at: string;
  readonly celsius: string;
}

/** Readings that differ from the one before. */
const changes = () => {
  let before: string | undefined;
  return new Transform({
    objectMode: true,
    transform(row: Reading, _encoding, done) {
      if (row.celsius !== before) this.push(row);
      before = row.celsius;
      done();
    },
  });
};

export default pipeline({
  name: 'node-transform',
  summary: 'Changes of a temperature',
  inputs: {
    readings: memory<Reading>('readings', [
      { at: '2025-01-01 00:00', celsius: '3' },
      { at: '2025-01-01 01:00', celsius: '3' },
      { at: '2025-01-01 02:00', celsius: '4' },
    ]),
  },
  tables: { readings: replace('readings', { columns: ['at', 'celsius'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.readings).through(through<Reading, Reading>(changes, 'unchanged')).into(tables.readings),
  ],
});
