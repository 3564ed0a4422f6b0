import type { Duplex } from 'node:stream';
import verifier from 'stream-json/utils/verifier.js';
import { failed, usage } from '../../core/errors/author.js';
import { nearest } from '../../core/errors/nearest.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { jsonText } from '../../core/json/write.js';
import { type NextStep, again as suggested } from '../../core/next.js';
import { markOrigin, type Row } from '../../core/row.js';
import { changedRun, type Run } from '../../core/run.js';
import { nameColumns } from '../text/columns.js';
import { MAX_DEPTH } from '../text/depth.js';
import { utf8Text } from '../text/encoding.js';
import { displayName, type OpenOptions, openText } from '../text/opening.js';
import { READ_BYTES, STDIN, statInput } from '../text/raw.js';
import { twice } from './duplicate-key.js';
import { isObject, kindOf } from './kinds.js';
import { ElementReader, tokenParser } from './tokens.js';

export interface JsonOptions extends OpenOptions {
  /** Where the array of rows is: keys joined by dots, or a list where keys have dots in them. The whole
   * document where left out. */
  readonly at?: string | readonly string[];
  /** Longest element of the array in bytes: 16 MiB where left out. A longer one stops the reading. */
  readonly maxRecordBytes?: number;
  /** The columns that the flow relies on. */
  readonly columns?: readonly string[];
  /** Without `at`: a document that is one object is a row, also where it holds arrays. */
  readonly single?: boolean;
}

/** So many pieces of READ_BYTES are looked at for the array before anything is written: about 4 MiB. */
const CHECKED_PIECES = (4 << 20) / READ_BYTES;

/**
 * The first rows, if the array begins early enough. A document may hold others before it, of any size; what is
 * wrong further on is found when it is read, still before anything is published.
 */
export async function* beginning(batches: AsyncIterable<Row[]>): AsyncGenerator<Row[], void> {
  let pieces = 0;
  for await (const rows of batches) {
    if (rows.length > 0) yield rows;
    if (++pieces === CHECKED_PIECES) return;
  }
}

/** The rows of the array that `options.at` names, in batches of a piece of text each; a batch may be empty. */
export async function* jsonBatches(
  path: string,
  options: JsonOptions,
  run: Run,
): AsyncGenerator<Row[], void> {
  const input = displayName(path);
  const { at = [] } = options;
  let rows: Row[] = [];
  const columns = nameColumns(at.length === 0 ? input : `${pathText(at)} in ${input}`, options.columns);
  // A document that is one object may be a row, or hold the array that is meant: known when it is at its end.
  let held: Row | undefined;
  const reader = new ElementReader(
    typeof at === 'string' ? at.split('.') : at,
    (value, ordinal, fault, text) => {
      const raw = text === undefined ? {} : { raw: text };
      if (fault === 'too_deep') {
        const message = `element ${ordinal} is nested more than ${MAX_DEPTH} levels deep`;
        run.reject(undefined, { reason: 'too_deep', message, line: ordinal, ...raw });
      } else if (fault !== undefined) {
        run.reject(undefined, { ...twice(fault), line: ordinal, ...raw });
      } else if (isObject(value)) {
        columns.see(value);
        const row = markOrigin(value, ordinal);
        if (ordinal === 1 && reader.sequence && options.single !== true) held = row;
        else rows.push(row);
      } else {
        const message = `a row must be a JSON object, and element ${ordinal} is ${kindOf(value)}`;
        run.reject(undefined, {
          reason: 'not_an_object',
          message,
          line: ordinal,
          raw: jsonText(value) as string,
        });
      }
    },
  );
  const parse = tokenParser(at.length === 0);
  const limit = options.maxRecordBytes ?? 16 * 1024 * 1024;
  let read = 0;
  let steps = 0;
  let stepAt = 0;
  const parsing = async (text: string | undefined) => {
    try {
      for (const token of parse(text)) reader.token(token);
      if (reader.twice !== undefined) throw keyTwice(input, reader.twice);
    } catch (error) {
      throw error instanceof SluiceError
        ? error
        : await syntaxError(path, options, run, error as Error, read);
    }
  };
  for await (const text of utf8Text(openText(path, run, options), input)) {
    await parsing(text);
    read += Buffer.byteLength(text);
    if (reader.steps > steps) {
      steps = reader.steps;
      stepAt = read;
    } else if (read - stepAt > limit) {
      const first = reader.sequence && reader.ordinal === 0 && options.single !== true;
      throw first ? noArray(input, options, reader) : tooLong(input, stepAt, limit);
    }
    if (held !== undefined && reader.ordinal > 1) {
      rows.unshift(held);
      held = undefined;
    }
    yield rows;
    rows = [];
  }
  await parsing(undefined);
  if (!reader.found || (held !== undefined && reader.ordinal === 1 && holdsRows(held)))
    throw noArray(input, options, reader);
  yield held === undefined ? rows : [held, ...rows];
  columns.assertSeen();
}

