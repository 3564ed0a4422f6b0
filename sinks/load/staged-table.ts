import type { Client } from 'pg';
import type { FlowMark } from '../../src/core/bookmark.js';
import type { Checkpoint } from '../../src/core/checkpoint.js';
import { noun, plural } from '../../src/core/plural.js';
import type { Chunk, Row } from '../../src/core/row.js';
import type { Rejection, Run } from '../../src/core/run.js';
import type { Sink, Staging } from '../../src/core/types.js';
import { untilAborted } from '../../src/core/until-aborted.js';
import type { ColumnFacts } from '../../src/db/catalog/columns.js';
import type { RowCheck } from '../../src/db/catalog/row-constraints.js';
import { cutOff } from '../../src/db/network.js';
import { idents, qualified } from '../../src/db/quote.js';
import { copyColumns } from './copy/columns.js';
import { copyFailure } from './copy/failure.js';
import { Replay } from './copy/replay.js';
import { type OnSegment, type Progress, SegmentLoad, type SegmentTarget } from './copy/segments.js';
import { CopyBuffer } from './encode/copy-buffer.js';
import { copyEncoder, type Encoder } from './encode/encoder.js';
import { ORIGIN_COLUMNS } from './encode/ordinal.js';

export interface StagedTableOptions {
  readonly schema: string;
  /** The staging table, which exists, has no indexes and is filled by nobody else. */
  readonly table: string;
  /** The live table's name, as messages show it: `public.orders`. */
  readonly liveName: string;
  /** The staging table's columns as the catalog has them. */
  readonly columns: readonly ColumnFacts[];
  /** The CHECKs that the staging table has, for what rejects say. */
  readonly checks?: readonly RowCheck[];
  /** The columns that the pipeline declares; left out, the first row's keys say. */
  readonly wanted?: readonly string[];
  /** A session of the sink's own, which the sink ends. */
  connect(): Promise<Client>;
  /** Called inside each segment's transaction before its COMMIT, with what the segment holds. */
  readonly onSegment?: OnSegment;
  /**
   * What an earlier attempt has committed, in order: the rows come by again, are compared with it, and only
   * those after the last checkpoint are loaded.
   */
  readonly checkpoints?: readonly Checkpoint[];
  /** So many of the checkpoints are of rows that do not come by again. Left out: none. */
  readonly behind?: number;
  /** How far the flow is when a chunk has been taken, where that can be known: there segments end, so that a load can go on. */
  readonly mark?: () => FlowMark | undefined;
  /**
   * The staging table has ORIGIN_COLUMNS, and this is the number before its first row; left out where it has not. A
   * load that is resumed numbers on after the rows that do not come by again.
   */
  readonly numberedBehind?: number;
  /** Told of the columns that COPY fills, once the first row is there. */
  readonly onColumns?: (names: readonly string[]) => void;
  /** Bytes of COPY text after which a segment is committed. Two segments are held in memory. */
  readonly segmentBytes?: number;
}

/** One COPY for all rows was not faster than segments of 4 to 64 MB; small ones take the least memory. */
const SEGMENT_BYTES = 8 << 20;

/** How far a segment of so many bytes may grow while it waits for a place that a load could go on from: such come often. */
const overlong = (bytes: number) => Math.max(bytes >> 3, 256 << 10);

/** Rows that come by again are hashed a chunk at a time. */
const REPLAY_BYTES = 1 << 20;

const NUMBERED = Object.values(ORIGIN_COLUMNS);

/** How long a session that is being given up may take to say goodbye. */
const GOODBYE_MS = 2000;

/**
 * A sink that bulk-loads a staging table by COPY. Values that their columns cannot take become rejects,
 * most of them before the server sees them (guards), the rest when the server refuses them; no other row
 * is lost with them. Rows are committed in segments, each a transaction. With `checkpoints` it resumes
 * an earlier load, and throws refused `not_repeatable` where the rows are not those of that one.
 *
 * `discard` breaks the open segment off; segments that were committed stay in staging for whoever owns it
 * to drop or to resume.
 */
export function stagedTable(options: StagedTableOptions): Sink {
  return {
    name: options.liveName,
    writes: 'database',
    async open(run) {
      const client = await untilAborted(options.connect(), run.signal, (late) => late.end());
      const load = new StagedLoad(options, run, client);
      await load.prepare();
      return load;
    },
  };
}

class StagedLoad implements Staging {
  readonly #options: StagedTableOptions;
  readonly #run: Run;
  readonly #client: Client;
  readonly #segmentBytes: number;
  #encoder: Encoder | undefined;
  #target: SegmentTarget | undefined;
  #segment: SegmentLoad | undefined;
  #spare: CopyBuffer | undefined;
  /** The end of the segment before the current one, which goes on while the next chunk is encoded. */
  #ending: Promise<void> = Promise.resolve();
  #done: Progress;
  readonly #replay: Replay | undefined;
  #replayed: CopyBuffer | undefined;
  #lost: Error | undefined;

  constructor(options: StagedTableOptions, run: Run, client: Client) {
    this.#options = options;
    this.#run = run;
    this.#client = client;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    const { checkpoints = [], liveName } = options;
    const { rows, handed, hash } = checkpoints.at(-1) ?? { rows: 0, handed: 0, hash: '' };
    this.#done = { segments: checkpoints.length, rows, handed, hash };
    if (checkpoints.length > 0) this.#replay = new Replay(checkpoints, liveName, options.behind);
    client.on('error', (error) => {
      this.#lost ??= error;
    });
  }

