import { loadErrors } from '../core/errors/catalogue/load.js';
import type { CutOptions, KnownPart, PartPlace } from '../core/parts.js';

/** The rows of a part that is no text: those from `from` on that come before `to`, or those where there is nothing to compare. */
export interface Range {
  /** What the input is cut by. */
  readonly by: string;
  readonly from?: string;
  readonly to?: string;
  readonly nulls?: true;
}

/** A part's place, with its range. */
export interface RangePlace extends PartPlace {
  readonly of: Range;
}

/**
 * Numbers that each part has for its rows. How many rows come before a part nobody knows without having read them: so the
 * third part's 17th row has the number 200,000,017.
 */
export const PART_ROWS = 100_000_000;

/** As many parts as there are numbers for at an end of a flow; the rows without a value come behind all others. */
const MOST_PARTS = 40_000;

/** Less in a part costs more than it is worth. */
const LEAST_BYTES = 4 << 20;

/** A part's rows are held as a whole until they are loaded. */
const MOST_BYTES = 8 << 20;

/** A part that has so many bytes takes too much memory, and cannot be cut. */
export const TOO_MANY_BYTES = 64 << 20;

/** Parts for each that reads them: the last ones are then done at about the same time. */
const PARTS_EACH = 4;

/** How many bytes a part should have of an input of `bytes`; undefined where it is not worth being cut. */
export function bytesOfPart(bytes: number, { partBytes, readers = 1 }: CutOptions): number | undefined {
  const size =
    partBytes ?? Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.ceil(bytes / (PARTS_EACH * readers))));
  const least = Math.ceil(bytes / (MOST_PARTS / 2));
  return bytes < 2 * size ? undefined : Math.max(size, least);
}

/** How an input is cut at bounds: ascending ones, as its source compares them. */
export interface Bounds {
  readonly by: string;
  /** Where the last part ends; left out where it is open. */
  readonly end?: string;
  /** Whether there may be rows that have nothing to compare. */
  readonly nulls: boolean;
  /** Bounds of about as many rows each, all behind `after`, or all. */
  behind(after: string | undefined): Promise<readonly string[]>;
}

/** The places of an input that is cut at `bounds`: known parts as they were. Throws refused `not_repeatable` where they are none any more. */
export async function placesOf(
  input: string,
  bounds: Bounds,
  known: readonly KnownPart[],
): Promise<RangePlace[]> {
  const { by, end } = bounds;
  const places: RangePlace[] = [];
  const add = (at: number, range: Omit<Range, 'by'>) => places.push(placed(at, { by, ...range }));
  const otherwise = () => loadErrors.not_repeatable.otherwise({ input, by });
  let from: string | undefined;
  let at = 0;
  let ended = false;
  const ranges = known.map(({ start, note }) => ({
    at: start / PART_ROWS,
    range: note as Range | undefined,
  }));
  for (const each of ranges) {
    const { range } = each;
    if (range?.by !== by || ended) throw otherwise();
    if (range.nulls === true) continue;
    // What was not loaded between two parts is one.
    if (each.at > at && range.from !== from)
      add(at, {
        ...(from === undefined ? {} : { from }),
        ...(range.from === undefined ? {} : { to: range.from }),
      });
    else if (range.from !== from) throw otherwise();
    add(each.at, {
      ...(range.from === undefined ? {} : { from: range.from }),
      ...(range.to === undefined ? {} : { to: range.to }),
    });
    from = range.to;
    at = each.at + 1;
    ended = from === undefined;
  }
  if (!ended) {
    for (const to of await bounds.behind(from)) {
      add(at++, { ...(from === undefined ? {} : { from }), to });
      from = to;
    }
    if (end === undefined || from !== end)
      add(at, { ...(from === undefined ? {} : { from }), ...(end === undefined ? {} : { to: end }) });
  }
  if (bounds.nulls) places.push(placed(MOST_PARTS, { by, nulls: true }));
  return places;
}

function placed(at: number, of: Range): RangePlace {
  const start = at * PART_ROWS;
  return { start, end: start + PART_ROWS, line: start + 1, lines: PART_ROWS, of };
}