const keyTwice = (input: string, path: string) =>
  failed('duplicate_key', `${input} has the key ${path} twice in one object: JSON readers keep one of them`, {
    input,
    state: 'nothing was published',
    next: 'take one of the two out, or give it another name',
  });

/** Whether an object holds an array that may be one of rows, not too deep inside. */
function holdsRows(value: unknown, depth = 0): boolean {
  if (Array.isArray(value)) return value.length === 0 || value.some(isObject);
  return depth < 3 && isObject(value) && Object.values(value).some((each) => holdsRows(each, depth + 1));
}

const tooLong = (input: string, offset: number, limit: number) =>
  failed('record_too_long', `${input}: one value behind byte ${offset} is longer than ${limit} bytes`, {
    input,
    offset,
    next: 'check that the array of rows is the one meant (at); maxRecordBytes raises the limit',
  });

const written = (stream: Duplex, text: string) =>
  new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });

const ended = (stream: Duplex) =>
  new Promise<void>((resolve) => {
    stream.on('end', resolve);
    stream.end();
  });

/** stream-json's parser does not say where; its verifier does, so a file is read again up to the fault. */
async function syntaxError(path: string, options: JsonOptions, run: Run, error: Error, read: number) {
  const input = displayName(path);
  // Only a file can be read again: a FIFO would wait for another writer.
  const again = path !== STDIN && (await statInput(path)).isFile();
  const found = again ? await locate(path, options, run).catch(() => undefined) : undefined;
  const next = suggested(
    { flags: { format: 'jsonl' } },
    {
      lead: 'correct the file; or, where it has one object a line',
      otherwise: 'correct the file; for one object a line use jsonl()',
    },
  );
  if (found === undefined) {
    const where = `behind byte ${read}`;
    return failed('invalid_json', `${input} is not valid JSON ${where}: ${error.message}`, {
      input,
      offset: read,
      next,
      cause: error,
    });
  }
  return failed(
    'invalid_json',
    `${input} is not valid JSON at line ${found.line}, character ${found.pos}: ${error.message}`,
    {
      input,
      line: found.line,
      next,
      cause: error,
    },
  );
}

async function locate(
  path: string,
  options: JsonOptions,
  run: Run,
): Promise<verifier.VerifierError | undefined> {
  const verify = verifier.asStream({ jsonStreaming: options.at === undefined || options.at.length === 0 });
  verify.resume();
  let fault: verifier.VerifierError | undefined;
  verify.on('error', (error) => {
    fault = error as verifier.VerifierError;
  });
  const silent = changedRun(run, { progress: () => {} });
  for await (const text of utf8Text(openText(path, silent, { ...options, opened: undefined }), path)) {
    await written(verify, text).catch(() => {});
    if (fault !== undefined) return fault;
  }
  await Promise.race([ended(verify), new Promise((resolve) => verify.on('close', resolve))]);
  return fault;
}

function noArray(input: string, options: JsonOptions, reader: ElementReader): SluiceError {
  const { at = [] } = options;
  const wanted = pathText(at);
  // The whole document has the empty path.
  if (reader.arrays[0] === '')
    return usage('no_array', `${input} is an array itself, and no document that has one at ${wanted}`, {
      input,
      next: suggested(
        { drop: ['source'], flags: { input: [`${wanted}=${input}`] } },
        { lead: 'say which input it is', otherwise: 'read it whole (without at)' },
      ),
    });
  const details = [
    ...(reader.arrays.length > 0 ? [`arrays in it: ${reader.arrays.join(', ')}`] : []),
    ...(reader.keys.length > 0 ? [`keys at its top: ${reader.keys.join(', ')}`] : []),
  ];
  const next = noArrayNext(wanted, reader.arrays);
  return usage(
    'no_array',
    wanted === ''
      ? `${input} is ${reader.sequence ? 'one JSON object' : 'no JSON array'}`
      : `${input} has no array at ${wanted}`,
    {
      input,
      details,
      next: reader.sequence
        ? [
            next,
            suggested(
              { flags: { format: 'jsonl' } },
              {
                lead: 'or, where the object is the row',
                otherwise: 'or, where the object is the row, use jsonl()',
              },
            ),
          ]
        : next,
    },
  );
}

function noArrayNext(wanted: string, arrays: readonly string[]): NextStep {
  const [first] = arrays;
  if (first === undefined)
    return suggested(
      { flags: { format: 'jsonl' } },
      { lead: 'where it has one object a line', otherwise: 'for one object a line use jsonl()' },
    );
  if (wanted === '')
    return suggested({ flags: { at: first } }, { otherwise: `name the array of rows: at: '${first}'` });
  const meant = nearest(wanted, arrays);
  return meant === undefined
    ? `add the array ${wanted} to the document, [] where there is nothing in it, or name the one that is meant (at)`
    : suggested(
        { flags: { at: meant } },
        { otherwise: `is ${meant} meant? call it ${wanted}, or name it (at)` },
      );
}

/** A path as messages write it. */
const pathText = (at: string | readonly string[]) => (typeof at === 'string' ? at : at.join('.'));
