import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { silenced } from '../src/core/quiet-run.js';
import type { AnyRow, Row, Rows } from '../src/core/row.js';
import { changedRun, type Run } from '../src/core/run.js';
import type { Source } from '../src/core/types.js';

/**
 * The rows of another source, read inside a stage: a table that the flow's rows are looked up in, say. They
 * are not the flow's, so nothing of them is counted or shown as progress. Whatever is kept of them longer
 * than their chunk should go through `own`. Ends the batch with `lookup_source` where the source rejects a
 * row of its own; else throws what reading throws.
 */
export function sideInput<R extends AnyRow = Row>(source: Source<R>, run: Run, name = source.name): Rows<R> {
  return source.read(quiet(run, name));
}

/** The run as the other source sees it. */
function quiet(run: Run, name: string): Run {
  return changedRun(silenced(run), {
    reject(_row, why) {
      throw stageErrors.lookup_source({ source: name, why: why.message ?? why.reason }, { line: why.line });
    },
  });
}
