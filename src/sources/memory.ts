import { type AnyRow, CHUNK_ROWS, markOrigin, type Row } from '../core/row.js';
import type { Source } from '../core/types.js';
import { stopIfAborted } from './bytes/stop.js';

/** The rows of an array, copied, with their place in it (1-based) as their origin. */
export function memory<R extends AnyRow = Row>(name: string, rows: readonly R[]): Source<R> {
  return {
    name,
    kind: 'memory',
    ...(rows[0] !== undefined && { columns: Object.keys(rows[0]) }),
    async *read(run) {
      for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
        stopIfAborted(run);
        const chunk = rows.slice(at, at + CHUNK_ROWS).map((row, i) => markOrigin({ ...row }, at + i + 1));
        run.progress({ rows: at + chunk.length, of: rows.length });
        yield chunk;
      }
    },
  };
}
