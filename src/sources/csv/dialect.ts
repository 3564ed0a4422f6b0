import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { type CsvError, type Options, Parser } from 'csv-parse';
import { parse as parseNow } from 'csv-parse/sync';
import { withoutEnd } from '../../core/ends.js';
import { csvErrors } from '../../core/errors/catalogue/csv.js';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import { textErrors } from '../../core/errors/catalogue/text.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Row } from '../../core/row.js';
import type { Rejection, Run } from '../../core/run.js';
import { displayName } from '../bytes/open.js';
import { batches, copies } from '../text/batches.js';
import { openText } from '../text/opening.js';
import { MAX_RECORD_BYTES } from './fast.js';
import { BEHIND_QUOTE, badHeader, RAW_CHARACTERS, ragged, STRAY_QUOTE, UNTERMINATED } from './faults.js';
import { givenColumns, resolveHeader } from './header.js';
import type { CsvOptions } from './options.js';
import { type RowMaker, rowMaker } from './rows.js';
import { type SeparatorLine, separatorLine } from './separator-line.js';

/** A record of csv-parse: its values, the line it ends on and its text. */
interface Parsed {
  readonly record: (string | null)[];
  readonly info: { readonly lines: number; readonly bytes: number };
  /** Undefined where the raw text of csv-parse lacks something: see `hasRaw`. */
  readonly raw?: string;
}

/**
 * The rows of a CSV file in any dialect that csv-parse reads, in batches; a batch may be empty. As with
 * `readStrict`, records that cannot be read are rejects, but their offset is where the record ends, and
 * the raw text of one with a stray quote ends at the quote.
 *
 * Throws failed `record_too_long`, `bad_record` where csv-parse cannot go on; refused `bad_header`,
 * `empty_file`; what `openText` and `resolveHeader` throw.
 */
export async function* readDialect(path: string, options: CsvOptions, run: Run): AsyncGenerator<Row[], void> {
  const input = displayName(path);
  const bytes = openText(path, run, options);
  const first = await bytes.next();
  if (first.done) return;
  const separator = separatorLine(first.value);
  const dialect = dialectOf(options, first.value, separator?.delimiter);
  const records = new Records(dialect, options, input, run);
  const parser = new Parser({
    ...dialect,
    from_line: (options.skipLines ?? 0) + (separator === undefined ? 1 : 2),
    // After a fault reading goes on; how many fields a record must have is judged here.
    skip_records_with_error: true,
    info: true,
    ...(hasRaw(dialect) ? { raw: true } : { cast: nullFor(options) }),
    on_skip: (error, raw) => records.skip(error, raw),
  });
  const text = withoutMark(first.value, bytes, separator);
  const fed = copies(dialect.record_delimiter === CR_ENDS ? withoutLastLf(text) : text);
  const feed = Readable.from(fed, { objectMode: true, highWaterMark: 1 });
  feed.on('error', (error) => parser.destroy(error));
  feed.pipe(parser);
  try {
    for await (const batch of batches<Parsed>(parser)) {
      for (const parsed of batch) records.take(parsed);
      yield records.drain();
    }
    records.settle();
  } catch (error) {
    throw error instanceof SluiceError ? error : fatal(error as CsvError, input);
  } finally {
    feed.destroy();
    parser.destroy();
    await bytes.return();
  }
  if (records.maker === undefined) {
    throw fileErrors.empty_file.noHeader({ input });
  }
}

/** Judges the records of csv-parse, which come with one character a byte. */
class Records {
  maker: RowMaker | undefined;
  #rows: Row[] = [];
  // csv-parse counts a CRLF inside quotes as two lines.
  #overcounted = 0;
  #lastFault = '';
  // csv-parse tells of faults ahead of the records before them, which wait in its stream.
  #faults: (Rejection & { readonly line: number; readonly records: number })[] = [];
  #taken = 0;
  readonly #dialect: Options;
  readonly #options: CsvOptions;
  readonly #input: string;
  readonly #run: Run;
  readonly #nullText: string;
  // A quoted field that reads as NULL does: what tells them apart is only the raw text.
  readonly #quotedNull: string | undefined;

