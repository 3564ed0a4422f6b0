import { failed } from '../src/core/errors/author.js';
import { again } from '../src/core/next.js';
import { silenced } from '../src/core/quiet-run.js';
import type { Row, Rows } from '../src/core/row.js';
import { changedRun, type Run } from '../src/core/run.js';
import type { Source } from '../src/core/types.js';

/**
 * The rows of another source, read inside a stage: a table that the flow's rows are looked up in, say. They
 * are not the flow's, so nothing of them is counted or shown as progress. Whatever is kept of them longer
 * than their chunk should go through `own`. Ends the batch with `lookup_source` where the source rejects a
 * row of its own; else throws what reading throws.
 */
export function sideInput<R extends Row>(source: Source<R>, run: Run, name = source.name): Rows<R> {
  return source.read(quiet(run, name));
}

/** The run as the other source sees it. */
function quiet(run: Run, name: string): Run {
  return changedRun(silenced(run), {
    reject(_row, why) {
      throw failed('lookup_source', `${name} has a bad row: ${why.message ?? why.reason}`, {
        input: name,
        ...(why.line === undefined ? {} : { line: why.line }),
        state: 'nothing was published',
        next: again({}, { lead: 'correct it (a lookup with holes would reject good rows), then' }),
      });
    },
  });
}
