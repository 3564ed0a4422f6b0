import { csvField } from '../../core/csv-text.js';
import { jsonText } from '../../core/json/write.js';
import type { StoredReject } from '../../core/stored-reject.js';
import { cellText, REJECT_COLUMNS } from './reject-columns.js';

/** A reject as a file has it; without a number where no batch has it. */
type FiledReject = Omit<StoredReject, 'number'> & { readonly number: number | null };

/** A file of rejects of one input, written line by line as they come. */
export class RejectsFile {
  /** Rows written, and how many of them have no values, since the ledger does not know them. */
  rows = 0;
  unknown = 0;
  readonly #seen = new Set<number>();

  constructor(
    /** Of a CSV file; undefined: JSON Lines. */
    private readonly columns: readonly string[] | undefined,
    /** Writes lines, with an end behind the last. */
    private readonly write: (lines: string) => Promise<void>,
    /** Whether a batch has the rejects, by their numbers. */
    private readonly numbered = true,
  ) {}

  async begin(): Promise<void> {
    if (this.columns !== undefined) await this.write(csvHeader(this.columns));
  }

  /** Two tables may have rejected one row: it is one row to correct. */
  async add(rejects: readonly StoredReject[]): Promise<void> {
    const lines: string[] = [];
    for (const told of rejects) {
      const reject = this.numbered ? told : { ...told, number: null };
      if (reject.line !== null && this.#seen.has(reject.line)) continue;
      if (reject.line !== null) this.#seen.add(reject.line);
      if (reject.raw === null) this.unknown += 1;
      lines.push(
        this.columns === undefined ? jsonLine(reject) : csvLine(reject, this.columns, this.numbered),
      );
    }
    this.rows += lines.length;
    if (lines.length > 0) await this.write(lines.join('\n'));
  }
}

/** The header of a CSV file of rejects: the input's columns, then those that tell of the reject. */
function csvHeader(columns: readonly string[]): string {
  return [...columns, ...Object.values(REJECT_COLUMNS)].map((each) => cell(each)).join(',');
}

/**
 * A reject as a line of it; undefined where the ledger does not have the input's row. Of a `numbered` one the ledger
 * knows what the sign for a NUL stands for; in others the NUL itself must be there.
 */
export function csvLine(reject: FiledReject, columns: readonly string[], numbered = true): string {
  const { raw } = reject;
  const row = typeof raw === 'object' && raw !== null ? raw : {};
  const values = columns.map((column) => (Object.hasOwn(row, column) ? row[column] : null));
  return [...values.map((value) => cell(value, numbered)), ...about(reject).map((each) => cell(each))].join(
    ',',
  );
}

/** A reject as a JSON line: the input's record, and the same about it under the same names. */
export function jsonLine(reject: FiledReject): string {
  const { raw } = reject;
  const names = Object.values(REJECT_COLUMNS);
  const told = about(reject).map((value, at) => [names[at] as string, value]);
  return jsonText({ ...(typeof raw === 'object' ? raw : {}), ...Object.fromEntries(told) }) as string;
}

function about({ number, line, reason, message, raw }: FiledReject): unknown[] {
  return [number, line, reason, message, typeof raw === 'string' ? raw : null];
}

/** NULL is nothing, and the empty text a pair of quotes, as the CSV reader has it. */
function cell(value: unknown, shown = true): string {
  if (value === null || value === undefined) return '';
  return csvField(cellText(value, shown));
}
