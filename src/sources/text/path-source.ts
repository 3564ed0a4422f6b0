import type { Cut, CutOptions, PartReader, Uncut } from '../../core/parts.js';
import type { AnyRow, Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { displayName, openBytes, STDIN } from '../bytes/open.js';
import { checkFile } from './check.js';
import { inChunks } from './chunks.js';

/** How what is at a path is read, in pieces of any size. */
export interface PathReading {
  readonly format: 'csv' | 'json';
  readonly columns: readonly string[] | undefined;
  /** Reads it afresh at every call. */
  batches(run: Run): AsyncIterable<readonly Row[]>;
  /** See `Source.cut`. */
  cut?(run: Run, how: CutOptions): Promise<Cut | Uncut>;
  /** See `Source.partReader`; exactly where there is a `cut`. */
  partReader?(run: Run, opening: unknown): Promise<PartReader>;
}

/** The source of what is at `path` (`-` is stdin), whatever its format. */
export function pathSource<R extends AnyRow = Row>(path: string, reading: PathReading): Source<R> {
  const { format, columns, batches, cut, partReader } = reading;
  const read: Source['read'] = (run) => inChunks(batches(run));
  return {
    name: path === STDIN ? path : displayName(path),
    kind: path === STDIN ? 'stdin' : 'file',
    format,
    ...(columns !== undefined && { columns }),
    check: (run) => checkFile(path, run, read),
    bytes: (around) => openBytes(path, around),
    read: read as Source<R>['read'],
    ...(cut === undefined ? {} : { cut }),
    ...(partReader === undefined ? {} : { partReader }),
  };
}
