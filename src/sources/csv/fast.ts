import { setBookmark } from '../../core/bookmark.js';
import { silenced } from '../../core/quiet-run.js';
import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { displayName, openText } from '../text/opening.js';
import { canSeek, type FilePlace, textFrom } from '../text/seek.js';
import { givenColumns, resolveHeader } from './header.js';
import type { CsvOptions, CsvParserOptions } from './options.js';
import { CsvParser } from './parser.js';
import { rowMaker } from './rows.js';
import { separatorLine } from './separator-line.js';

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
  const reject: CsvParserOptions['reject'] = (why) => run.reject(undefined, why);
  let parser = from === undefined ? undefined : (await headOf(path, options, run)).from(from, reject);
  let blank = 0;
  // Before a batch is handed on, so that what is counted is what stands before its bookmark.
  const batch = ({ blank: now, place }: CsvParser, rows: Row[]) => {
    if (now > blank) run.skip('blank_line', now - blank);
    blank = now;
    return seeks ? setBookmark(rows, place) : rows;
  };
  for await (const buffer of textFrom(path, run, options, from)) {
    if (parser === undefined) {
      const begun = beginning(path, options, run, buffer);
      parser = begun.parser;
      yield batch(parser, parser.push(begun.rest));
    } else yield batch(parser, parser.push(buffer));
  }
  if (parser !== undefined) yield batch(parser, parser.end());
}

/** A parser that has read the header of the file, and counted nothing. */
async function headOf(path: string, options: CsvOptions, run: Run): Promise<CsvParser> {
  let parser: CsvParser | undefined;
  for await (const buffer of openText(path, silenced(run), options)) {
    if (parser === undefined) {
      const begun = beginning(path, options, { reject() {} }, buffer);
      parser = begun.parser;
      parser.push(begun.rest);
    } else parser.push(buffer);
    if (parser.hasHeader) break;
  }
  return parser ?? strictParser(path, options, { reject() {} });
}

/** The parser of a text that begins with `head`, and what of that there is for it to read. */
function beginning(
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
