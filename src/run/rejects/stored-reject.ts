import { isExactNumber } from '../../core/json/exact-number.js';
import { jsonText } from '../../core/json/write.js';
import { originOf, type Row } from '../../core/row.js';
import type { Rejection } from '../../core/run.js';
import type { StoredReject } from '../../core/stored-reject.js';
import { storableText } from '../../db/ledger/storable.js';

/** A value shown beside a reject is cut here, so that one huge field cannot fill the ledger. */
const LONGEST_VALUE = 4_096;
/** A record of more text than this is not kept: cut, it would be resubmitted as another. */
const LONGEST_RECORD = 65_536;

/** Who set a row aside: the reject's number in its batch, the input and the stage. */
export interface Where {
  readonly number: number;
  readonly input: string;
  readonly stage: string;
}

/** The reject as the ledger keeps it. `record`: the input's record, where it is known. */
export function toStored(
  { number, input, stage }: Where,
  row: Row | undefined,
  record: Row | undefined,
  why: Rejection,
): StoredReject {
  const value = why.value === undefined || why.value === null ? null : storable(asText(why.value));
  const given = why.value === null ? 'NULL' : `"${(value ?? '').slice(0, 80)}"`;
  const told =
    why.column === undefined
      ? why.reason.replaceAll('_', ' ')
      : `${why.column} is ${given}; expected: ${why.expected ?? why.reason.replaceAll('_', ' ')}`;
  const raw = record === undefined ? (why.raw === undefined ? null : keptText(why.raw)) : keptRecord(record);
  const seen = row === undefined || row === record || sameValues(row, record) ? null : keptRecord(row);
  return {
    number,
    input,
    line: why.line ?? (row === undefined ? null : (originOf(row) ?? null)),
    byte_offset: why.offset ?? null,
    record_type: why.recordType === undefined ? null : storable(why.recordType),
    source_id: why.sourceId === undefined ? null : storable(why.sourceId),
    stage,
    reason: why.reason,
    column_name: why.column === undefined ? null : storable(why.column),
    value,
    expected: why.expected ?? null,
    sqlstate: why.sqlstate ?? null,
    constraint_name: why.constraint === undefined ? null : storable(why.constraint),
    message: storable(why.message ?? told),
    raw,
    stage_row: seen,
  };
}

function sameValues(row: Row, record: Row | undefined): boolean {
  if (record === undefined) return false;
  const columns = Object.keys(row);
  return (
    columns.length === Object.keys(record).length && columns.every((column) => row[column] === record[column])
  );
}

/** A record as the ledger keeps it; null for one that is too long to be kept whole. */
export function keptRecord(row: Row): Record<string, unknown> | null {
  let length = 0;
  const stored: [string, unknown][] = [];
  for (const [column, value] of Object.entries(row)) {
    const json = isJson(value) ? jsonOf(value) : undefined;
    const text = json ?? asText(value);
    length += column.length + text.length;
    if (length > LONGEST_RECORD) return null;
    stored.push([column, json === undefined ? text : value]);
  }
  return Object.fromEntries(stored);
}

/** Whether a value is kept as JSON has it, nested or not, so that it can be resubmitted as it was. */
function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null)
    return value === null || typeof value === 'boolean' || typeof value === 'bigint';
  if (Array.isArray(value) || isExactNumber(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Text that could not be read as a record as the ledger keeps it. */
export function keptText(text: string): string | null {
  return text.length > LONGEST_RECORD ? null : text;
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (typeof value === 'object' && value !== null)
    return jsonOf(value) ?? Object.prototype.toString.call(value);
  return String(value);
}

/** A value as JSON; undefined where it has none: one that holds itself, say. */
function jsonOf(value: unknown): string | undefined {
  try {
    return jsonText(value);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function storable(text: string): string {
  return storableText(text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text);
}
