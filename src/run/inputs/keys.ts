import { statSync } from 'node:fs';
import { isRemote } from '../../core/input-url.js';
import { silenced } from '../../core/quiet-run.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';

/**
 * The values of a column of `source`, which its table is asked for where it reads one, and else it is read for once more;
 * NULL and the empty text are left out, and so is what cannot be read. Undefined where it can be read only once.
 */
export function sourceKeys(
  source: Source,
  column: string,
  run: Run,
): AsyncIterable<readonly string[]> | undefined {
  if (source.keys !== undefined) return source.keys(run, column);
  if (source.kind === 'stdin') return undefined;
  if (source.kind === 'file' && !isFile(source.path ?? source.name)) return undefined;
  return readFor(source, column, silenced(run));
}

async function* readFor(source: Source, column: string, run: Run): AsyncIterable<readonly string[]> {
  for await (const chunk of source.read(run)) {
    const keys: string[] = [];
    for (const row of chunk) {
      const value = row[column];
      if (value !== null && value !== undefined && value !== '') keys.push(String(value));
    }
    if (keys.length > 0) yield keys;
  }
}

/** Opening a FIFO would take what it gives. */
const isFile = (path: string) =>
  isRemote(path) || statSync(path, { throwIfNoEntry: false })?.isFile() === true;
