import { type Bookmark, setBookmark } from '../../core/bookmark.js';
import { countKeys, parseScanned } from '../../core/json/parse.js';
import { JsonScan } from '../../core/json/scan.js';
import { markOrigin, type Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { nameColumns } from '../text/columns.js';
import { MAX_DEPTH } from '../text/depth.js';
import { type Line, LineSplitter } from '../text/lines.js';
import { displayName, type OpenOptions, startingWith } from '../text/opening.js';
import { pathSource } from '../text/path-source.js';
import { canSeek, type FilePlace, maySeek, textFrom } from '../text/seek.js';
import { duplicateKey, twice } from './duplicate-key.js';
import { isObject, kindOf } from './kinds.js';
import { layoutOf } from './layout.js';

export interface JsonlOptions extends OpenOptions {
  /** The columns that the flow relies on. */
  readonly columns?: readonly string[];
  /** Longest line in bytes: 16 MiB where left out. A longer one stops the reading. */
  readonly maxRecordBytes?: number;
}

/** Longest line where the options do not say. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** A reject's raw text is cut here (in characters). */
const RAW_CHARACTERS = 64 * 1024;

/**
 * The objects of the JSON Lines file at `path` (`-` is stdin; gzip and zstd are unpacked), a row each.
 * Numbers are what `numberOf` makes of them, so that they reach their column as they were written. Lines that are no
 * JSON object, not UTF-8, nested more than 1,000 deep or that have a key twice in one object are rejects with line
 * and byte offset. Blank lines are skipped. A file that begins with an array, with an object of several lines or with
 * two on one line is read as `json` reads it.
 *
 * Reading throws what `openText` throws and failed `record_too_long`.
 */
export function jsonl<R extends Row = Row>(path: string, options: JsonlOptions = {}): Source<R> {
  return pathSource<R>(path, {
    format: 'json',
    columns: options.columns,
    batches: (run, from) => batchesOf(path, options, run, from as JsonlPlace | undefined),
    seeks: maySeek(path, options),
  });
}

/** A place in the file, and what is still to be found of the columns that the flow relies on. */
interface JsonlPlace extends FilePlace {
  readonly unseen: readonly string[];
}

/** Whether a bookmark is one of this reader's. */
export const isJsonlPlace = (at: Bookmark): boolean => 'unseen' in at;

async function* batchesOf(
  path: string,
  options: JsonlOptions,
  run: Run,
  from?: JsonlPlace,
): AsyncGenerator<readonly Row[], void> {
  const seeks = await canSeek(path, options);
  const splitter = new LineSplitter(displayName(path), options.maxRecordBytes ?? MAX_LINE_BYTES, from);
  const columns = nameColumns(displayName(path), from?.unseen ?? options.columns, from !== undefined);
  let rows: Row[] = [];
  let blank = 0;
  const take = (line: Line) => {
    const row = rowOf(line, run);
    if (row !== undefined) {
      columns.see(row);
      rows.push(row);
    } else if (line.text.trim() === '') blank++;
  };
  const drain = () => {
    if (blank > 0) run.skip('blank_line', blank);
    blank = 0;
    const batch = rows;
    rows = [];
    const place: JsonlPlace = { ...splitter.place, unseen: columns.unseen };
    return seeks ? setBookmark(batch, place) : batch;
  };
  const text = textFrom(path, run, options, from);
  const first = await text.next();
  if (first.done) return;
  const opened = startingWith(first.value, text);
  if (from === undefined && layoutOf(first.value) === 'values') {
    yield* inValues(path, { ...options, opened }, run);
    return;
  }
  for await (const bytes of opened) {
    splitter.push(bytes, take);
    yield drain();
  }
  splitter.end(take);
  yield drain();
  columns.assertSeen();
}

/** Objects of several lines, or an array of them: what is called JSON Lines often is JSON. */
async function* inValues(path: string, options: JsonlOptions, run: Run): AsyncGenerator<Row[], void> {
  const { jsonBatches } = await import('./reader.js');
  yield* jsonBatches(path, { ...options, single: true }, run);
}

/** The row of a line; undefined for a blank line, and for one that is rejected. */
export function rowOf(line: Line, run: Pick<Run, 'reject'>): Row | undefined {
  const reject = (reason: string, message: string) => run.reject(undefined, { reason, message, ...at(line) });
  if (line.invalidAt !== undefined) {
    reject('invalid_utf8', `the byte at offset ${line.offset + line.invalidAt} is not UTF-8`);
    return undefined;
  }
  scan.over(line.bytes, line.from, line.to);
  if (scan.depth > MAX_DEPTH) {
    reject('too_deep', `JSON nested more than ${MAX_DEPTH} levels deep`);
    return undefined;
  }
  let value: unknown;
  try {
    value = scan.numbers === 0 ? JSON.parse(line.text) : parseScanned(line.bytes, line.from, line.to, scan);
  } catch (error) {
    if (line.text.trim() !== '') reject('invalid_json', syntaxError(line.text, error as Error).message);
    return undefined;
  }
  if (!isObject(value)) {
    reject('not_an_object', `a row must be a JSON object, and this is ${kindOf(value)}`);
    return undefined;
  }
  // What is left of two equal keys is one.
  if (countKeys(value) !== scan.keys) {
    const path = duplicateKey(line.text);
    if (path !== undefined) {
      run.reject(undefined, { ...twice(path), ...at(line) });
      return undefined;
    }
  }
  return markOrigin(value, line.number);
}

const scan = new JsonScan();

/** What JSON.parse says of the line itself: of one with numbers in another form it would show that. */
function syntaxError(text: string, error: Error): Error {
  try {
    JSON.parse(text);
    return error;
  } catch (said) {
    return said as Error;
  }
}

const at = ({ number, offset, text }: Line) => ({
  line: number,
  offset,
  raw: text.slice(0, RAW_CHARACTERS),
});
