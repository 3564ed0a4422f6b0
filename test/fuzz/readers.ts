import { isUtf8 } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'csv-parse/sync';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Row } from '../../src/core/row.js';
import type { Rejection } from '../../src/core/run.js';
import { strictParser } from '../../src/sources/csv/fast.js';
import { scanRecords } from '../../src/sources/csv/scan/records.js';
import { json } from '../../src/sources/json/index.js';
import { rowOf } from '../../src/sources/json/lines.js';
import { LineSplitter } from '../../src/sources/text/lines.js';
import { testRun } from '../support/run.js';
import { canonical, oracle, type Written } from './json-oracle.js';

/** What a reader made of an input. */
interface Outcome {
  readonly rows: readonly Row[];
  readonly rejects: readonly Rejection[];
  readonly failure: SluiceError | undefined;
}

const collected = (work: (rows: Row[], reject: (row: unknown, why: Rejection) => void) => void): Outcome => {
  const rows: Row[] = [];
  const rejects: Rejection[] = [];
  try {
    work(rows, (_, why) => rejects.push(why));
    return { rows, rejects, failure: undefined };
  } catch (error) {
    // Anything but an error of our own is a crash.
    if (!(error instanceof SluiceError)) throw error;
    return { rows, rejects, failure: error };
  }
};

/** A disagreement with the oracle as a sentence; undefined where there is none. */
export function checkCsv(parts: readonly Buffer[]): string | undefined {
  const whole = Buffer.concat(parts);
  const read = (pieces: readonly Buffer[]) =>
    collected((rows, reject) => {
      const parser = strictParser('input', {}, { reject });
      for (const piece of pieces) {
        // A copy that is wiped: a reader must not hold on to what it is given.
        const lent = Buffer.from(piece);
        rows.push(...parser.push(lent));
        lent.fill(0x58);
      }
      rows.push(...parser.end());
    });
  const got = read(parts);
  const uncut = read([whole]);
  if (!isDeepStrictEqual(shown(got), shown(uncut))) return 'where it is cut changes what is read';
  for (const [at] of parts.entries())
    if (!isDeepStrictEqual(shown(readInTwo(parts.slice(0, at), whole)), shown(uncut)))
      return 'where it is read on changes what is read';
  if (!isUtf8(whole))
    return got.failure === undefined && got.rejects.length === 0 ? 'bad UTF-8 was taken' : undefined;
  let expected: (string | null)[][] | undefined;
  try {
    expected = parse(whole, {
      bom: true,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
    }) as (string | null)[][];
  } catch {
    // csv-parse finds a fault.
  }
  if (got.failure !== undefined || got.rejects.length > 0) return undefined;
  if (expected === undefined) return 'csv-parse finds a fault, and this reader none';
  const values = got.rows.map((row) => Object.values(row));
  // Lines that end in CR alone are another dialect, which csv-parse was not told.
  if (/\r(?!\n)/.test(whole.toString())) return undefined;
  return isDeepStrictEqual(values, expected.slice(1)) ? undefined : 'the values differ from csv-parse';
}

/** Reads `whole` in two parts, cut after the last record that is whole at the end of `first`, each by a parser of its own. */
function readInTwo(first: readonly Buffer[], whole: Buffer): Outcome {
  return collected((rows, reject) => {
    const head = strictParser('input', {}, { reject: () => {} });
    head.push(whole);
    const { body } = head;
    if (body === undefined || head.endsInCr) {
      const parser = strictParser('input', {}, { reject });
      rows.push(...parser.push(whole), ...parser.end());
      return;
    }
    const rest = whole.subarray(body.offset);
    const some = Math.max(0, Buffer.concat(first).length - body.offset);
    const { end, lines } = scanRecords(rest, 0, Math.min(some, rest.length), 44, false);
    const read = (offset: number, line: number, bytes: Buffer) => {
      const parser = head.from({ offset, line }, (why) => reject(undefined, why));
      rows.push(...parser.push(bytes), ...parser.end());
    };
    read(body.offset, body.line, rest.subarray(0, end));
    read(body.offset + end, body.line + lines, rest.subarray(end));
  });
}

