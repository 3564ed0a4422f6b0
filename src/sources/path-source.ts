import type { Row } from '../core/row.js';
import type { Run } from '../core/run.js';
import type { Source } from '../core/types.js';
import { checkFile } from './check.js';
import { inChunks } from './chunks.js';
import { STDIN } from './raw.js';

/**
 * The source of what is at `path` (`-` is stdin), whatever its format: `batches` reads it afresh at every
 * call, in pieces of any size.
 */
export function pathSource<R extends Row>(
  path: string,
  format: 'csv' | 'json',
  columns: readonly string[] | undefined,
  batches: (run: Run) => AsyncIterable<readonly Row[]>,
): Source<R> {
  const read: Source['read'] = (run) => inChunks(batches(run));
  return {
    name: path,
    kind: path === STDIN ? 'stdin' : 'file',
    format,
    ...(columns !== undefined && { columns }),
    check: (run) => checkFile(path, run, read),
    read: read as Source<R>['read'],
  };
}
