import { failed, refused } from '../../core/errors/author.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import type { Rejection } from '../../core/run.js';

/** Why a record could not be read. */
export interface Fault {
  readonly reason: string;
  readonly message: string;
}

/** A reject's raw text is cut here (in characters), so that one bad quote does not fill the log. */
export const RAW_CHARACTERS = 64 * 1024;

const ENCODING_HINT = 'name the encoding if the file is not UTF-8: --encoding windows-1252, say';

/** A command that works as it is, with the file's own names in it. */
const ONE_LINE_END = "if it ends a line, make all ends the same: tr '\\r' '\\n' < FILE > CORRECTED";

export const BARE_CR: Fault = {
  reason: 'stray_carriage_return',
  message: `a carriage return outside quotes in a file whose lines end in line feeds; ${ONE_LINE_END}`,
};
export const BARE_LF: Fault = {
  reason: 'stray_line_feed',
  message: `a line feed outside quotes in a file whose lines end in carriage returns; ${ONE_LINE_END}`,
};
export const STRAY_QUOTE: Fault = {
  reason: 'stray_quote',
  message: 'a quote inside an unquoted field; a field with quotes must be quoted and its quotes doubled',
};
export const BEHIND_QUOTE: Fault = {
  reason: 'text_after_quote',
  message: 'text behind a closing quote; a quote inside a quoted field must be doubled',
};
export const UNTERMINATED: Fault = {
  reason: 'unterminated_quote',
  message: 'a quote is opened and never closed before the end of the input',
};
export const ragged = (count: number, columns: number): Fault => ({
  reason: 'ragged_row',
  message: `${plural(count, 'field')} where the header has ${columns}`,
});
export const notUtf8 = (byte: string, offset: number): Fault => ({
  reason: 'invalid_utf8',
  message: `byte 0x${byte} at offset ${offset} is not UTF-8; ${ENCODING_HINT}`,
});

/** A fault in the header, behind which there is nothing to read on with. */
export function badHeader(why: Rejection, input: string): SluiceError {
  return refused('bad_header', `${input}: the header cannot be read: ${why.message}`, {
    input,
    ...(why.line !== undefined && { line: why.line }),
    ...(why.offset !== undefined && { offset: why.offset }),
    value: why.raw?.slice(0, 200),
    next: /^\s*(?:\{\s*"|\[\s*\{)/.test(why.raw ?? '')
      ? again(
          { flags: { format: 'json' } },
          { lead: 'it looks like JSON', otherwise: 'it looks like JSON: give it a name that ends in .json' },
        )
      : why.reason === 'invalid_utf8'
        ? again(
            { flags: { encoding: 'windows-1252' } },
            { lead: 'if it is not UTF-8, name its encoding, such as' },
          )
        : 'correct the first line of the file, or name its dialect: quote, escape, delimiter',
  });
}

/** A record longer than `maxBytes`; `quoted` where there is a quote in what was read of it. */
export function recordTooLong(
  input: string,
  at: { readonly line: number; readonly offset: number },
  maxBytes: number,
  quoted: boolean,
): SluiceError {
  return failed(
    'record_too_long',
    `${input}: the record that starts on line ${at.line} is longer than ${maxBytes} bytes`,
    {
      input,
      ...at,
      ...(quoted && { details: ['it has a quote in it: perhaps one that is never closed'] }),
      next: 'check that line, the delimiter and the line ends; maxRecordBytes raises the limit',
    },
  );
}
