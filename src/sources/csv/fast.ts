import { setBookmark } from '../../core/bookmark.js';
import { silenced } from '../../core/quiet-run.js';
import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { displayName, openText } from '../opening.js';
import { canSeek, type FilePlace, textFrom } from '../seek.js';
import { givenColumns, resolveHeader } from './header.js';
import type { CsvOptions } from './options.js';
import { CsvParser } from './parser.js';
import { rowMaker } from './rows.js';

/** Longest record where the options do not say: far above any real one, far below what memory bears. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/**
 * The rows of an RFC 4180 file, in batches of one Buffer each; a batch may be empty. Where the file can seek, batches
 * bear bookmarks, and `from` is one of them.
 */
export async function* readStrict(
  path: string,
  options: CsvOptions,
  run: Run,
  from?: FilePlace,
): AsyncGenerator<readonly Row[], void> {
  const seeks = await canSeek(path, options);
  const parser = strictParser(path, options, run);
  if (from !== undefined) parser.goOn(await headOf(path, options, run), from);
  let blank = 0;
  // Before a batch is handed on, so that what is counted is what stands before its bookmark.
  const batch = (rows: Row[]) => {
    if (parser.blank > blank) run.skip('blank_line', parser.blank - blank);
    blank = parser.blank;
    return seeks ? setBookmark(rows, parser.place) : rows;
  };
  for await (const buffer of textFrom(path, run, options, from)) yield batch(parser.push(buffer));
  yield batch(parser.end());
}

/** A parser that has read the header of the file, and counted nothing. */
async function headOf(path: string, options: CsvOptions, run: Run): Promise<CsvParser> {
  const parser = strictParser(path, options, { reject() {} });
  for await (const buffer of openText(path, silenced(run), options)) {
    parser.push(buffer);
    if (parser.hasHeader) break;
  }
  return parser;
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
