import { jsonText } from '../../core/json/write.js';
import type { Report } from '../../core/report.js';
import type { Row } from '../../core/row.js';
import type { Log } from '../../core/run.js';
import type { StoredReject } from '../../core/stored-reject.js';

/** What stands in the place of a masked value. */
export const MASKED = '[masked]';

/** Values this short stand in a sentence by chance. */
const SHORTEST_TOLD = 2;

/** A key as a message of the server has it: `(names)=(value)`; where in the text the value begins and ends. */
interface Key {
  readonly names: string;
  readonly value: number;
  readonly end: number;
}

/** The keys in `text`. A value may hold anything, so it ends at the first bracket after which the server goes on. */
function* keysIn(text: string): Generator<Key> {
  const closing = /\)(?= (?:already|is|conflicts|in|not)|\.?$)/g;
  for (let from = 0; ; ) {
    const at = text.indexOf(')=(', from);
    if (at < 0) return;
    const value = at + ')=('.length;
    closing.lastIndex = value;
    const end = closing.exec(text)?.index;
    // Without an end behind it there is none behind a later one.
    if (end === undefined) return;
    const before = text.slice(from, at);
    yield { names: before.slice(before.indexOf('(') + 1), value, end };
    from = end;
  }
}

/** The columns that the names of a key are, or that stand in them: `lower(phone)`. */
function columnsIn(names: string): string[] {
  const whole = names.split(', ').map((name) => name.replace(/^"|"$/g, ''));
  return [...whole, ...names.split(/[^\p{L}\p{N}_$]+/u)];
}

/**
 * Keeps source data out of the ledger and the log: the values of some columns, or all of it. Sources hold
 * personal data, and the ledger and the logs outlive the migration.
 */
export class Masking {
  readonly #columns: ReadonlySet<string>;

  constructor(
    columns: readonly string[] = [],
    /** Nothing of the source is kept at all. */
    readonly everything = false,
  ) {
    this.#columns = new Set(columns);
  }

  get active(): boolean {
    return this.everything || this.#columns.size > 0;
  }

  hides(column: string): boolean {
    return this.everything || this.#columns.has(column);
  }

  /** A reject as it may be kept. */
  reject(reject: StoredReject): StoredReject {
    if (!this.active) return reject;
    const { raw, stage_row, column_name } = reject;
    // Text that could not be read as a record cannot be told apart by column.
    const unread = typeof raw === 'string';
    const hidden = this.everything || unread || this.#hidesSome(column_name);
    const plain = `${column_name === null ? '' : `${column_name}: `}${reject.reason.replaceAll('_', ' ')}`;
    const rows = [raw, stage_row].filter((row) => typeof row === 'object' && row !== null);
    return {
      ...reject,
      source_id: this.everything ? null : reject.source_id,
      value: reject.value !== null && hidden ? MASKED : reject.value,
      message: hidden ? plain : this.#sentence(reject.message, rows as Record<string, unknown>[]),
      raw: this.everything || unread ? null : this.#row(raw),
      stage_row: this.everything ? null : this.#row(stage_row),
    };
  }

  /** A report as it may be kept; undefined where none may. */
  report(report: Report): Report | undefined {
    if (this.everything) return undefined;
    if (!report.columns.some((column) => this.hides(column))) return report;
    const rows = report.rows.map((row) =>
      row.map((cell, at) => (this.hides(report.columns[at] ?? '') ? MASKED : cell)),
    );
    return { ...report, rows };
  }

  /** A row as it may be kept; undefined where nothing of it may. */
  kept(row: Row | undefined): Row | undefined {
    return this.everything ? undefined : this.#row(row);
  }

  /** What an error says beside its sentence, as it may be kept. */
  details(details: readonly string[]): string[] {
    if (this.everything) return [];
    return details.map((detail) => this.#keys(detail));
  }

  /** The log as sources, stages, sinks and checks are given it. */
  log(log: Log): Log {
    if (!this.active) return log;
    const at =
      (level: keyof Log): Log[keyof Log] =>
      (message, facts) =>
        this.everything || facts === undefined
          ? log[level](message)
          : log[level](message, this.#row(facts) ?? {});
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  /** PostgreSQL names the offending key: `Key (phone)=(0171) already exists.` */
  #keys(text: string): string {
    let told = '';
    let from = 0;
    for (const { names, value, end } of keysIn(text)) {
      const hidden = columnsIn(names).some((name) => this.hides(name));
      told += hidden ? `${text.slice(from, value)}${MASKED}` : text.slice(from, end);
      from = end;
    }
    return told + text.slice(from);
  }

  /** A reject may name several columns. */
  #hidesSome(names: string | null): boolean {
    return names !== null && (this.hides(names) || names.split(', ').some((name) => this.hides(name)));
  }

  #row<T>(row: T): T {
    if (typeof row !== 'object' || row === null) return row;
    return Object.fromEntries(
      Object.entries(row).map(([column, value]) => [
        column,
        value !== null && this.hides(column) ? MASKED : value,
      ]),
    ) as T;
  }

  /** A sentence about another column may still quote a masked one. */
  #sentence(text: string, rows: readonly Record<string, unknown>[]): string {
    let told = this.#keys(text);
    for (const row of rows)
      for (const [column, value] of Object.entries(row)) {
        if (!this.hides(column) || value === null) continue;
        const said = typeof value === 'object' ? (jsonText(value) ?? '') : String(value);
        if (said.length >= SHORTEST_TOLD) told = told.replaceAll(said, MASKED);
      }
    return told;
  }
}
