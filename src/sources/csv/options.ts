import { csvErrors } from '../../core/errors/catalogue/csv.js';
import type { Rejection } from '../../core/run.js';
import type { OpenOptions } from '../text/open-options.js';
import type { HeaderOptions } from './header.js';
import type { RowMaker } from './rows.js';

/** How a CSV file is written. What goes beyond RFC 4180 is read by csv-parse, which is slower. */
export interface CsvOptions extends HeaderOptions, OpenOptions {
  /** What stands between fields: `,` where left out. More than one character, or one beyond ASCII: slower. */
  readonly delimiter?: string;
  /** False: the first line is a row, and `columns` names the fields. */
  readonly header?: boolean;
  /** Unquoted text that means NULL; where left out, nothing at all (and quoted nothing is the empty text). */
  readonly null?: string;
  /** Longest record in bytes: 16 MiB where left out. A longer one stops the reading. */
  readonly maxRecordBytes?: number;
  /** The quote character, `"` where left out; false where quotes mean nothing. Other than `"`: slower. */
  readonly quote?: string | false;
  /** What stands before a quote inside quotes: the quote itself where left out. Other: slower. */
  readonly escape?: string;
  /** Lines from this text to their end are comments. Slower. */
  readonly comment?: string;
  /** Quotes inside unquoted fields are text. Slower. */
  readonly relaxQuotes?: boolean;
  /** Spaces around unquoted fields are no part of them. Slower. */
  readonly trim?: boolean;
  /** Lines left out before the header. Slower. */
  readonly skipLines?: number;
}

/** Whether the reader of our own can read such a file; csv-parse reads the others. */
export function isStrict(options: CsvOptions): boolean {
  const { delimiter = ',', quote = '"' } = options;
  return (
    /^[\0-\x7f]$/.test(delimiter) &&
    quote === '"' &&
    (options.escape ?? '"') === '"' &&
    options.comment === undefined &&
    !options.relaxQuotes &&
    !options.trim &&
    !options.skipLines
  );
}

/** Throws usage `bad_csv_option` where options contradict themselves. */
export function checkOptions(options: CsvOptions): void {
  const { delimiter = ',', quote = '"' } = options;
  const wrong = (why: string) => csvErrors.bad_csv_option({ why });
  if (delimiter === '') throw wrong('the delimiter is empty');
  if (/[\r\n]/.test(delimiter)) throw wrong('the delimiter holds a line end');
  if (quote !== false && delimiter.includes(quote)) throw wrong('the delimiter holds the quote character');
  if (quote !== false && [...quote].length !== 1) throw wrong('the quote must be one character');
  if (options.maxRecordBytes !== undefined && !(options.maxRecordBytes > 0)) {
    throw wrong('maxRecordBytes must be above 0');
  }
}

/** What the reader of our own needs to know. */
export interface CsvParserOptions {
  /** One ASCII character other than a quote, CR or LF. */
  readonly delimiter: string;
  /** As messages name the input. */
  readonly input: string;
  /** Unquoted text that means NULL; the empty text where left out. */
  readonly nullText?: string;
  /** Longest record in bytes. */
  readonly maxRecordBytes: number;
  /** Called with the first record where that is a header: gives what makes the rows. */
  readonly header?: (names: string[]) => RowMaker;
  /** What makes the rows where the file has no header. Exactly one of the two is given. */
  readonly maker?: RowMaker;
  /** Whether lines end in a bare CR, where that is known; else the first record tells. */
  readonly endsInCr?: boolean;
  /** Told of every record that cannot be read. */
  readonly reject: (why: Rejection) => void;
}
