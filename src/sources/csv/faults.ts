import { csvErrors } from '../../core/errors/catalogue/csv.js';
import { textErrors } from '../../core/errors/catalogue/text.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { plural } from '../../core/plural.js';
import type { Rejection } from '../../core/run.js';
import type { TextPlace } from '../text/place.js';

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
  message: 'text after a closing quote; a quote inside a quoted field must be doubled',
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

/** A fault in the header, after which there is nothing to read on with. */
export function badHeader(why: Rejection, input: string): SluiceError {
  const { bad_header } = csvErrors;
  const of = { input, why: why.message };
  const known = { line: why.line, offset: why.offset, value: why.raw?.slice(0, 200) };
  if (/^\s*(?:\{\s*"|\[\s*\{)/.test(why.raw ?? '')) return bad_header.looksLikeJson(of, known);
  return why.reason === 'invalid_utf8' ? bad_header.notUtf8(of, known) : bad_header.dialect(of, known);
}

/** A record longer than `maxBytes`; `quoted` where there is a quote in what was read of it. */
export function recordTooLong(input: string, at: TextPlace, maxBytes: number, quoted: boolean): SluiceError {
  return textErrors.record_too_long.csv(
    { input, line: at.line, limit: maxBytes, quoted },
    { offset: at.offset },
  );
}
