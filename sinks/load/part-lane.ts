import type { Client } from 'pg';
import type { StageAccount } from '../../src/core/accounting.js';
import { loadErrors } from '../../src/core/errors/catalogue/load.js';
import type { PartStaging } from '../../src/core/part-staging.js';
import type { CsvText, KnownPart, Part, TextPart } from '../../src/core/parts.js';
import type { Chunk, Row } from '../../src/core/row.js';
import type { Rejection, Run } from '../../src/core/run.js';
import { untilAborted } from '../../src/core/until-aborted.js';
import { type Chosen, chooseColumns, type StagingPlace } from './copy/chosen.js';
import { RawCopy } from './copy/raw-part.js';
import { SegmentLoad, type Taken } from './copy/segments.js';
import { LoadSession } from './copy/session.js';
import { CopyBuffer } from './encode/copy-buffer.js';
import { rowsBeforePart } from './encode/ordinal.js';
import { assertNumbered, compareLoaded, placeOf, withRefused } from './part-note.js';

/** A part as it is noted; its input's columns are for whoever notes it to add. */
export type PartNote = Omit<KnownPart, 'columns'>;

export interface PartLaneOptions extends StagingPlace {
  /** A session of the lane's own, which the lane ends; undefined where there is none left. */
  connect(): Promise<Client | undefined>;
  /** Called inside each part's transaction before its COMMIT. */
  onPart(client: Client, part: PartNote): Promise<void>;
  /** What an earlier attempt has committed of the part that begins there, if it has: it is compared, and not loaded again. */
  known(start: number): KnownPart | undefined;
  /** Told of each part whose transaction is committed. */
  committed?(): void;
  /**
   * Told of each part of which something is left to be done when the next one is asked for, and not before: its text is not
   * taken as it is, so that its rows have to be read; or it has failed, and that is thrown then.
   */
  unsettled?(): void;
}

/** Copy text of a part of 4 MB, to begin with. */
const BUFFER_BYTES = 5 << 20;

/**
 * One lane of a table that is loaded in parts: each in one transaction with its note. Rejects and refused rows are as in
 * `stagedTable`. The end of a part goes on while the next one is encoded. `run` is told of rows that the columns cannot
 * take, `refused` of those that the server refuses. Undefined where there is no session for it. Throws what `copyColumns`
 * does.
 */
export async function openPartLane(
  options: PartLaneOptions,
  run: Run,
  refused: Run,
): Promise<PartStaging | undefined> {
  const chosen = chooseColumns(options, undefined);
  const client = await untilAborted(options.connect(), run.signal, (late) => late?.end());
  if (client === undefined) return undefined;
  let lane: PartLane | undefined;
  const session = await LoadSession.begin(client, {
    table: options.liveName,
    signal: run.signal,
    committed: () => lane?.rows ?? 0,
  });
  lane = new PartLane(options, chosen, session, run, refused);
  return lane;
}

