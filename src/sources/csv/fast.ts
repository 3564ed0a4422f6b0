import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { displayName, openText } from '../opening.js';
import { givenColumns, resolveHeader } from './header.js';
import type { CsvOptions } from './options.js';
import { CsvParser } from './parser.js';
import { rowMaker } from './rows.js';

/** Longest record where the options do not say: far above any real one, far below what memory bears. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** The rows of an RFC 4180 file, in batches of one Buffer each; a batch may be empty. */
export async function* readStrict(path: string, options: CsvOptions, run: Run): AsyncGenerator<Row[], void> {
  const parser = strictParser(path, options, run);
  let blank = 0;
  for await (const bytes of openText(path, run, options)) {
    yield parser.push(bytes);
    if (parser.blank > blank) {
      run.skip('blank_line', parser.blank - blank);
      blank = parser.blank;
    }
  }
  yield parser.end();
  if (parser.blank > blank) run.skip('blank_line', parser.blank - blank);
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
