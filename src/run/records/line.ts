import { jsonText as exactJson } from '../../core/json/write.js';
import type { Row } from '../../core/row.js';
import { storableText, storableValue } from '../../db/ledger/storable.js';

/** A record of the old system as it is written; see sluice.migration_record. */
export interface RecordLine {
  readonly number: number;
  readonly type: string;
  readonly sourceId: string;
  readonly status: 'pending' | 'error' | 'skipped';
  readonly model: string;
  /** The id that the record will have in live, where it is known already: a whole number. */
  readonly targetId: string | undefined;
  readonly source: Row | undefined;
  readonly transformed: Row | undefined;
  readonly message: string;
  readonly field: string;
  readonly input: string;
  readonly line: number | undefined;
}

/** The document's lengths (varchar). */
const LONGEST_ID = 255;
const LONGEST_FIELD = 100;

/** The columns of a record in the order of `recordLine`. */
export const RECORD_COLUMNS = [
  'batch_id',
  'number',
  'record_type',
  'source_id',
  'status',
  'target_model',
  'target_id',
  'source_data',
  'transformed_data',
  'error_message',
  'error_field',
  'input',
  'line',
] as const;

/** A record in COPY's text format. */
export function recordLine(batch: string, record: RecordLine): string {
  const source = rowText(record.source);
  // A stage that passes a row on as it is hands on the very same object.
  const made = record.transformed === record.source ? source : rowText(record.transformed);
  return `${batch}\t${record.number}\t${record.type}\t${copyText(cut(record.sourceId, LONGEST_ID))}\t${record.status}\t${copyText(record.model)}\t${record.targetId ?? '\\N'}\t${source}\t${made}\t${copyText(record.message)}\t${copyText(cut(record.field, LONGEST_FIELD))}\t${copyText(record.input)}\t${record.line ?? '\\N'}\n`;
}

/** What becomes of a record that is written already; see `lateTable`. */
export interface LateLine extends Pick<RecordLine, 'status' | 'model' | 'transformed' | 'message' | 'field'> {
  readonly input: string;
  readonly line: number;
}

/** The columns of a late word in the order of `lateLine`. */
export const LATE_COLUMNS = [
  'input',
  'line',
  'status',
  'target_model',
  'transformed_data',
  'error_message',
  'error_field',
] as const;

/** A late word in COPY's text format. */
export function lateLine(late: LateLine): string {
  return `${copyText(late.input)}\t${late.line}\t${late.status}\t${copyText(late.model)}\t${rowText(late.transformed)}\t${copyText(late.message)}\t${copyText(cut(late.field, LONGEST_FIELD))}\n`;
}

/** The columns of a key in the order of `keyLine`. */
export const KEY_COLUMNS = ['input', 'line', 'key'] as const;

/** The key of a staged row that its record may not show, in COPY's text format. */
export function keyLine(input: string, line: number, key: readonly unknown[]): string {
  return `${copyText(input)}\t${line}\t${jsonText(key)}\n`;
}

const rowText = (row: Row | undefined) => (row === undefined ? '{}' : jsonText(row));

/** A value as JSON that jsonb takes, in COPY's text format: JSON has no tabs and newlines of its own. */
function jsonText(of: unknown): string {
  let json = exactJson(of) as string;
  // jsonb takes neither NUL nor lone surrogates; both are always written as escapes.
  if (json.includes('\\u')) json = exactJson(storableValue(of)) as string;
  return json.includes('\\') ? json.replaceAll('\\', '\\\\') : json;
}

const SPECIAL = /[\\\t\n\r\0\ud800-\udfff]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** `text` as a field in COPY's text format. */
function copyText(text: string): string {
  if (text === '' || !SPECIAL.test(text)) return text;
  return storableText(text).replace(/[\\\t\n\r]/g, (each) => ESCAPES[each] as string);
}

/** By characters as the server counts them, not by UTF-16 units. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
