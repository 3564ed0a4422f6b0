import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { type AnyRow, anyColumns, type Column, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage, stateless } from '../src/core/types.js';
import { withOrigin } from './map.js';

/** Where the key of a hash is; it is read when the rows are, and is kept nowhere. */
export type HashKey = { readonly env: string } | { readonly file: string };

export interface HashOptions<C extends string> {
  readonly columns: readonly C[];
  readonly key: HashKey;
}

/** A shorter key is guessed. */
const LEAST_BYTES = 16;

/**
 * Personal data by a name that nobody can turn back without the key: each value of `columns` becomes the HMAC-SHA256 of its
 * text, as 64 hexadecimal digits. Equal values stay equal, so that they can be grouped and looked up by; NULL stays NULL. The
 * key is read from an environment variable or a file (without its last line break) and stands in no ledger, log or report.
 * Throws usage `no_hash_key` where it is missing or has less than 16 bytes. What stages before this one reject is kept with
 * the values that the input had: name the columns in the pipeline's `mask` as well.
 */
export function hash<R extends AnyRow = Row, const C extends Column<R> = Column<R>>(
  options: HashOptions<C>,
): Stage<R, Personal<R, C>> {
  const { columns, key } = options;
  return replacing(`hash(${columns.join(', ')})`, columns, async () => {
    const secret = await readKey(key);
    return (value) => createHmac('sha256', secret).update(value).digest('hex');
  });
}

export interface RedactOptions<C extends string> {
  readonly columns: readonly C[];
  /** So many characters at the end stay, where a value has at least twice as many. Default: 0. */
  readonly keepLast?: number;
}

/**
 * Personal data out of sight: each value of `columns` becomes `***`, with its last characters where they are to be kept
 * (`***4711`). NULL stays NULL, an empty text is empty. For the ledger and reports alone, a pipeline's `mask` does it.
 */
export function redact<R extends AnyRow = Row, const C extends Column<R> = Column<R>>(
  options: RedactOptions<C>,
): Stage<R, Personal<R, C>> {
  const { columns, keepLast = 0 } = options;
  return replacing(`redact(${columns.join(', ')})`, columns, async () => (value) => {
    if (value === '') return value;
    const characters = Array.from(value);
    return `***${keepLast > 0 && characters.length >= 2 * keepLast ? characters.slice(-keepLast).join('') : ''}`;
  });
}

/** Rows whose columns `C` are texts in place of what they were. */
export type Personal<R extends AnyRow, C extends string> = Omit<R, C> & Readonly<Record<C, string | null>>;

function replacing<R extends AnyRow, C extends Column<R>>(
  name: string,
  columns: readonly C[],
  prepare: () => Promise<(value: string) => string>,
): Stage<R, Personal<R, C>> {
  type Out = Personal<R, C>;
  const stage = named(name, async function* (rows: Rows<R>, _: Run): AsyncGenerator<Out[]> {
    const replace = await prepare();
    for await (const chunk of rows)
      yield chunk.map((row) => {
        const all = anyColumns(row);
        const made = columns.map((column) => {
          const value = all[column] ?? null;
          return [column, value === null ? null : replace(String(value))];
        });
        return withOrigin({ ...all, ...Object.fromEntries(made) } as AnyRow as Out, row);
      });
  });
  return stateless(stage);
}

async function readKey(key: HashKey): Promise<Buffer> {
  const where = 'env' in key ? `the environment variable ${key.env}` : `the file ${key.file}`;
  const read =
    'env' in key ? Buffer.from(process.env[key.env] ?? '') : await readFile(key.file).catch(() => undefined);
  if (read === undefined || read.length === 0) throw stageErrors.no_hash_key.missing({ where });
  const end = read.at(-1) === 10 ? (read.at(-2) === 13 ? 2 : 1) : 0;
  const secret = read.subarray(0, read.length - end);
  if (secret.length < LEAST_BYTES) throw stageErrors.no_hash_key.short({ where, bytes: secret.length });
  return secret;
}
