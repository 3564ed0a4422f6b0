import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { resumeErrors } from '../../core/errors/catalogue/resume.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Around, InputBytes } from '../../core/input-bytes.js';
import { isRemote } from '../../core/input-url.js';
import type { Suggestion } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import type { Source } from '../../core/types.js';
import type { InputRecord } from '../../db/ledger/run-manifest.js';
import { bytesOfSource, headOf, openBytes } from '../../sources/bytes/open.js';
import { inputLabels } from '../given/input-labels.js';

/** So much of a file's beginning and end is hashed: a file of any size is told from another in a moment. */
const HASHED_BYTES = 64 << 10;

/** What is known of the inputs before they are read. `given`: those named on the command line. Throws interrupted. */
export async function recordInputs(
  inputs: Readonly<Record<string, Source>>,
  given: Readonly<Record<string, Source>>,
  around: Around,
): Promise<Record<string, InputRecord>> {
  const records: [string, InputRecord][] = [];
  const labels = inputLabels(inputs);
  for (const [name, source] of Object.entries(inputs)) {
    const { kind, encoding } = source;
    const path = source.path ?? (kind === 'file' ? source.name : undefined);
    const record = {
      kind,
      given: Object.hasOwn(given, name),
      label: labels[name] as string,
      ...(source.format === undefined ? {} : { format: source.format }),
      ...(encoding === undefined ? {} : { encoding }),
    };
    if (path === undefined) records.push([name, record]);
    else {
      const print = await (kind === 'sqlite' ? sqlitePrintOf(path, around) : printOfSource(source, around));
      records.push([name, { ...record, path: absolute(path), ...(print === undefined ? {} : { print }) }]);
    }
  }
  return Object.fromEntries(records);
}

/** The inputs that can be read only once: stdin, a pipe, a device. Their names. */
export function readOnce(records: Readonly<Record<string, InputRecord>>): string[] {
  return Object.keys(records).filter((name) => {
    const { kind, print } = records[name] as InputRecord;
    return kind === 'stdin' || (kind === 'file' && print === undefined);
  });
}

/**
 * Throws refused `input_changed` where an input is not the one that was read before: another file, or one of
 * another size, time or content. What a query gives is compared as it is read.
 */
export function assertSameInputs(
  before: Readonly<Record<string, InputRecord>>,
  now: Readonly<Record<string, InputRecord>>,
  afresh: Suggestion,
): void {
  const changed = Object.entries(now).flatMap(([name, record]) => differences(name, before[name], record));
  if (changed.length === 0) return;
  throw resumeErrors.input_changed.resumed(
    { first: changed[0] as string, afresh },
    { details: changed.slice(1) },
  );
}

/** Whether an input is known to be the one that was read before: a file with the same content. */
export function sameInput(before: InputRecord | undefined, now: InputRecord | undefined): boolean {
  if (before?.print === undefined || now?.print === undefined) return false;
  return differences('', before, now).length === 0;
}

function differences(name: string, before: InputRecord | undefined, now: InputRecord): string[] {
  if (before === undefined) return [`${name} was not read then`];
  if (before.kind !== now.kind) return [`${name} was read from a ${before.kind}, and now is a ${now.kind}`];
  if (now.kind !== 'file' && now.kind !== 'sqlite') return [];
  const was = before.print;
  const is = now.print;
  const path = now.path ?? name;
  if (was === undefined || is === undefined) return [`${path} is no file that can be read again`];
  // The same bytes under another name are the same input.
  if (was.size !== is.size) return [`${path} has ${plural(is.size, 'byte')}; it had ${was.size}`];
  if (was.hash !== is.hash) return [`${path} has another content`];
  if (was.modified !== is.modified && before.path === now.path)
    return [`${path} was written at ${is.modified}, after it had been read`];
  return [];
}

/** Whether both are the same file, and nothing was written to it in between. */
export function isUntouched(before: InputRecord | undefined, now: InputRecord | undefined): boolean {
  if (before?.print?.touched === undefined || now?.print === undefined) return false;
  return before.path === now.path && before.print.touched === now.print.touched;
}

const absolute = (path: string) => (isRemote(path) ? path : resolve(path));

async function printOfSource(source: Source, around: Around): Promise<InputRecord['print']> {
  const bytes = await unlessWrong(bytesOfSource(source, around));
  return bytes === undefined ? undefined : printOf(bytes, around);
}

/** What `bytes` gives. What is wrong with an input is for the source's own check to tell: undefined then. */
async function unlessWrong<T>(bytes: Promise<T>): Promise<T | undefined> {
  return bytes.catch((error: unknown) => {
    if (error instanceof SluiceError && error.kind === 'interrupted') throw error;
    return undefined;
  });
}

async function printOf(bytes: InputBytes, { signal }: Around): Promise<InputRecord['print']> {
  const { size, modified, version } = bytes;
  // Of what nobody knows the size it cannot be said that it is the same.
  if (size === undefined) return undefined;
  const hash = createHash('sha256');
  const head = await unlessWrong(headOf(bytes, signal, HASHED_BYTES));
  if (head === undefined) return undefined;
  hash.update(head);
  const from = Math.max(0, size - HASHED_BYTES);
  if (from === 0) hash.update(head);
  else if (bytes.seekable) for await (const buffer of bytes.read(signal, from, size)) hash.update(buffer);
  return {
    size,
    ...(modified === undefined ? {} : { modified }),
    hash: hash.digest('hex'),
    ...(version === undefined ? {} : { touched: version }),
  };
}

/** What an SQLite database holds stands in its log, too, for as long as nothing has been checkpointed. */
async function sqlitePrintOf(path: string, around: Around): Promise<InputRecord['print']> {
  const [file, log] = [path, `${path}-wal`].map(async (each) => {
    const bytes = await unlessWrong(openBytes(each, around));
    return bytes === undefined ? undefined : printOf(bytes, around);
  });
  const [main, more] = [await file, await log];
  if (main === undefined || more === undefined || more.size === 0) return main;
  return {
    size: main.size + more.size,
    ...(main.modified === undefined ? {} : { modified: main.modified }),
    hash: createHash('sha256').update(main.hash).update(more.hash).digest('hex'),
  };
}
