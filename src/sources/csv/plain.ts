import type { Row } from '../../core/row.js';
import type { RowMaker } from './rows.js';

const LF = 10;
const CR = 13;

/** Told of what a plain text holds, in its order. */
export interface PlainTaker {
  row(row: Row): void;
  /** A record from `start` to `end` of `count` fields where the header has another number. */
  odd(start: number, end: number, count: number, line: number): void;
  /** Longest record in characters; `tooLong` throws. */
  readonly maxLength: number;
  tooLong(start: number, line: number): never;
}

/**
 * Cuts `text`, in which there are no quotes and CR stands before LF only, at delimiters and line ends.
 * `line` is that of its first record. Gives the place where the last, incomplete record starts, and its line.
 */
export function scanPlain(
  text: string,
  delimiterText: string,
  maker: RowMaker,
  firstLine: number,
  take: PlainTaker,
): { readonly end: number; readonly line: number } {
  const length = text.length;
  const columns = maker.columns;
  const limit = take.maxLength;
  const delimiter = delimiterText.charCodeAt(0);
  // Characters above this one cannot end a field.
  const highest = Math.max(delimiter, LF);
  const cuts = new Int32Array(columns + 1);
  let line = firstLine;
  let record = 0;
  let count = 0;
  cuts[0] = -1;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > highest) continue;
    if (code === delimiter) {
      if (++count < columns) cuts[count] = i;
    } else if (code === LF) {
      const end = i > record && text.charCodeAt(i - 1) === CR ? i - 1 : i;
      if (end - record > limit) take.tooLong(record, line);
      if (++count === columns) {
        cuts[columns] = end;
        take.row(maker.fromText(text, cuts, line));
      } else {
        take.odd(record, end, count, line);
      }
      line++;
      record = i + 1;
      cuts[0] = i;
      count = 0;
    }
  }
  return { end: record, line };
}
