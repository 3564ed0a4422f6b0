import { jsonText } from '../../../src/core/json/write.js';
import { type Chunk, ORIGIN, type Row } from '../../../src/core/row.js';
import type { Rejection } from '../../../src/core/run.js';
import type { ColumnFacts } from '../../../src/db/catalog/columns.js';
import type { Guard } from '../column-checks/column-check.js';
import { guardFor } from '../column-checks/index.js';
import type { CopyBuffer } from './copy-buffer.js';
import { putOrigin } from './ordinal.js';
import { NUL_BYTE, put } from './put.js';
import { toTextFor, Unfit } from './values.js';

/** Turns rows into COPY's text format and sets aside those that the table cannot take. */
export interface Encoder {
  readonly columns: readonly ColumnFacts[];
  /**
   * Appends the rows to `out` and returns how many there were that could be. Each of the others goes to
   * `reject` with the first column that is wrong; it leaves nothing in `out`. When `reject` throws, `out`
   * is as it was before the call.
   */
  encode(rows: Chunk, out: CopyBuffer, reject: (row: Row, why: Rejection) => void): number;
  /** Of an encoder that numbers its rows: the next one is this. */
  numberFrom(row: number): void;
}

/** Rejects carry at most this many characters of a value. */
const SHOWN_CHARACTERS = 200;

/** V8 does not optimise functions beyond 60 KB of bytecode; this many columns stay well below. */
const COLUMNS_PER_PART = 64;

type Part = (row: Row, out: CopyBuffer, at: number) => number;
interface Loop {
  encode(rows: Chunk, out: CopyBuffer): number;
  numberFrom(row: number): void;
}

/**
 * The encoder of a table, for `columns` in the order of the COPY statement's list. Its code is generated,
 * so that reading a field is a property access of a known name and every column's guard is a direct call.
 * Names and everything else that came from outside enter the code only through JSON.stringify.
 *
 * `closed`: a row that has a value under a name that is not among the columns is a reject
 * (unknown_column), since dropping the value would lose data.
 *
 * `numberedFrom`: behind its columns every row has those of ORIGIN_COLUMNS, numbered from this one on until `numberFrom`
 * is called.
 */
export function copyEncoder(
  columns: readonly ColumnFacts[],
  options: { readonly closed?: boolean; readonly numberedFrom?: number } = {},
): Encoder {
  const guards = columns.map(guardFor);
  let reject: (row: Row, why: Rejection) => void = () => {};

  function bad(row: Row, index: number, value: unknown, problem: number | Unfit | null): number {
    const column = columns[index] as ColumnFacts;
    reject(row, rejection(column, guards[index], value, problem));
    return -1;
  }

  const parts: Part[] = [];
  for (let from = 0; from < columns.length; from += COLUMNS_PER_PART) {
    parts.push(compilePart(columns, guards, from, Math.min(from + COLUMNS_PER_PART, columns.length), bad));
  }
  const loop = compileLoop(
    parts,
    options.closed === true ? keyCheck(columns, (row, why) => reject(row, why)) : undefined,
    options.numberedFrom,
  );
  return {
    columns,
    encode(rows, out, onReject) {
      reject = onReject;
      return loop.encode(rows, out);
    },
    numberFrom: (row) => loop.numberFrom(row),
  };
}

function compilePart(
  columns: readonly ColumnFacts[],
  guards: readonly (Guard | undefined)[],
  from: number,
  to: number,
  bad: (row: Row, index: number, value: unknown, problem: number | Unfit | null) => number,
): Part {
  const body: string[] = ['let bytes = out.bytes, room = bytes.length, value, next;'];
  for (let i = from; i < to; i++) {
    const column = columns[i] as ColumnFacts;
    const name = JSON.stringify(column.name);
    const isNull = column.notNull
      ? `return bad(row, ${i}, null, null);`
      : 'if (at + 3 > room) { bytes = out.reserve(at, 3); room = bytes.length; } bytes[at++] = 92; bytes[at++] = 78;';
    const guard = guards[i];
    const quick = guard?.quick === undefined ? '' : `!quick${i}(bytes, at, next) && `;
    const check =
      guard === undefined ? '' : `if (${quick}!accepts${i}(value)) return bad(row, ${i}, value, 0);`;
    body.push(`
value = row[${name}];
if (value === null || value === undefined) { ${isNull} }
else {
  if (typeof value !== 'string') {
    next = toText${i}(value);
    if (typeof next !== 'string') return bad(row, ${i}, value, next);
    value = next;
  }
  if (at + value.length * 3 + 3 > room) { bytes = out.reserve(at, value.length * 3 + 3); room = bytes.length; }
  next = put(value, bytes, at);
  if (next < 0) return bad(row, ${i}, value, next);
  ${check}
  at = next;
}
bytes[at++] = ${i === columns.length - 1 ? 10 : 9};`);
  }
  body.push('return at;');
  const range = Array.from({ length: to - from }, (_, k) => from + k);
  const names = range.flatMap((i) => [`quick${i}`, `accepts${i}`, `toText${i}`]);
  const values = range.flatMap((i): readonly unknown[] => [
    guards[i]?.quick,
    guards[i]?.accepts,
    toTextFor(columns[i] as ColumnFacts),
  ]);
  const source = `'use strict'; return function encodeRow(row, out, at) {${body.join('\n')}\n};`;
  return new Function('put', 'bad', ...names, source)(put, bad, ...values) as Part;
}

