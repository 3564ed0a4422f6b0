import { originOf, type Row } from '../core/row.js';
import type { Rejection } from '../core/run.js';
import type { StoredReject } from '../db/ledger/rejects.js';

/** A value shown beside a reject is cut here, so that one huge field cannot fill the ledger. */
const LONGEST_VALUE = 4_096;
/** A record of more text than this is not kept: cut, it would be fed back as another. */
export const LONGEST_RECORD = 65_536;

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
  const raw = record === undefined ? (why.raw === undefined ? null : whole(why.raw)) : storableRow(record);
  const seen = row === undefined || row === record || sameValues(row, record) ? null : storableRow(row);
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

/** Null for a row that is too long to be kept whole. */
function storableRow(row: Row): Record<string, unknown> | null {
  let length = 0;
  const stored: [string, unknown][] = [];
  for (const [column, value] of Object.entries(row)) {
    const plain = value === null || typeof value === 'number' || typeof value === 'boolean';
    const kept = plain ? value : wellFormed(asText(value));
    length += column.length + (typeof kept === 'string' ? kept.length : 8);
    if (length > LONGEST_RECORD) return null;
    stored.push([wellFormed(column), kept]);
  }
  return Object.fromEntries(stored);
}

function whole(text: string): string | null {
  return text.length > LONGEST_RECORD ? null : wellFormed(text);
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? String(value);
  return String(value);
}

function storable(text: string): string {
  return wellFormed(text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text);
}

/** The server's text holds neither NUL nor lone surrogates, and a row may have been rejected for just those. */
function wellFormed(text: string): string {
  return text.replaceAll('\0', '\u2400').toWellFormed();
}
