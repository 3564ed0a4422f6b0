import type { Client } from 'pg';
import type { RefusedRow } from '../../../src/core/checkpoint.js';
import { loadErrors } from '../../../src/core/errors/catalogue/load.js';
import type { Row } from '../../../src/core/row.js';
import type { Rejection } from '../../../src/core/run.js';
import type { RowCheck } from '../../../src/db/catalog/row-constraints.js';
import { isDataError } from '../../../src/db/server-error.js';
import { TO_OUR_PATH, TO_USERS_PATH } from '../../../src/db/users-path.js';
import type { CopyBuffer } from '../encode/copy-buffer.js';
import { CopyIn } from './copy-in.js';
import { loadAround } from './repair.js';
import { digestOf } from './rolling-hash.js';

/** The staging table's defaults and CHECKs are the application's code. */
export const BEGIN = `BEGIN; ${TO_USERS_PATH}`;

/** A stretch of rows that is committed as a whole or not at all. */
export interface Taken {
  /** Rows handed over: those in staging, and those that the server refused. */
  readonly handed: number;
  /** As the server counted them. */
  readonly rows: number;
  /** The SHA-256 of the rows handed over, in COPY's text format. */
  readonly digest: Buffer;
  /** The rows that the server refused. */
  readonly refused: readonly RefusedRow[];
  /** Origin of the last row, undefined where it has none. */
  readonly lastOrigin: number | undefined;
}

/** Called inside the transaction just before its COMMIT; an error rolls it back. */
export type OnTaken = (client: Client, taken: Taken) => Promise<void>;

export interface SegmentTarget {
  readonly client: Client;
  /** As messages name it. */
  readonly table: string;
  /** COPY … FROM STDIN. */
  readonly sql: string;
  readonly columns: readonly string[];
  /** The CHECKs that it has. */
  readonly checks: readonly RowCheck[];
  reject(row: Row, why: Rejection): void;
}

/**
 * Streams one segment's rows to the server while they are still being encoded. The buffer keeps them until
 * the segment is committed: should the server refuse one, the segment is rolled back and loaded again
 * around it.
 */
export class SegmentLoad {
  readonly buffer: CopyBuffer;
  readonly #target: SegmentTarget;
  #copy: CopyIn | undefined;
  #sent = 0;
  #refused = false;

  constructor(target: SegmentTarget, buffer: CopyBuffer) {
    this.#target = target;
    this.buffer = buffer;
  }

  /** Sends what was appended to the buffer since the last call; resolves when more may be sent. */
  async send(): Promise<void> {
    const { client, sql } = this.#target;
    if (this.#refused || this.buffer.length === this.#sent) return;
    if (this.#copy === undefined) {
      await client.query(BEGIN);
      this.#copy = new CopyIn(client, sql);
    }
    const unsent = this.buffer.view(this.#sent);
    this.#sent = this.buffer.length;
    await this.#copy.write(unsent).catch((error) => this.#noteRefusal(error));
  }

  /** Commits the segment with what `note` does; the number of its rows, as the server counted them. */
  async commit(note: OnTaken): Promise<number> {
    const { client, table, sql, columns, checks, reject } = this.#target;
    const { buffer } = this;
    const handed = buffer.rows;
    // The repair takes rows out of the buffer.
    const digest = digestOf(buffer.view());
    const refused: RefusedRow[] = [];
    if (this.#copy === undefined) await client.query(BEGIN);
    let rows = (await this.#copy?.finish().catch((error) => this.#noteRefusal(error))) ?? 0;
    if (this.#refused) {
      await client.query('ROLLBACK');
      await client.query(BEGIN);
      rows = await loadAround(client, sql, buffer, columns, checks, (row, why, index) => {
        refused.push({ index, why });
        reject(row, why);
      });
    }
    if (rows !== buffer.rows) {
      throw loadErrors.row_count_differs({ table, took: rows, rows: buffer.rows });
    }
    await client.query(TO_OUR_PATH);
    const lastOrigin = origin(buffer, rows - 1);
    await note(client, { handed, rows, digest, refused, lastOrigin });
    await client.query('COMMIT');
    return rows;
  }

  /** Breaks the COPY off; nothing of the segment stays. */
  async abort(): Promise<void> {
    await this.#copy?.abort();
  }

  #noteRefusal(error: unknown): number {
    if (!isDataError(error)) throw error;
    this.#refused = true;
    return 0;
  }
}

function origin(buffer: CopyBuffer, row: number): number | undefined {
  const value = buffer.origins[row];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}
