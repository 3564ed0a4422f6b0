import type { Row } from '../../core/row.js';
import type { Database } from '../../core/run.js';
import { copyRecords, keyTable, lateTable } from '../../db/ledger/records.js';
import { idents } from '../../db/quote.js';
import type { Masking } from '../given/masking.js';
import {
  KEY_COLUMNS,
  keyLine,
  LATE_COLUMNS,
  type LateLine,
  lateLine,
  RECORD_COLUMNS,
  type RecordLine,
  recordLine,
} from './line.js';
import { RecordWriter } from './writer.js';

/** Where a batch's records go: numbers them, masks them, writes them. Its owner closes it. */
export class RecordBuffer {
  #number = 0;
  readonly #records: RecordWriter;
  readonly #late: RecordWriter;
  readonly #keys: RecordWriter;

  constructor(
    database: Pick<Database, 'connect'>,
    readonly batch: string,
    /** The batch's staging schema, in which work tables are; see `workTablesSql`. */
    staging: string,
    readonly masking: Masking,
  ) {
    const purpose = (what: string) => `batch ${batch} ${what}`;
    const into = (table: string, columns: readonly string[]) =>
      `COPY ${table} (${idents(columns)}) FROM STDIN`;
    this.#records = new RecordWriter(database, purpose('records'), copyRecords(RECORD_COLUMNS), 2);
    this.#late = new RecordWriter(database, purpose('late records'), into(lateTable(staging), LATE_COLUMNS));
    this.#keys = new RecordWriter(database, purpose('record keys'), into(keyTable(staging), KEY_COLUMNS));
  }

  /** The first of `rows` new numbers, 1-based within the batch. */
  take(rows: number): number {
    const first = this.#number + 1;
    this.#number += rows;
    return first;
  }

  /** Writes records, in the background. */
  write(records: readonly RecordLine[]): void {
    let lines = '';
    for (const record of records) lines += recordLine(this.batch, this.#masked(record));
    this.#records.add(lines);
  }

  /** What became of a record that is written already. */
  late(line: LateLine): void {
    this.#late.add(lateLine(this.#masked(line)));
  }

  /** The key of a staged row, where the record may not show it. */
  key(input: string, line: number, key: readonly unknown[]): void {
    this.#keys.add(keyLine(input, line, key));
  }

  /** Waits where too much waits to be written; undefined where there is nothing to wait for. */
  flushSome(): Promise<void> | undefined {
    return this.#records.flushSome() ?? this.#late.flushSome() ?? this.#keys.flushSome();
  }

  /** Writes everything that waits. Throws `records_not_stored`. */
  async flush(): Promise<void> {
    await this.#records.flush();
    await this.#keys.flush();
    await this.#late.flush();
  }

  /** Ends the sessions. */
  async close(): Promise<void> {
    await Promise.all([this.#records.close(), this.#late.close(), this.#keys.close()]);
  }

  #masked<T extends LateLine | RecordLine>(record: T): T {
    const { masking } = this;
    if (!masking.active) return record;
    const hidden = {
      transformed: masking.kept(record.transformed),
      ...('source' in record ? { source: masking.kept(record.source as Row | undefined) } : {}),
      ...('sourceId' in record && masking.everything ? { sourceId: '' } : {}),
    };
    return { ...record, ...hidden };
  }
}
