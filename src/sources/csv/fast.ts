import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { displayName } from '../bytes/open.js';
import { openText } from '../text/opening.js';
import { givenColumns, resolveHeader } from './header.js';
import type { CsvOptions } from './options.js';
import { CsvParser } from './parser.js';
import { rowMaker } from './rows.js';
import { separatorLine } from './separator-line.js';

/** Longest record where the options do not say: far above any real one, far below what memory bears. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** The rows of an RFC 4180 file, in batches of one Buffer each; a batch may be empty. */
export async function* readStrict(
  path: string,
  options: CsvOptions,
  run: Run,
): AsyncGenerator<readonly Row[], void> {
  let parser: CsvParser | undefined;
  const blank = blankLines(run);
  for await (const buffer of openText(path, run, options)) {
    let rest = buffer;
    if (parser === undefined) {
      const begun = beginning(path, options, run, buffer);
      parser = begun.parser;
      rest = begun.rest;
    }
    const rows = parser.push(rest);
    blank(parser);
    yield rows;
  }
  if (parser === undefined) return;
  const rows = parser.end();
  blank(parser);
  yield rows;
}

/** Tells `run` of the blank lines that a parser has left out since it was asked last. */
export function blankLines(run: Pick<Run, 'skip'>): (parser: CsvParser) => void {
  let told = 0;
  return ({ blank }) => {
    if (blank > told) run.skip('blank_line', blank - told);
    told = blank;
  };
}

/** The parser of a text that begins with `head`, and what of that there is for it to read. */
export function beginning(
  path: string,
  options: CsvOptions,
  run: Pick<Run, 'reject'>,
  head: Buffer,
): { readonly parser: CsvParser; readonly rest: Buffer } {
  const separator = separatorLine(head);
  if (separator === undefined) return { parser: strictParser(path, options, run), rest: head };
  const { delimiter, bytes } = separator;
  const parser = strictParser(path, { ...options, delimiter: options.delimiter ?? delimiter }, run);
  parser.startAt({ offset: bytes, line: 2 });
  return { parser, rest: head.subarray(bytes) };
}

/** The parser for `options`, which tells `run` of its rejects. */
export function strictParser(path: string, options: CsvOptions, run: Pick<Run, 'reject'>): CsvParser {
  const input = displayName(path);
  return new CsvParser({
    delimiter: options.delimiter ?? ',',
    input,
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
    reject: (why) => run.reject(undefined, why),
    ...(options.null !== undefined && { nullText: options.null }),
    ...(options.header === false
      ? { maker: rowMaker(givenColumns(options, input)) }
      : { header: (names) => rowMaker(resolveHeader(names, options, input)) }),
  });
}
