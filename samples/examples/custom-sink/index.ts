// A sink is opened once a run, is given chunks, and says at the end how many rows it holds: the engine compares that with
// what it has handed over. `writes: 'file'` keeps a dry run from opening it. The file has its name only when it is whole;
// a run that fails elsewhere has it discarded.
import { open, rename, rm } from 'node:fs/promises';
import { type AnyRow, flow, memory, pipeline, replace, type Sink } from 'sluice';

/** The rows as lines of JSON in the file at `path`. */
export function jsonLines<R extends AnyRow>(path: string): Sink<R> {
  return {
    name: path,
    writes: 'file',
    async open(run) {
      const unfinished = `${path}.unfinished`;
      const file = await open(unfinished, 'w');
      let rows = 0;
      return {
        async write(chunk) {
          await file.write(chunk.map((row) => `${JSON.stringify(row)}\n`).join(''));
          rows += chunk.length;
        },
        async close() {
          await file.sync();
          await file.close();
          await rename(unfinished, path);
          run.wrote(path, 'the parts as lines of JSON');
          return rows;
        },
        async discard() {
          await file.close().catch(() => {});
          await rm(unfinished, { force: true });
          await rm(path, { force: true });
        },
      };
    },
  };
}

/** Rows end in a table, and beside it in a file: at a fork every row goes both ways. */
export const partsInto = (path: string) =>
  pipeline({
    name: 'custom-sink',
    summary: 'Parts into a table and a file',
    inputs: {
      parts: memory('parts', [
        { id: '1', name: 'bolt' },
        { id: '2', name: 'nut' },
      ]),
    },
    tables: { parts: replace('parts', { columns: ['id', 'name'] }) },
    flows: ({ inputs, tables }) => [
      flow(inputs.parts).fork(
        (rows) => rows.into(tables.parts),
        (rows) => rows.into(jsonLines(path)),
      ),
    ],
  });

export default partsInto('parts.jsonl');