/** The same for JSON Lines, line by line, against an own reading of JSON that JSON.parse has a say in. */
export function checkJsonl(parts: readonly Buffer[]): string | undefined {
  const whole = Buffer.concat(parts);
  const read = (pieces: readonly Buffer[]) =>
    collected((rows, reject) => {
      const splitter = new LineSplitter('input', 1 << 20);
      const take = (line: Parameters<typeof rowOf>[0]) => {
        const row = rowOf(line, { reject });
        if (row !== undefined) rows.push(row);
      };
      for (const piece of pieces) {
        const lent = Buffer.from(piece);
        splitter.push(lent, take);
        lent.fill(0x58);
      }
      splitter.end(take);
    });
  const got = read(parts);
  if (!isDeepStrictEqual(shown(got), shown(read([whole])))) return 'where it is cut changes what is read';
  if (!isUtf8(whole)) return got.rejects.length === 0 ? 'bad UTF-8 was taken' : undefined;
  const expected: string[] = [];
  let refused = 0;
  for (const line of whole
    .toString()
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const value = oracle(line);
    if (value?.kind === 'object' && !value.twice) expected.push(value.text);
    else refused++;
  }
  if (got.rejects.length !== refused) return `${got.rejects.length} rejects, and ${refused} are expected`;
  return isDeepStrictEqual(got.rows.map(canonical), expected)
    ? undefined
    : 'the values differ from what was written';
}

/** The same for a JSON document, through a FIFO, so that pieces come as they are cut. */
export async function checkJson(parts: readonly Buffer[], fifo: string): Promise<string | undefined> {
  if (!existsSync(fifo)) execFileSync('mkfifo', [fifo]);
  const whole = Buffer.concat(parts);
  const run = testRun();
  const rows: Row[] = [];
  let failure: SluiceError | undefined;
  const writing = feed(fifo, parts);
  try {
    for await (const chunk of json(fifo).read(run)) rows.push(...chunk);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    failure = error;
  }
  await writing;
  rmSync(fifo);
  const text = whole
    .toString()
    .trimStart()
    .replace(/^\ufeff/, '');
  const values = isUtf8(whole) ? valuesOf(text) : undefined;
  // Numbers between objects are JSON of its own, and rejects.
  if (values === undefined)
    return failure === undefined && run.rejects.length === 0
      ? 'JSON.parse finds a fault, and this reader none'
      : undefined;
  // A file that looks like none of text is refused before it is read.
  if (failure?.code === 'binary_file' || failure?.code === 'empty_file') return undefined;
  const [first, ...others] = values;
  if (failure?.code === 'no_array')
    // One object that may be what holds the rows, or no object at all.
    return others.length === 0 && (first?.kind !== 'object' || text.includes('[')) && first?.kind !== 'array'
      ? undefined
      : 'an array or a row, and yet an error that says there is none';
  if (first?.kind === 'array' && others.some(({ kind }) => kind !== 'array'))
    return failure?.code === 'invalid_json'
      ? undefined
      : 'behind an array stands more, and yet no such error';
  if (failure !== undefined) return `JSON.parse takes it, and this reader fails: ${failure.message}`;
  const elements = first?.kind === 'array' ? values.flatMap(({ items }) => items) : values;
  const objects = elements.filter(({ kind, twice }) => kind === 'object' && !twice);
  if (run.rejects.length !== elements.length - objects.length) return 'other elements are rejected';
  return isDeepStrictEqual(
    rows.map(canonical),
    objects.map(({ text }) => text),
  )
    ? undefined
    : 'the values differ from what was written';
}

/** The values that stand one after the other in `text`; undefined where something is no JSON. */
function valuesOf(text: string): Written[] | undefined {
  const whole = oracle(text);
  if (whole !== undefined) return [whole];
  const values: Written[] = [];
  let from = 0;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (quoted) {
      if (character === '\\') i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if ('{['.includes(character)) depth++;
    else if ('}]'.includes(character) && --depth === 0) {
      const value = oracle(text.slice(from, i + 1).trimStart());
      if (value === undefined) return undefined;
      values.push(value);
      from = i + 1;
    }
  }
  return values.length > 0 && text.slice(from).trim() === '' ? values : undefined;
}

async function feed(fifo: string, parts: readonly Buffer[]): Promise<void> {
  const file = await open(fifo, 'w');
  try {
    for (const part of parts) {
      if (part.length === 0) continue;
      await file.write(part);
      // The reader's turn: else the pieces would come in one.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    // A reader that has found a fault reads no more.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  } finally {
    await file.close();
  }
}

const shown = ({ rows, rejects, failure }: Outcome) => [
  rows.map((row) => Object.entries(row)),
  rejects.map(({ reason, line, offset }) => [reason, line, offset]),
  failure?.code,
];