/** Whether every key of a row is a column's: true, or a reject has been made. */
interface KeyCheck {
  accepts(row: Row, keys: readonly string[]): boolean;
  allKnown(keys: readonly string[]): boolean;
}

// Rows of one source mostly have the keys of the row before: then this costs 2 ns a key.
const SAME_KEYS = `let n = 0;
    for (const key in row) { if (key !== keys[n]) { n = -1; break; } n++; }
    if (n !== keys.length) {
      const found = Object.keys(row);
      if (check.allKnown(found)) keys = found;
      else if (!check.accepts(row, found)) continue;
    }`;

function keyCheck(columns: readonly ColumnFacts[], reject: (row: Row, why: Rejection) => void): KeyCheck {
  const known = new Set(columns.map((column) => column.name));
  return {
    allKnown: (keys) => keys.every((key) => known.has(key)),
    accepts(row, keys) {
      const stranger = keys.find((key) => !known.has(key) && row[key] !== null && row[key] !== undefined);
      if (stranger === undefined) return true;
      reject(row, {
        reason: 'unknown_column',
        column: stranger,
        value: shown(row[stranger]),
        expected: `only the columns that the first row showed: ${[...known].join(', ')}`,
      });
      return false;
    },
  };
}

function compileLoop(
  parts: readonly Part[],
  check: KeyCheck | undefined,
  numberedFrom: number | undefined,
): Loop {
  const names = parts.map((_, i) => `part${i}`);
  // A table without columns still has rows: each is an empty line.
  const calls =
    parts.length === 0
      ? 'out.reserve(at, 1)[at] = 10; at++;'
      : names
          .map((name) => `at = ${name}(row, out, at); if (at < 0) { at = start; continue; }`)
          .join('\n    ');
  const numbered = numberedFrom === undefined ? '' : 'at = putOrigin(out, at, next++, origin);';
  const source = `'use strict'; let keys = [], next = first; function encode(rows, out) {
  const origins = out.reserveRows(rows.length);
  let at = out.length, count = out.rows;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i], start = at;
    ${check === undefined ? '' : SAME_KEYS}
    ${calls}
    const origin = row[ORIGIN];
    ${numbered}
    origins[count++] = origin === undefined ? NaN : origin;
  }
  const added = count - out.rows;
  out.length = at;
  out.rows = count;
  return added;
}
return { encode, numberFrom(row) { next = row; } };`;
  const given = [ORIGIN, check, putOrigin, numberedFrom ?? 0];
  return new Function('ORIGIN', 'check', 'putOrigin', 'first', ...names, source)(...given, ...parts) as Loop;
}

function rejection(
  column: ColumnFacts,
  guard: Guard | undefined,
  value: unknown,
  problem: number | Unfit | null,
): Rejection {
  const expected = guard?.expected ?? column.type;
  const facts = { column: column.name, value: shown(value), expected };
  if (problem === null) return { ...facts, reason: 'null_in_not_null', expected: `${expected}, not null` };
  if (problem instanceof Unfit) return { ...facts, reason: problem.reason };
  if (problem === 0) return { ...facts, reason: guard?.reason(String(value)) ?? 'not_accepted' };
  return problem === NUL_BYTE
    ? { ...facts, reason: 'nul_byte', expected: 'text without NUL characters' }
    : { ...facts, reason: 'lone_surrogate', expected: 'well-formed Unicode text' };
}

/** `value` as a reject keeps it: text, at most SHOWN_CHARACTERS of it, never half a surrogate pair. */
export function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  let text: string;
  try {
    text = typeof value === 'object' ? (jsonText(value) ?? String(value)) : String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length <= SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, SHOWN_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
