import { detachString } from '../src/core/detach.js';
import type { AnyRow, Row, Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage, together } from '../src/core/types.js';
import { stageFailed } from './failure.js';
import { type By, groupKey, sameGroup, withinOf } from './key.js';

export interface DistinctOptions<R extends AnyRow = Row> {
  readonly by: By<NoInfer<R>>;
  /** Equal rows stand together: nothing is remembered but the row before. Default: false. */
  readonly ordered?: boolean;
  /** For messages. */
  readonly name?: string;
}

/**
 * The first row of each key; the others count as merged (`duplicate`). Unless `ordered`, all keys are held
 * in memory (about 100 bytes each), copied out of their rows.
 */
export function distinct<R extends AnyRow = Row>(options: DistinctOptions<R>): Stage<R> {
  const { by, ordered = false, name = 'distinct' } = options;
  const same = sameGroup(by);
  const key = groupKey(by);
  const stage = named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<R[]> {
    const seen = new Set<string>();
    let previous: R | undefined;
    const isNew = (row: R) => {
      const repeated = previous !== undefined && same(previous, row);
      previous = row;
      if (repeated || ordered) return !repeated;
      const id = key(row);
      if (seen.has(id)) return false;
      seen.add(detachString(id));
      return true;
    };
    for await (const chunk of rows) {
      const out: R[] = [];
      const repeated: R[] = [];
      for (const row of chunk) {
        try {
          (isNew(row) ? out : repeated).push(row);
        } catch (error) {
          throw stageFailed(name, row, error);
        }
      }
      if (repeated.length > 0) run.merge('duplicate', repeated);
      if (out.length > 0) yield out;
    }
  });
  return together(Object.assign(stage, withinOf(by, { keeps: true })));
}
