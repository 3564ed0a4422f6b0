import type { Client } from 'pg';
import type { FlowMark } from '../../../src/core/bookmark.js';
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
import { digestOf, rolled } from './rolling-hash.js';

/** The staging table's defaults and CHECKs are the application's code. */
const BEGIN = `BEGIN; ${TO_USERS_PATH}`;

/** A stretch of rows that is committed as a whole or not at all. */
interface Segment {
  /** 0-based, within this load. */
  readonly number: number;
  /** Rows in this segment, as the server counted them. */
  readonly rows: number;
  /** Rows of the load up to and including this segment. */
  readonly totalRows: number;
  /** Rows handed over up to and including this segment: those above, and those that the server refused. */
  readonly totalHanded: number;
  /** The rolling hash of the rows handed over up to and including this segment. */
  readonly hash: string;
  /** The rows of this segment that the server refused. */
  readonly refused: readonly RefusedRow[];
  /** The rows in COPY's text format; a view that is only valid until the hook's promise settles. */
  readonly data: Buffer;
  /** Origins of the first and the last row, undefined where they have none. */
  readonly firstOrigin: number | undefined;
  readonly lastOrigin: number | undefined;
  /** How far the flow was with the segment's last row, but for what the server refused of it. */
  readonly mark: FlowMark | undefined;
}

/** How far a load is: so many segments are committed, with so many rows; `hash` is '' before the first. */
export interface Progress {
  readonly segments: number;
  readonly rows: number;
  readonly handed: number;
  readonly hash: string;
}

/** Called inside the segment's transaction just before its COMMIT; an error rolls the segment back. */
export type OnSegment = (client: Client, segment: Segment) => Promise<void>;

export interface SegmentTarget {
  readonly client: Client;
  /** As messages name it. */
  readonly table: string;
  /** COPY … FROM STDIN. */
  readonly sql: string;
  readonly columns: readonly string[];
  /** The CHECKs that it has. */
  readonly checks: readonly RowCheck[];
  readonly onSegment: OnSegment | undefined;
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

  /**
   * Commits the segment, `before` being what was committed before it and `mark` how far the flow is; gives what is
   * committed then.
   */
  async commit(before: Progress, mark: FlowMark | undefined): Promise<Progress> {
    const { client, table, sql, columns, checks, onSegment, reject } = this.#target;
    if (this.#copy === undefined) return before;
    const handed = this.buffer.rows;
    const digest = onSegment === undefined ? undefined : digestOf(this.buffer.view());
    // Awaited below; should the COPY fail first, nobody asks for it any more.
    digest?.catch(() => {});
    const refused: RefusedRow[] = [];
    let rows = await this.#copy.finish().catch((error) => this.#noteRefusal(error));
    if (this.#refused) {
      await client.query('ROLLBACK');
      await client.query(BEGIN);
      // The repair takes rows out of the buffer.
      await digest;
      rows = await loadAround(client, sql, this.buffer, columns, checks, (row, why, index) => {
        refused.push({ index, why });
        reject(row, why);
      });
    }
    const { buffer } = this;
    if (rows !== buffer.rows) {
      throw loadErrors.row_count_differs({ table, took: rows, rows: buffer.rows });
    }
    const after: Progress = {
      segments: before.segments + 1,
      rows: before.rows + rows,
      handed: before.handed + handed,
      hash: digest === undefined ? '' : rolled(before.hash, await digest),
    };
    if (handed > 0 && onSegment !== undefined) {
      await client.query(TO_OUR_PATH);
      await onSegment(client, {
        number: before.segments,
        rows,
        totalRows: after.rows,
        totalHanded: after.handed,
        hash: after.hash,
        refused,
        data: buffer.view(),
        firstOrigin: origin(buffer, 0),
        lastOrigin: origin(buffer, rows - 1),
        mark,
      });
    }
    await client.query('COMMIT');
    return after;
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
