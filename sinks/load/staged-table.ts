import type { Client } from 'pg';
import type { Checkpoint } from '../../src/core/checkpoint.js';
import type { Chunk, Row } from '../../src/core/row.js';
import type { Rejection, Run } from '../../src/core/run.js';
import type { Sink, Staging } from '../../src/core/types.js';
import { untilAborted } from '../../src/core/until-aborted.js';
import { type Chosen, chooseColumns, type StagingPlace } from './copy/chosen.js';
import { Replay } from './copy/replay.js';
import { rolled } from './copy/rolling-hash.js';
import { SegmentLoad, type Taken } from './copy/segments.js';
import { LoadSession } from './copy/session.js';
import { CopyBuffer } from './encode/copy-buffer.js';

/** What is committed with a segment: the checkpoint, and which segment it is of. */
export interface Segment extends Checkpoint {
  /** 0-based, within this load. */
  readonly number: number;
  /** The line or ordinal that its last row came from, where it has one. */
  readonly position: number | undefined;
}

export interface StagedTableOptions extends StagingPlace {
  /** A session of the sink's own, which the sink ends. */
  connect(): Promise<Client>;
  /** Called inside each segment's transaction before its COMMIT, with what is committed then. */
  readonly onSegment?: (client: Client, segment: Segment) => Promise<void>;
  /**
   * What an earlier attempt has committed, in order: the rows come by again, are compared with it, and only
   * those after the last checkpoint are loaded.
   */
  readonly checkpoints?: readonly Checkpoint[];
  /** Bytes of COPY text after which a segment is committed. Two segments are held in memory. */
  readonly segmentBytes?: number;
}

/** One COPY for all rows was not faster than segments of 4 to 64 MB; small ones take the least memory. */
const SEGMENT_BYTES = 8 << 20;

/** Rows that come by again are hashed a chunk at a time. */
const REPLAY_BYTES = 1 << 20;

const NOTHING: Checkpoint = { rows: 0, handed: 0, hash: '', refused: [] };

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
      return StagedLoad.begin(options, run, client);
    },
  };
}

class StagedLoad implements Staging {
  readonly #options: StagedTableOptions;
  readonly #run: Run;
  #session!: LoadSession;
  readonly #segmentBytes: number;
  #chosen: Chosen | undefined;
  #segment: SegmentLoad | undefined;
  #spare: CopyBuffer | undefined;
  /** The end of the segment before the current one, which goes on while the next chunk is encoded. */
  #ending: Promise<void> = Promise.resolve();
  #segments: number;
  #done: Checkpoint;
  readonly #replay: Replay | undefined;
  #replayed: CopyBuffer | undefined;

  private constructor(options: StagedTableOptions, run: Run) {
    this.#options = options;
    this.#run = run;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    const { checkpoints = [], liveName } = options;
    this.#segments = checkpoints.length;
    this.#done = checkpoints.at(-1) ?? NOTHING;
    if (checkpoints.length > 0) this.#replay = new Replay(checkpoints, liveName);
  }

  static async begin(options: StagedTableOptions, run: Run, client: Client): Promise<StagedLoad> {
    const load = new StagedLoad(options, run);
    load.#session = await LoadSession.begin(client, {
      table: options.liveName,
      signal: run.signal,
      committed: () => load.#done.rows,
    });
    return load;
  }

  async write(chunk: Chunk): Promise<void> {
    this.#chosen ??= chooseColumns(this.#options, chunk[0]);
    const { encoder } = this.#chosen;
    if (this.#replay?.done === false) return this.#replayChunk(chunk, this.#chosen, this.#replay);
    this.#segment ??= this.#newSegment(this.#chosen);
    const segment = this.#segment;
    encoder.encode(chunk, segment.buffer, this.#reject);
    await this.#session.guarded(this.#ending.then(() => segment.send()));
    if (segment.buffer.length >= this.#segmentBytes) this.#endSegment();
  }

  /** Encodes rows of which the first, or all, are committed already; the rest begins a segment. */
  async #replayChunk(chunk: Chunk, chosen: Chosen, replay: Replay): Promise<void> {
    this.#replayed ??= new CopyBuffer(REPLAY_BYTES);
    const replayed = this.#replayed;
    chosen.encoder.encode(chunk, replayed, this.#reject);
    const { row, at } = replay.take(replayed, chosen.names, this.#reject);
    if (row < replayed.rows) {
      this.#segment = this.#newSegment(chosen);
      this.#segment.buffer.append(replayed, row, at);
      await this.#session.guarded(this.#segment.send());
    }
    if (replay.done) this.#replayed = undefined;
    else replayed.clear();
  }

  async close(): Promise<number> {
    this.#replay?.finish();
    this.#endSegment();
    await this.#session.guarded(this.#ending);
    await this.#session.end();
    return this.#done.rows;
  }

  async discard(): Promise<void> {
    await this.#session.discard(async () => {
      await this.#segment?.abort();
      await this.#ending.catch(() => {});
    });
  }

  readonly #reject = (row: Row, why: Rejection): void => this.#run.reject(row, why);

  /** There are two buffers: one that the server is still being asked about and one to encode into. */
  #newSegment({ names, sql }: Chosen): SegmentLoad {
    const buffer = this.#spare ?? new CopyBuffer(this.#segmentBytes + (this.#segmentBytes >> 2));
    this.#spare = undefined;
    return new SegmentLoad(
      {
        client: this.#session.client,
        table: this.#options.liveName,
        sql,
        columns: names,
        checks: this.#options.checks ?? [],
        reject: this.#reject,
      },
      buffer,
    );
  }

  #endSegment(): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#segment = undefined;
    this.#ending = this.#ending.then(() => this.#commit(segment));
    // It is awaited by the next call; until then nobody listens.
    this.#ending.catch(() => {});
  }

  async #commit(segment: SegmentLoad): Promise<void> {
    const { buffer } = segment;
    if (buffer.rows > 0) {
      let after = this.#done;
      await segment.commit(async (client, taken) => {
        after = this.#after(taken);
        const number = this.#segments;
        await this.#options.onSegment?.(client, { ...after, number, position: taken.lastOrigin });
      });
      this.#done = after;
      this.#segments++;
    }
    buffer.clear();
    this.#spare = buffer;
  }

  #after({ handed, rows, digest, refused }: Taken): Checkpoint {
    const { handed: before, rows: had, hash } = this.#done;
    return { handed: before + handed, rows: had + rows, hash: rolled(hash, digest), refused };
  }
}
