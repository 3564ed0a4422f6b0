import { putNumber } from '../../../src/core/put-number.js';
import type { CopyBuffer } from './copy-buffer.js';

/** The columns of a staging table that say where its rows came from; live has none of these names. */
export const ORIGIN_COLUMNS = {
  /** Which row of the load it is: the end of a flow that it came by, and its place among the rows that came by it. */
  row: 'sluice_row',
  /** The line or ordinal of the input that it came from; NULL where a stage made it up. */
  line: 'sluice_line',
} as const;

/** Numbers that one end of a flow has: they are below those of the next end, and exact in a double. */
const END_ROWS = 2 ** 44;

/**
 * Numbers that a part of an input has for each byte of its text: parts are numbered in the order in which they stand
 * there, whoever loads them first.
 */
const ROWS_PER_BYTE = 4;

/** The number before the first row of the end at `end` (0-based, in the order of the pipeline's flows). */
export const rowsBefore = (end: number): number => end * END_ROWS;

/** The end that a row's number (from 1 on) is of. */
export const endOf = (row: number): number => Math.floor((row - 1) / END_ROWS);

/** The number before the first row of a part that begins at the byte `start` of an input. */
export const rowsBeforePart = (start: number): number => start * ROWS_PER_BYTE;

/** How many rows a part of so many bytes may become. */
export const mostRows = (bytes: number): number => bytes * ROWS_PER_BYTE;

/** Both numbers at their longest, with a tab before each. */
const LONGEST = 36;

/**
 * Appends to a row in COPY's text format, whose newline stands right before `at`, the columns above: `row`, and
 * `line` where it has one. Gives where the row ends now.
 */
export function putOrigin(out: CopyBuffer, at: number, row: number, line: number | undefined): number {
  const bytes = out.reserve(at, LONGEST);
  bytes[at - 1] = 9;
  let end = putNumber(bytes, at, row);
  bytes[end++] = 9;
  if (line === undefined) {
    bytes[end++] = 92;
    bytes[end++] = 78;
  } else end = putNumber(bytes, end, line);
  bytes[end++] = 10;
  return end;
}
