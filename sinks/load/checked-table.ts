import type { Sink, Staging } from '../../src/core/types.js';
import { copyColumns } from './copy/columns.js';
import { CopyBuffer } from './encode/copy-buffer.js';
import { copyEncoder, type Encoder } from './encode/encoder.js';
import type { StagedTableOptions } from './staged-table.js';

/** What a dry run knows of the table that it does not write. */
export type CheckedTableOptions = Pick<StagedTableOptions, 'liveName' | 'columns' | 'wanted'>;

/**
 * The staged table of a dry run: takes the same rows, makes the same rejects by the same guards and
 * encoding, and writes nothing. `close` gives the number of rows that would have been sent; those that only
 * the server can judge are among them.
 */
export function checkedTable(options: CheckedTableOptions): Sink {
  return {
    name: options.liveName,
    writes: 'nothing',
    async open(run): Promise<Staging> {
      const { liveName, columns, wanted } = options;
      const buffer = new CopyBuffer(1 << 20);
      let encoder: Encoder | undefined;
      let rows = 0;
      return {
        async write(chunk) {
          encoder ??= copyEncoder(copyColumns({ table: liveName, columns }, wanted, chunk[0]), {
            closed: wanted === undefined,
          });
          buffer.clear();
          rows += encoder.encode(chunk, buffer, (row, why) => run.reject(row, why));
        },
        close: async () => rows,
        discard: async () => {},
      };
    },
  };
}