  constructor(dialect: Options, options: CsvOptions, input: string, run: Run) {
    this.#dialect = dialect;
    this.#options = options;
    this.#nullText = latin1(options.null ?? '');
    if (typeof dialect.quote === 'string') this.#quotedNull = dialect.quote + this.#nullText + dialect.quote;
    this.#input = input;
    this.#run = run;
    if (options.header === false) this.maker = rowMaker(givenColumns(options, input));
  }

  drain(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  take({ record: values, info, raw = values.join(String(this.#dialect.delimiter)) }: Parsed): void {
    this.settle(this.#taken++);
    const joined = values.join('');
    const record = values.includes(this.#nullText) ? this.#withNulls(values, raw) : values;
    const within = joined.match(/[\r\n]/g)?.length ?? 0;
    const line = info.lines - this.#overcounted - within;
    if (within > 0) this.#overcounted += joined.match(/\r\n/g)?.length ?? 0;
    const reject = (reason: string, message: string) => {
      const why = { reason, message, line, offset: info.bytes, raw: shown(raw) };
      if (this.maker === undefined) throw badHeader(why, this.#input);
      this.#run.reject(undefined, why);
    };
    const quoted = typeof this.#dialect.quote === 'string' && raw.includes(this.#dialect.quote);
    if (joined === '' && record.length === 1 && !quoted && this.maker?.columns !== 1) {
      if (this.maker !== undefined) this.#run.skip('blank_line');
      return;
    }
    if (/[\x80-\xff]/.test(joined)) {
      if (record.some((value) => value !== null && !isUtf8(Buffer.from(value, 'latin1')))) {
        reject('invalid_utf8', 'a byte that is not UTF-8; name the encoding: windows-1252, say');
        return;
      }
      for (const [i, value] of record.entries()) if (value !== null) record[i] = utf8(value);
    }
    if (this.maker === undefined) {
      const names = record.map((value) => value ?? '');
      this.maker = rowMaker(resolveHeader(names, this.#options, this.#input));
    } else if (record.length !== this.maker.columns) {
      reject('ragged_row', ragged(record.length, this.maker.columns).message);
    } else {
      this.#rows.push(this.maker.fromValues(record, line));
    }
  }

  /** `values` with null for NULL. csv-parse tells what was quoted only at a price per field, so rarely asked. */
  #withNulls(values: (string | null)[], raw: string): (string | null)[] {
    if (!hasRaw(this.#dialect)) return values;
    const isNull = (value: string | null) => value === this.#nullText;
    if (this.#quotedNull === undefined || !raw.includes(this.#quotedNull)) {
      return values.map((value) => (isNull(value) ? null : value));
    }
    const options: Options = { ...this.#dialect, cast: (_, { quoting }) => quoting };
    const [quoted = []] = parseNow(withoutEnd(raw, /[\r\n]/), options) as unknown as boolean[][];
    return values.map((value, i) => (isNull(value) && quoted[i] !== true ? null : value));
  }

  /** A fault that csv-parse can read on from. What is thrown here ends the parsing. */
  skip(error: CsvError | undefined, raw = ''): undefined {
    if (error === undefined) return undefined;
    const reason = REASONS[error.code];
    // After any other fault csv-parse drops the rest of its buffer without a word.
    if (reason === undefined) throw fatal(error, this.#input);
    const records = Number(error.records);
    const offset = Number(error.bytes);
    const why = { ...reason, line: Number(error.lines), offset, raw: shown(raw), records };
    // A second fault of one record, whose text has grown since the first.
    const last = this.#lastFault;
    this.#lastFault = raw;
    if (last === '' || raw.length <= last.length || !raw.startsWith(last)) this.#faults.push(why);
    return undefined;
  }

  /** Rejects what was at fault before record `upTo` (0-based). */
  settle(upTo = Number.POSITIVE_INFINITY): void {
    for (let fault = this.#faults[0]; fault !== undefined && fault.records <= upTo; fault = this.#faults[0]) {
      this.#faults.shift();
      const { records: _, ...rest } = fault;
      const why = { ...rest, line: fault.line - this.#overcounted };
      if (this.maker === undefined) throw badHeader(why, this.#input);
      this.#run.reject(undefined, why);
    }
  }
}

const REASONS: Readonly<Record<string, Pick<Rejection, 'reason' | 'message'>>> = {
  INVALID_OPENING_QUOTE: STRAY_QUOTE,
  CSV_INVALID_CLOSING_QUOTE: BEHIND_QUOTE,
  CSV_QUOTE_NOT_CLOSED: UNTERMINATED,
};

/** csv-parse gets everything as bytes, so that it cannot hide one that is not UTF-8. */
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');

function shown(raw: string): string {
  return withoutEnd(utf8(raw.slice(0, RAW_CHARACTERS)), /[\r\n]/);
}

/** What the dialect is, as csv-parse has it. */
function dialectOf(options: CsvOptions, head: Buffer, declared?: string): Options {
  const quote = options.quote === false ? null : latin1(options.quote ?? '"');
  return {
    encoding: 'latin1',
    delimiter: latin1(options.delimiter ?? declared ?? ','),
    quote,
    escape: options.escape === undefined ? quote : latin1(options.escape),
    comment: options.comment === undefined ? null : latin1(options.comment),
    record_delimiter: endsInCr(head.toString('latin1'), quote) ? CR_ENDS : ['\r\n', '\n'],
    relax_quotes: options.relaxQuotes ?? false,
    relax_column_count: true,
    trim: options.trim ?? false,
    max_record_size: options.maxRecordBytes ?? MAX_RECORD_BYTES,
  };
}

/** Line ends of a file whose first line ends in CR. */
const CR_ENDS = ['\r\n', '\r'];

/** Whether the first line end outside quotes is a bare CR. A CR that ends what is known of the text is taken for one. */
function endsInCr(head: string, quote: string | null): boolean {
  let quoted = false;
  for (let i = 0; i < head.length; i++) {
    if (quote !== null && head.startsWith(quote, i)) quoted = !quoted;
    else if (!quoted && head[i] === '\n') return false;
    else if (!quoted && head[i] === '\r') return head[i + 1] !== '\n';
  }
  return false;
}

/** The bytes without the LF that they may end in. */
async function* withoutLastLf(text: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let held = false;
  for await (const buffer of text) {
    if (buffer.length === 0) continue;
    const whole: Buffer = held ? Buffer.concat([LF, buffer]) : buffer;
    held = whole.at(-1) === 0x0a;
    yield held ? whole.subarray(0, -1) : whole;
  }
}

const LF = Buffer.from('\n');

/**
 * Whether csv-parse keeps the raw text of records whole: of a delimiter, quote or escape of several bytes
 * it drops all but the first. Then values are told from NULL field by field, which costs ten times as much.
 */
const hasRaw = ({ delimiter, quote, escape: before }: Options) =>
  [delimiter, quote, before].every((text) => typeof text !== 'string' || text.length === 1);

const nullFor = (options: CsvOptions) => {
  const nullText = latin1(options.null ?? '');
  return (value: string, { quoting }: { readonly quoting: boolean }) =>
    value === nullText && !quoting ? null : value;
};

/** The bytes behind a byte order mark: csv-parse would change its encoding for one. */
async function* withoutMark(
  first: Buffer,
  rest: AsyncIterable<Buffer>,
  separator: SeparatorLine | undefined,
): AsyncGenerator<Buffer, void> {
  const behind = isMark(first, 0) ? first.subarray(3) : first;
  const header = (separator?.bytes ?? 0) - (first.length - behind.length);
  if (header >= 3 && isMark(behind, header - 3)) {
    yield behind.subarray(0, header - 3);
    yield behind.subarray(header);
  } else yield behind;
  yield* rest;
}

const isMark = (bytes: Buffer, at: number) => bytes.length >= at + 3 && bytes.readUIntBE(at, 3) === 0xefbbbf;

function fatal(error: CsvError, input: string): SluiceError {
  const known = { line: typeof error.lines === 'number' ? error.lines : undefined, cause: error };
  return error.code === 'CSV_MAX_RECORD_SIZE'
    ? textErrors.record_too_long.csvDialect({ input, why: error.message }, known)
    : csvErrors.bad_record({ input, why: error.message }, known);
}
