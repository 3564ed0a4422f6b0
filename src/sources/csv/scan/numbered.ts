import { putNumber } from '../../../core/put-number.js';
import { QUOTE } from './bytes.js';
import { RecordWalk } from './walk.js';

/** How records are numbered. */
export interface Numbering {
  /** Records in the segment, as `gate` has counted them. */
  readonly rows: number;
  /** The number of the first. */
  readonly row: number;
  /** The line on which the first starts: given where a second number is wanted, which says this of each record. */
  readonly line?: number;
  /** The NULL that COPY is told; numbers are quoted where it could be one of them. */
  readonly nullText?: Buffer;
  /** Written to where it has room, in place of a new Buffer. */
  readonly spare?: Buffer | undefined;
}

/** Digits of the greatest number that a double counts to. */
const MOST_DIGITS = 16;

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 48 && byte <= 57;

/**
 * The records of a segment that `gate` has let pass, each with its number (and line) in front as a field of its own.
 * Each line counts as the reader counts it: those inside quotes too.
 */
export function numbered(
  bytes: Buffer,
  start: number,
  end: number,
  delimiter: number,
  { rows, row, line, nullText, spare }: Numbering,
): Buffer {
  const text = bytes.subarray(start, end);
  const quoted = isDigit(delimiter) || isDigit(nullText?.[0]);
  const numbers = line === undefined ? 1 : 2;
  const most = text.length + rows * numbers * (MOST_DIGITS + (quoted ? 3 : 1));
  const out = spare !== undefined && spare.length >= most ? spare : Buffer.allocUnsafeSlow(most);
  const walk = new RecordWalk(text, delimiter, true, false);
  let at = 0;
  let next = row;
  let onLine = line ?? 0;
  for (let record = 0; record < text.length && walk.through(record); record = walk.next) {
    at = putField(out, at, next++, delimiter, quoted);
    if (line !== undefined) at = putField(out, at, onLine, delimiter, quoted);
    onLine += walk.within + 1;
    at = putBytes(out, at, text, record, walk.next);
  }
  return out.subarray(0, at);
}

/** A call of `copy` costs more than most records have bytes. */
const SHORT_BYTES = 512;

function putBytes(out: Buffer, at: number, from: Buffer, start: number, end: number): number {
  if (end - start > SHORT_BYTES) return at + from.copy(out, at, start, end);
  let to = at;
  for (let i = start; i < end; i++) out[to++] = from[i] as number;
  return to;
}

function putField(out: Buffer, start: number, number: number, delimiter: number, quoted: boolean): number {
  let at = start;
  if (quoted) out[at++] = QUOTE;
  at = putNumber(out, at, number);
  if (quoted) out[at++] = QUOTE;
  out[at++] = delimiter;
  return at;
}