  /** Settings of the session that would spoil a long load. */
  async prepare(): Promise<void> {
    await this.#guarded(
      this.#client.query(
        'SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; ' +
          "SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET client_encoding = 'UTF8'",
      ),
    );
  }

  async write(chunk: Chunk): Promise<void> {
    this.#encoder ??= this.#chooseColumns(chunk[0]);
    if (this.#replay?.done === false) return this.#replayChunk(chunk, this.#encoder, this.#replay);
    this.#segment ??= new SegmentLoad(this.#target as SegmentTarget, this.#freeBuffer());
    const segment = this.#segment;
    this.#encoder.encode(chunk, segment.buffer, this.#reject);
    await this.#guarded(this.#ending.then(() => segment.send()));
    this.#endIfLong(segment.buffer.length);
  }

  /** Ends a segment that is long enough, at the next place that a load could go on from, if one comes soon. */
  #endIfLong(bytes: number): void {
    if (bytes < this.#segmentBytes) return;
    const mark = this.#options.mark?.();
    const waits = this.#options.mark !== undefined && mark === undefined;
    if (!waits || bytes >= this.#segmentBytes + overlong(this.#segmentBytes)) this.#endSegment(mark);
  }

  /** Encodes rows of which the first, or all, are committed already; the rest begins a segment. */
  async #replayChunk(chunk: Chunk, encoder: Encoder, replay: Replay): Promise<void> {
    this.#replayed ??= new CopyBuffer(REPLAY_BYTES);
    const replayed = this.#replayed;
    encoder.encode(chunk, replayed, this.#reject);
    const target = this.#target as SegmentTarget;
    const { row, at } = replay.take(replayed, target.columns, this.#reject);
    if (row < replayed.rows) {
      this.#segment = new SegmentLoad(target, this.#freeBuffer());
      this.#segment.buffer.append(replayed, row, at);
      await this.#guarded(this.#segment.send());
    }
    if (replay.done) this.#replayed = undefined;
    else replayed.clear();
  }

  async close(): Promise<number> {
    this.#replay?.finish();
    this.#endSegment(undefined);
    await this.#guarded(this.#ending);
    await this.#goodbye();
    return this.#done.rows;
  }

  async discard(): Promise<void> {
    const abort = async () => {
      await this.#segment?.abort();
      await this.#ending.catch(() => {});
    };
    await withinTime(abort(), GOODBYE_MS);
    await this.#goodbye();
  }

  readonly #reject = (row: Row, why: Rejection): void => this.#run.reject(row, why);

  #chooseColumns(firstRow: Row | undefined): Encoder {
    const { columns, wanted, liveName, schema, table, onSegment, numberedBehind } = this.#options;
    const chosen = copyColumns({ table: liveName, columns }, wanted, firstRow);
    const names = chosen.map((column) => column.name);
    this.#options.onColumns?.(names);
    this.#target = {
      client: this.#client,
      table: liveName,
      sql: copyStatement(schema, table, numberedBehind === undefined ? names : [...names, ...NUMBERED]),
      columns: names,
      checks: this.#options.checks ?? [],
      onSegment,
      reject: this.#reject,
    };
    const { checkpoints = [], behind = 0 } = this.#options;
    const handed = checkpoints[behind - 1]?.handed ?? 0;
    return copyEncoder(chosen, {
      closed: wanted === undefined,
      ...(numberedBehind === undefined ? {} : { numberedFrom: numberedBehind + handed + 1 }),
    });
  }

  /** There are two buffers: one that the server is still being asked about and one to encode into. */
  #freeBuffer(): CopyBuffer {
    const buffer = this.#spare ?? new CopyBuffer(this.#segmentBytes + (this.#segmentBytes >> 2));
    this.#spare = undefined;
    return buffer;
  }

  #endSegment(mark: FlowMark | undefined): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#segment = undefined;
    this.#ending = this.#ending.then(async () => {
      this.#done = await segment.commit(this.#done, mark);
      segment.buffer.clear();
      this.#spare = segment.buffer;
    });
    // It is awaited by the next call; until then nobody listens.
    this.#ending.catch(() => {});
  }

  async #guarded<T>(promise: Promise<T>): Promise<T> {
    try {
      return await untilAborted(promise, this.#run.signal);
    } catch (error) {
      const state = `${plural(this.#done.rows, 'row')} of staging ${noun(this.#done.rows, 'is', 'are')} committed; live is untouched`;
      throw copyFailure(this.#lost ?? error, this.#options.liveName, state);
    }
  }

  async #goodbye(): Promise<void> {
    if (!(await withinTime(this.#client.end(), GOODBYE_MS))) {
      // A server that does not answer: the socket is ours to close.
      cutOff(this.#client);
    }
  }
}

/** The COPY statement that fills `columns` of `schema.table` from COPY's text format. */
function copyStatement(schema: string, table: string, columns: readonly string[]): string {
  return `COPY ${qualified(schema, table)} (${idents(columns)}) FROM STDIN`;
}

/** Whether `promise` settled, either way, within `milliseconds`. */
async function withinTime(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  try {
    const settled = promise.then(
      () => true,
      () => true,
    );
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
