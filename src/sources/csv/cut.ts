import { loadErrors } from '../../core/errors/catalogue/load.js';
import type { CsvText, Cut, CutOptions, Part, PartPlace, PartReader, Uncut } from '../../core/parts.js';
import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { READ_BYTES } from '../bytes/local.js';
import { displayName } from '../bytes/open.js';
import { inChunks } from '../text/chunks.js';
import { type Cutting, cutText, PART_BYTES, type PartText, piecesOf } from '../text/cutter.js';
import { TextFeed } from '../text/feed.js';
import { partText } from '../text/part-text.js';
import { beginning, blankLines, MAX_RECORD_BYTES, readStrict } from './fast.js';
import { recordTooLong } from './faults.js';
import type { CsvOptions } from './options.js';
import { CsvParser, QUOTE } from './parser.js';
import { rowMaker } from './rows.js';
import { rawDialect } from './scan/dialect.js';
import { gate } from './scan/gate.js';
import { numbered } from './scan/numbered.js';
import { scanRecords } from './scan/records.js';

/**
 * An RFC 4180 file cut into parts. One whose lines end in a bare CR is read in one piece. Throws what reading the header
 * throws.
 */
export async function cutStrict(
  path: string,
  options: CsvOptions,
  run: Run,
  { known, partBytes = PART_BYTES }: CutOptions,
): Promise<Cut | Uncut> {
  const feed = await TextFeed.open(path, run, options, partBytes + READ_BYTES);
  try {
    const parser = await readHead(feed, path, options);
    const { body, names } = parser;
    if (body === undefined || names === undefined || parser.endsInCr)
      return {
        rows: (its) => inChunks(readStrict(path, { ...options, opened: feed.rest() }, its)),
        why: 'its lines end in a bare CR',
      };
    const opening: Opening = {
      delimiter: parser.delimiter,
      names,
      body: body.offset,
      blankBefore: body.blankBefore,
    };
    const input = displayName(path);
    const maxRecordBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES;
    const delimiter = opening.delimiter.charCodeAt(0);
    const cutting: Cutting = {
      input,
      at: body,
      known,
      partBytes,
      maxRecordBytes,
      whole: (bytes, final) => scanRecords(bytes, 0, bytes.length, delimiter, final),
      tooLong: (bytes, at) => recordTooLong(input, at, maxRecordBytes, bytes.includes(QUOTE)),
    };
    const reader = new StrictParts(path, options, run, opening);
    return {
      ...asText({ ...options, delimiter: opening.delimiter }, names),
      opening,
      byPlace: feed.jumps,
      part: (place, bytes) => reader.part(place, bytes),
      async *parts() {
        for await (const text of cutText(feed, cutting)) yield reader.of(text);
      },
    };
  } catch (error) {
    await feed.close();
    throw error;
  }
}

/** What the beginning of a file has shown to whoever reads on in it. */
export interface Opening {
  readonly delimiter: string;
  /** Of the rows' fields. */
  readonly names: readonly string[];
  /** Where the rows begin, and how many blank lines stand before. */
  readonly body: number;
  readonly blankBefore: number;
}

/** Gives parts of a file that `cutStrict` has cut, by what `opening` says of it. */
export function strictParts(path: string, options: CsvOptions, run: Run, opening: Opening): PartReader {
  const reader = new StrictParts(path, options, run, opening);
  const { delimiter, names } = opening;
  return {
    ...asText({ ...options, delimiter }, names),
    part: (place, bytes) => reader.part(place, bytes),
  };
}

class StrictParts {
  readonly #parser: CsvParser;

  constructor(
    private readonly path: string,
    private readonly options: CsvOptions,
    private readonly run: Run,
    private readonly opening: Opening,
  ) {
    const { null: nullText, maxRecordBytes = MAX_RECORD_BYTES } = options;
    this.#parser = new CsvParser({
      delimiter: opening.delimiter,
      input: displayName(path),
      maxRecordBytes,
      maker: rowMaker(opening.names),
      endsInCr: false,
      reject() {},
      ...(nullText !== undefined && { nullText }),
    });
  }

  async part(place: PartPlace, bytes?: Buffer): Promise<Part> {
    return this.of(await partText(this.path, this.options, this.run, place, bytes));
  }

  of(text: PartText): Part {
    const { body, blankBefore } = this.opening;
    const blank = text.start === body ? blankBefore : 0;
    return {
      ...text,
      read: (run) => inChunks(rowsOf(this.#parser, text, displayName(this.path), run, blank)),
    };
  }
}

/** What COPY has to be told to read such a file, where it can be told. */
function asText(options: CsvOptions, columns: readonly string[]): { readonly csv?: CsvText } {
  const raw = rawDialect(options);
  if (raw === undefined) return {};
  const { delimiter, nullText } = raw;
  const { maxRecordBytes = MAX_RECORD_BYTES } = options;
  return {
    csv: {
      delimiter: String.fromCharCode(delimiter),
      columns,
      nullText: nullText.toString(),
      gate(bytes, forms) {
        const { refused, rows } = gate(bytes, 0, bytes.length, delimiter, forms, {
          nullText,
          maxRecordBytes,
        });
        return refused === undefined ? rows : undefined;
      },
      numbered: (bytes, how) => numbered(bytes, 0, bytes.length, delimiter, { ...how, nullText }),
    },
  };
}

/** A parser that has read the beginning of the text as far as the place where rows begin, if there is one. */
async function readHead(feed: TextFeed, path: string, options: CsvOptions): Promise<CsvParser> {
  const nobody = { reject() {} };
  let parser: CsvParser | undefined;
  for (let read = 0; ; ) {
    // No more than there is: a pipe may pause after its header.
    await feed.fill(read + 1);
    const more = feed.held.subarray(read);
    read = feed.held.length;
    if (parser === undefined) {
      const begun = beginning(path, options, nobody, more);
      parser = begun.parser;
      parser.push(begun.rest);
    } else parser.push(more);
    if (parser.body !== undefined) return parser;
    if (!feed.ended) continue;
    parser.end();
    return parser;
  }
}

/** The rows of a part of a text, read as `head` would go on; `blank` lines before its first record are left out. */
async function* rowsOf(
  head: CsvParser,
  { start, end, line, bytes }: PartText,
  input: string,
  run: Run,
  blank: number,
): AsyncGenerator<readonly Row[], void> {
  const parser = head.from({ offset: start, line }, (why) => run.reject(undefined, why));
  if (blank > 0) run.skip('blank_line', blank);
  const tell = blankLines(run);
  for (const piece of piecesOf(bytes)) {
    const rows = parser.push(piece);
    tell(parser);
    yield rows;
  }
  const rows = parser.end();
  tell(parser);
  yield rows;
  // That parser and scan agree where records end is what no record is lost by.
  if (parser.place.offset !== end) throw loadErrors.part_misread({ input, line, end });
}
