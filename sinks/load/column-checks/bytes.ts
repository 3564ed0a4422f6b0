import type { ColumnForm, FieldCheck } from '../../../src/core/field-check.js';
import type { ColumnFacts } from '../../../src/db/catalog/columns.js';
import { guardFor } from './index.js';
import { hasKeysOnce } from './json-keys.js';

/**
 * What each of the columns wants of the fields of a text that is handed to the server as it is. Beside what a guard's
 * `quick` is sure of, it is enough that the server refuses what the guard refuses: a segment that it refuses is read by
 * our reader. So json and bytea go as they are, but not
 * jsonb, of which the server would take a key twice.
 *
 * Types without a guard (text, inet, xml, ranges, types of extensions) go as they are: the server reads the same text
 * either way.
 */
export function columnForms(columns: readonly ColumnFacts[]): ColumnForm[] {
  return columns.map((column) => {
    const check = fieldCheck(column);
    return {
      name: column.name,
      ...(check !== undefined && { check }),
      ...(column.notNull && { notNull: true as const }),
    };
  });
}

function fieldCheck(column: ColumnFacts): FieldCheck | undefined {
  const guard = guardFor(column);
  if (guard === undefined) return undefined;
  if (column.kind === 'array') return beginsAsArray;
  if (column.kind === 'enum') return isLabel(column.labels ?? []);
  switch (column.base) {
    case 'varchar':
    case 'bpchar':
      return isAtMost(column.length ?? 0);
    case 'json':
    case 'bytea':
      return undefined;
    case 'jsonb':
      return hasKeysOnce;
    case 'interval':
      return hasDigit;
    default:
      // What is not known here is for the guard to say, who is asked by the encoder.
      return guard.quick ?? never;
  }
}

const never: FieldCheck = () => false;

/** The elements are the server's to judge, either way. */
const beginsAsArray: FieldCheck = (bytes, start, end) =>
  end > start && (bytes[start] === 0x7b || bytes[start] === 0x5b);

/** Whatever has a digit is the server's to judge, either way. */
function hasDigit(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 48 && byte <= 57) return true;
  }
  return false;
}

/** At most `length` characters of UTF-8: no trailing spaces are left out. */
function isAtMost(length: number): FieldCheck {
  return (bytes, start, end) => {
    if (end - start <= length) return true;
    if (end - start > 4 * length) return false;
    let characters = 0;
    for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) characters++;
    return characters <= length;
  };
}

/** One of the labels, letter for letter. */
function isLabel(labels: readonly string[]): FieldCheck {
  const byLength = new Map<number, Buffer[]>();
  for (const label of labels) {
    const bytes = Buffer.from(label);
    byLength.set(bytes.length, [...(byLength.get(bytes.length) ?? []), bytes]);
  }
  return (bytes, start, end) => {
    for (const label of byLength.get(end - start) ?? []) if (isSame(bytes, start, label)) return true;
    return false;
  };
}

function isSame(bytes: Uint8Array, at: number, label: Uint8Array): boolean {
  for (let i = 0; i < label.length; i++) if (bytes[at + i] !== label[i]) return false;
  return true;
}