class PartLane implements PartStaging {
  /** Rows that are committed. */
  rows = 0;
  readonly #raw: RawCopy;
  #segment: SegmentLoad | undefined;
  #part: Part | undefined;
  /** The part under way is loaded already: its rows are compared. */
  #known: KnownPart | undefined;
  #spare: CopyBuffer | undefined;
  #ending: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: PartLaneOptions,
    private readonly chosen: Chosen,
    private readonly session: LoadSession,
    private readonly run: Run,
    private readonly refused: Run,
  ) {
    this.#raw = new RawCopy(options, chosen, session.client);
  }

  async raw(
    part: TextPart,
    csv: CsvText,
    stages: (rows: number) => readonly StageAccount[],
  ): Promise<number | undefined> {
    const rows = await this.#taken(part, csv, stages);
    if (rows === undefined) this.options.unsettled?.();
    return rows;
  }

  async #taken(
    part: TextPart,
    csv: CsvText,
    stages: (rows: number) => readonly StageAccount[],
  ): Promise<number | undefined> {
    const known = this.options.known(part.start);
    if (known?.raw === false) return undefined;
    const prepared = this.#raw.prepare(part, csv);
    if (prepared === undefined) return undefined;
    if (known !== undefined) return known.hash === prepared.hash ? prepared.rows : undefined;
    const load = this.#ending.then(() =>
      this.#raw.load(prepared, (client, rows, hash) =>
        this.options.onPart(client, {
          ...placeOf(part),
          handed: rows,
          rows,
          hash,
          raw: true,
          refused: [],
          stages: stages(rows),
        }),
      ),
    );
    this.#ending = load.then((rows) => {
      if (rows !== undefined) this.options.committed?.();
      this.rows += rows ?? 0;
    });
    this.#ending.catch(() => this.options.unsettled?.());
    return this.session.guarded(load);
  }

  begin(part: Part): void {
    this.#part = part;
    this.#known = this.options.known(part.start);
    if (this.#known?.raw === true) throw this.#differs('its text went to the server as it was');
    this.chosen.encoder.numberFrom((this.options.numberedBehind ?? 0) + rowsBeforePart(part.start) + 1);
  }

  async write(chunk: Chunk): Promise<void> {
    const segment = this.#current();
    this.chosen.encoder.encode(chunk, segment.buffer, this.#reject);
    if (this.#known === undefined) await this.session.guarded(this.#ending.then(() => segment.send()));
  }

  async endPart(stages: readonly StageAccount[], note: unknown): Promise<void> {
    // Of a part without a row nothing is copied, and that it is read is noted all the same.
    const segment = this.#current();
    const part = this.#part as Part;
    const known = this.#known;
    this.#segment = undefined;
    if (this.options.numberedBehind !== undefined) assertNumbered(part, segment.buffer.rows);
    await this.session.guarded(this.#ending);
    this.#ending =
      known === undefined ? this.#commit(segment, part, stages, note) : this.#compare(segment, known);
    // It is awaited by the next call; until then nobody listens.
    this.#ending.catch(() => this.options.unsettled?.());
  }

  async close(): Promise<void> {
    await this.session.guarded(this.#ending);
    await this.session.end();
  }

  async discard(): Promise<void> {
    await this.session.discard(async () => {
      await this.#raw.abort();
      await this.#segment?.abort();
      await this.#ending.catch(() => {});
    });
  }

  readonly #reject = (row: Row, why: Rejection): void => this.run.reject(row, why);

  /** The segment of the part under way. */
  #current(): SegmentLoad {
    if (this.#segment !== undefined) return this.#segment;
    const buffer = this.#spare ?? new CopyBuffer(BUFFER_BYTES);
    this.#spare = undefined;
    const { liveName, checks = [] } = this.options;
    const { sql, names } = this.chosen;
    const reject = (row: Row, why: Rejection) => this.refused.reject(row, why);
    const target = { client: this.session.client, table: liveName, sql, columns: names, checks, reject };
    this.#segment = new SegmentLoad(target, buffer);
    return this.#segment;
  }

  async #commit(
    segment: SegmentLoad,
    part: Part,
    stages: readonly StageAccount[],
    note: unknown,
  ): Promise<void> {
    const rows = await segment.commit((client, taken: Taken) =>
      this.options.onPart(client, {
        ...placeOf(part),
        handed: taken.handed,
        rows: taken.rows,
        hash: taken.digest.toString('hex'),
        raw: false,
        refused: taken.refused,
        stages: stages.map((each, at) =>
          at === stages.length - 1 ? withRefused(each, taken.refused) : each,
        ),
        ...(note === undefined ? {} : { note }),
      }),
    );
    this.options.committed?.();
    this.rows += rows;
    this.#free(segment);
  }

  /** That the rows are those that were loaded; of these the ones that the server refused are refused again. */
  async #compare(segment: SegmentLoad, known: KnownPart): Promise<void> {
    compareLoaded(segment.buffer, known, {
      liveName: this.options.liveName,
      names: this.chosen.names,
      reject: (row, why) => this.refused.reject(row, why),
    });
    this.#free(segment);
  }

  #free({ buffer }: SegmentLoad): void {
    buffer.clear();
    this.#spare = buffer;
  }

  #differs(how: string) {
    return loadErrors.not_repeatable.rows({ table: this.options.liveName, how });
  }
}
