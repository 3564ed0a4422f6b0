import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { resumeErrors } from '../../core/errors/catalogue/resume.js';
import type { Suggestion } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import type { Source } from '../../core/types.js';
import type { InputRecord } from '../../db/ledger/run-manifest.js';
import { inputLabels } from '../given/input-labels.js';

/** So much of a file's beginning and end is hashed: a file of any size is told from another in a moment. */
const HASHED_BYTES = 64 << 10;

/** What is known of the inputs before they are read. `given`: those named on the command line. */
export async function recordInputs(
  inputs: Readonly<Record<string, Source>>,
  given: Readonly<Record<string, Source>>,
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
      const print = await (kind === 'sqlite' ? sqlitePrintOf(path) : printOf(path));
      records.push([name, { ...record, path: resolve(path), ...(print === undefined ? {} : { print }) }]);
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

async function printOf(path: string): Promise<InputRecord['print']> {
  // To open a FIFO would wait for its writer, and take what it writes.
  const found = await stat(path).catch(() => undefined);
  const file = found?.isFile() === true ? await open(path, 'r').catch(() => undefined) : undefined;
  // What is wrong with a path is for the source's own check to tell.
  if (found === undefined || file === undefined) return undefined;
  try {
    const { size, mtime } = found;
    const { dev, ino, ctimeNs } = await file.stat({ bigint: true });
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(HASHED_BYTES);
    for (const at of [0, Math.max(0, size - HASHED_BYTES)]) {
      const { bytesRead } = await file.read(buffer, 0, HASHED_BYTES, at);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return {
      size,
      modified: mtime.toISOString(),
      hash: hash.digest('hex'),
      touched: `${dev}:${ino}:${ctimeNs}`,
    };
  } finally {
    await file.close();
  }
}

/** What an SQLite database holds stands in its log, too, for as long as nothing has been checkpointed. */
async function sqlitePrintOf(path: string): Promise<InputRecord['print']> {
  const file = await printOf(path);
  const log = await printOf(`${path}-wal`);
  if (file === undefined || log === undefined || log.size === 0) return file;
  return {
    size: file.size + log.size,
    modified: file.modified,
    hash: createHash('sha256').update(file.hash).update(log.hash).digest('hex'),
  };
}
