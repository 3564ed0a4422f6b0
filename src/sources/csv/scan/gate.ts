import type { ColumnForm } from '../../../core/field-check.js';
import { MAX_RECORD_BYTES } from '../fast.js';
import { CR, LF, QUOTE } from './bytes.js';
import type { GateReason } from './reasons.js';
import { firstSpoilt } from './spoilt.js';
import { checkUndoubled } from './undoubled.js';

/** What of a text may go to the server unparsed. */
export interface Gated {
  /** Why the record at `at` may not; undefined where all may. */
  readonly refused?: GateReason;
  /** The place of the first record that may not, or the end. All before it may. */
  readonly at: number;
  /** Records before `at`. */
  readonly rows: number;
  /** Physical lines before `at`, as the reader counts them. */
  readonly lines: number;
}

export interface GateOptions {
  /** Unquoted bytes that mean NULL; none where left out. COPY has to be told the same. */
  readonly nullText?: Buffer;
  /** Longest record in bytes: as long as the reader's where left out. */
  readonly maxRecordBytes?: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * Which records of the bytes [start, end) may be handed unparsed to `COPY … (FORMAT csv, DELIMITER …, NULL …)`, because
 * the server makes of them the rows that our reader and encoder would, or refuses them. `start` is where a record begins,
 * behind header and byte order mark, and `end` where one ends; of a text that goes into one COPY it is all, since that
 * takes the kind of its line ends from the first. `columns`: what is in each field; undefined what no column takes.
 *
 * Fields are looked at, never made strings of; what has no check is passed over: a fifth of what parsing takes.
 */
export function gate(
  bytes: Buffer,
  start: number,
  end: number,
  delimiter: number,
  columns: readonly (ColumnForm | undefined)[],
  { nullText = NOTHING, maxRecordBytes = MAX_RECORD_BYTES }: GateOptions = {},
): Gated {
  const last = columns.length - 1;
  const judge = judgeOf(columns, nullText);
  const spoilt = firstSpoilt(bytes, start, end);
  const clean = spoilt?.at ?? end;
  // Bytes above this one are inside of fields.
  const highest = Math.max(delimiter, QUOTE);
  let crlf: boolean | undefined;
  let rows = 0;
  let lines = 0;
  let within = 0;
  let record = start;
  let field = start;
  let column = 0;
  // Where the field's quotes are closed, and whether there are doubled ones in them.
  let close = -1;
  let doubled = false;
  let i = start;
  let reason: GateReason | undefined;
  while (record < end && reason === undefined) {
    while (i < end && (bytes[i] as number) > highest) i++;
    // A line end may be missing behind the last record.
    const byte = i < end ? (bytes[i] as number) : LF;
    if (byte === delimiter) {
      reason = column === last ? 'field_count' : judge(column, bytes, field, i, close, doubled);
      column++;
      field = ++i;
      close = -1;
    } else if (byte === LF || byte === CR) {
      const cr = byte === CR;
      const next = Math.min(end, cr ? i + 2 : i + 1);
      if (cr && bytes[next - 1] !== LF) reason = 'line_ends';
      else if (i === record && last > 0) reason = 'blank_line';
      else if (column !== last) reason = 'field_count';
      else reason = judge(column, bytes, field, i, close, doubled);
      if (i < end) {
        crlf ??= cr;
        if (cr !== crlf) reason ??= 'line_ends';
      }
      // What is spoilt and not refused until now has a reason of its own.
      if (next > clean || next - record > maxRecordBytes) reason ??= 'too_long';
      i = next;
      if (reason !== undefined) break;
      rows++;
      lines += within + 1;
      within = 0;
      record = field = next;
      column = 0;
      close = -1;
    } else if (byte === QUOTE) {
      if (i !== field) {
        reason = 'quote';
        break;
      }
      doubled = false;
      for (i++; i < end; i++) {
        const inside = bytes[i];
        if (inside === LF) within++;
        if (inside !== QUOTE) continue;
        if (bytes[i + 1] !== QUOTE || i + 1 >= end) break;
        doubled = true;
        i++;
      }
      close = i++;
      const behind = i < end ? bytes[i] : LF;
      if (close >= end || (behind !== delimiter && behind !== LF && behind !== CR)) reason = 'quote';
    } else i++;
  }
  if (reason === undefined) return { at: end, rows, lines };
  // What is wrong wherever it stands comes first: checks may have stumbled over it.
  return { refused: spoilt !== undefined && spoilt.at < i ? spoilt.reason : reason, at: record, rows, lines };
}

type Judge = (
  column: number,
  bytes: Buffer,
  field: number,
  end: number,
  close: number,
  doubled: boolean,
) => GateReason | undefined;

/** What judges a field between delimiters, of which the quotes, if it has any, are closed at `close`. */
function judgeOf(columns: readonly (ColumnForm | undefined)[], nullText: Buffer): Judge {
  const checks = columns.map((column) => column?.check);
  const notNull = columns.map((column) => column?.notNull === true);
  const nullLength = nullText.length;
  return (column, bytes, field, end, close, doubled) => {
    const check = checks[column];
    if (close < 0) {
      if (end - field === nullLength && (nullLength === 0 || nullText.equals(bytes.subarray(field, end))))
        return notNull[column] === true ? 'null' : undefined;
      return check === undefined || check(bytes, field, end) ? undefined : 'value';
    }
    if (check === undefined) return undefined;
    const taken = doubled ? checkUndoubled(check, bytes, field + 1, close) : check(bytes, field + 1, close);
    return taken ? undefined : 'value';
  };
}
