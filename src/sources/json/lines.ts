import { countKeys, parseScanned } from '../../core/json/parse.js';
import { JsonScan } from '../../core/json/scan.js';
import { markOrigin, type Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { displayName } from '../bytes/open.js';
import { type NamedColumns, nameColumns } from '../text/columns.js';
import { MAX_DEPTH } from '../text/depth.js';
import { type Line, LineSplitter } from '../text/lines.js';
import { openText, startingWith } from '../text/opening.js';
import { duplicateKey, twice } from './duplicate-key.js';
import { isObject, kindOf } from './kinds.js';
import { layoutOf } from './layout.js';
import type { JsonlOptions } from './options.js';

/** Longest line where the options do not say. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** A reject's raw text is cut here (in characters). */
const RAW_CHARACTERS = 64 * 1024;

/** The rows of a file of JSON Lines, or of what is called so and is none, in batches of any size. */
export async function* batchesOf(
  path: string,
  options: JsonlOptions,
  run: Run,
): AsyncGenerator<readonly Row[], void> {
  const columns = nameColumns(displayName(path), options.columns);
  const lines = rowsOfLines(
    new LineSplitter(displayName(path), options.maxRecordBytes ?? MAX_LINE_BYTES),
    columns,
    run,
  );
  const text = openText(path, run, options);
  const first = await text.next();
  if (first.done) return;
  const opened = startingWith(first.value, text);
  if (layoutOf(first.value) === 'values') {
    yield* inValues(path, { ...options, opened }, run);
    return;
  }
  for await (const bytes of opened) yield lines.push(bytes);
  yield lines.end();
  columns.assertSeen();
}

/** Makes rows of lines as they come; blank ones are skipped, others that are no row rejected. */
export function rowsOfLines(splitter: LineSplitter, columns: NamedColumns, run: Run) {
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
    return batch;
  };
  return {
    push(bytes: Buffer): readonly Row[] {
      splitter.push(bytes, take);
      return drain();
    },
    end(): readonly Row[] {
      splitter.end(take);
      return drain();
    },
  };
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
