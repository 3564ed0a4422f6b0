import type { Duplex } from 'node:stream';
import verifier from 'stream-json/utils/verifier.js';
import { jsonErrors } from '../../core/errors/catalogue/json.js';
import { textErrors } from '../../core/errors/catalogue/text.js';
import { nearest } from '../../core/errors/nearest.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { jsonText } from '../../core/json/write.js';
import { markOrigin, type Row } from '../../core/row.js';
import { changedRun, type Run } from '../../core/run.js';
import { READ_BYTES } from '../bytes/local.js';
import { displayName, openBytes } from '../bytes/open.js';
import { nameColumns } from '../text/columns.js';
import { MAX_DEPTH } from '../text/depth.js';
import { utf8Text } from '../text/encoding.js';
import { openText } from '../text/opening.js';
import { twice } from './duplicate-key.js';
import { isObject, kindOf } from './kinds.js';
import type { JsonOptions } from './options.js';
import { ElementReader, tokenParser } from './tokens.js';

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
  const reader = new ElementReader(at, (value, ordinal, fault, text) => {
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
  });
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

const keyTwice = (input: string, path: string) => jsonErrors.duplicate_key({ input, path });

/** Whether an object holds an array that may be one of rows, not too deep inside. */
function holdsRows(value: unknown, depth = 0): boolean {
  if (Array.isArray(value)) return value.length === 0 || value.some(isObject);
  return depth < 3 && isObject(value) && Object.values(value).some((each) => holdsRows(each, depth + 1));
}

const tooLong = (input: string, offset: number, limit: number) =>
  textErrors.record_too_long.json({ input, offset, limit });

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
  const again = (await openBytes(path, run)) !== undefined;
  const found = again ? await locate(path, options, run).catch(() => undefined) : undefined;
  if (found === undefined) {
    return jsonErrors.invalid_json.behind({ input, offset: read, why: error.message }, { cause: error });
  }
  return jsonErrors.invalid_json.at(
    { input, line: found.line, character: found.pos, why: error.message },
    { cause: error },
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
  const { no_array } = jsonErrors;
  const { sequence, arrays, keys } = reader;
  const wanted = pathText(options.at ?? []);
  // The whole document has the empty path.
  if (arrays[0] === '') return no_array.isArray({ input, wanted });
  if (wanted !== '')
    return no_array.notThere({ input, wanted, sequence, arrays, keys, meant: nearest(wanted, arrays) });
  const found = { input, arrays, keys, meant: undefined };
  return sequence ? no_array.isObject(found) : no_array.notArray(found);
}

/** A path as messages write it. */
const pathText = (at: string | readonly string[]) => (typeof at === 'string' ? at : at.join('.'));
