import { resubmitErrors } from '../../core/errors/catalogue/resubmit.js';
import { resumeErrors } from '../../core/errors/catalogue/resume.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { CHUNK_ROWS, markOrigin, originOf, type Row, type Rows } from '../../core/row.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { MASKED } from '../given/masking.js';
import type { Correction } from './corrections.js';

/** What an input is called, and where it stands, when corrected rows are in it. */
export type Called = Pick<Source, 'name' | 'kind' | 'path' | 'format' | 'columns'>;

type Placed = Correction & { readonly line: number };

const hasLine = (correction: Correction): correction is Placed => correction.line !== null;

/** The corrected rows by themselves; each has its line in the input as its origin. */
export function alone(called: Called, corrections: readonly Correction[]): Source {
  return {
    ...called,
    async *read(run) {
      for (let at = 0; at < corrections.length; at += CHUNK_ROWS) {
        run.signal.throwIfAborted();
        const chunk = corrections.slice(at, at + CHUNK_ROWS).map((correction) => corrected(correction));
        run.progress({ rows: at + chunk.length, of: corrections.length });
        yield chunk;
      }
    },
  };
}

/**
 * `original`, read whole, with the corrected rows in the places of the rejected ones: by their lines, at which a row or
 * a record that cannot be read must be what was rejected (`isSame`), else it throws refused `input_changed`.
 * `all` in the order of their lines; throws refused `no_line` where one has none.
 */
export function inPlace(
  original: Source,
  called: Called,
  all: readonly Correction[],
  isSame: (was: Row | string | undefined, correction: Correction) => boolean,
): Source {
  if (all.length === 0) return { ...original, ...called };
  const corrections = all.filter(hasLine);
  const byLine = new Map(corrections.map((correction) => [correction.line, correction]));
  const unplaced = all.find((correction) => !hasLine(correction));
  const { check } = original;
  async function* read(run: Run): Rows {
    if (unplaced !== undefined) throw resubmitErrors.no_line({ input: called.name, reject: unplaced.number });
    const unreadable = new Set<number>();
    let next = 0;
    const relay = changedRun(run, {
      reject(row: Row | undefined, why) {
        const line = why.line ?? (row === undefined ? undefined : originOf(row));
        const correction = line === undefined ? undefined : byLine.get(line);
        if (line === undefined || correction === undefined) return run.reject(row, why);
        if (!isSame(why.raw ?? row, correction)) throw changedInput(called.name, correction);
        unreadable.add(line);
      },
    });
    /** The corrections of records before `line` that could not be read. */
    const before = (line: number, out: Row[]) => {
      for (; next < corrections.length; next++) {
        const correction = corrections[next] as Placed;
        if (correction.line >= line) return;
        if (!unreadable.has(correction.line)) throw changedInput(called.name, correction);
        out.push(corrected(correction));
      }
    };
    for await (const chunk of original.read(relay)) {
      const upcoming = corrections[next];
      if (upcoming === undefined || upcoming.line > (originOf(chunk.at(-1) as Row) ?? 0)) {
        yield chunk;
        continue;
      }
      const out: Row[] = [];
      for (const row of chunk) {
        const line = originOf(row) ?? 0;
        before(line, out);
        const correction = corrections[next];
        if (correction?.line !== line) out.push(row);
        else {
          if (!isSame(row, correction)) throw changedInput(called.name, correction);
          out.push(corrected(correction, row));
          next++;
        }
      }
      yield out;
    }
    const rest: Row[] = [];
    before(Number.POSITIVE_INFINITY, rest);
    if (rest.length > 0) yield rest;
  }
  return {
    ...called,
    ...(original.order === undefined ? {} : { order: original.order }),
    ...(original.encoding === undefined ? {} : { encoding: original.encoding }),
    ...(check === undefined ? {} : { check: (run) => check.call(original, run) }),
    read,
  };
}

/** The row of a correction; what is masked in it is as the input has it. */
function corrected({ row, line }: Correction, original: Row = {}): Row {
  const made = Object.entries(row).map(([column, value]) => [
    column,
    value === MASKED && Object.hasOwn(original, column) ? original[column] : value,
  ]);
  return markOrigin(Object.fromEntries(made), line ?? undefined);
}

function changedInput(input: string, { number, line }: Correction): SluiceError {
  return resumeErrors.input_changed.resubmitted({ input, reject: number, line });
}
