import type { Client } from 'pg';
import type { StageAccount } from '../../src/core/accounting.js';
import type { RefusedRow } from '../../src/core/checkpoint.js';
import { loadErrors } from '../../src/core/errors/catalogue/load.js';
import type { TableRuns, TablesStaging } from '../../src/core/part-staging.js';
import type { KnownPart, Part } from '../../src/core/parts.js';
import type { Chunk, Row } from '../../src/core/row.js';
import type { Rejection } from '../../src/core/run.js';
import { untilAborted } from '../../src/core/until-aborted.js';
import { isDataError } from '../../src/db/server-error.js';
import { TO_OUR_PATH } from '../../src/db/users-path.js';
import { type Chosen, chooseColumns, type StagingPlace } from './copy/chosen.js';
import { CopyIn } from './copy/copy-in.js';
import { loadAround } from './copy/repair.js';
import { digestOf } from './copy/rolling-hash.js';
import { BEGIN } from './copy/segments.js';
import { LoadSession } from './copy/session.js';
import { CopyBuffer } from './encode/copy-buffer.js';
import { rowsBeforePart } from './encode/ordinal.js';
import type { PartLaneOptions, PartNote } from './part-lane.js';
import { assertNumbered, compareLoaded, placeOf, withRefused } from './part-note.js';

/** A table of a flow that is loaded in parts. */
export interface LaneTable extends StagingPlace {
  /** The place of its end in the accounts of the flow. */
  readonly account: number;
  /** Called inside each part's transaction before its COMMIT. The first table's note has the accounts of the whole flow. */
  onPart(client: Client, part: PartNote): Promise<void>;
  /** What an earlier attempt has committed of the part that begins there, if it has: it is compared, and not loaded again. */
  known(start: number): KnownPart | undefined;
}

/** Copy text of a table's rows of a part, to begin with. */
const BUFFER_BYTES = 1 << 20;

/** A table of a lane. */
interface Filled {
  readonly table: LaneTable;
  readonly chosen: Chosen;
  readonly runs: TableRuns;
}

/** What a part has given, encoded, each table by its place. */
interface Encoded {
  readonly part: Part;
  readonly buffers: readonly CopyBuffer[];
}

/** What a table has taken of a part. */
interface TakenRows {
  readonly handed: number;
  readonly hash: string;
  readonly rows: number;
  readonly refused: readonly RefusedRow[];
}

/**
 * One lane of several tables that are loaded in parts: a part goes into all of them, one after the other, in one
 * transaction of one session, with a note for each. That goes on while the next part is encoded. Rejects and refused rows
 * are as in `openPartLane`; `hooks` are those of it. Undefined where `connect` gives no session. Throws what `copyColumns` does.
 */
export async function openTablesLane(
  tables: readonly LaneTable[],
  runs: readonly TableRuns[],
  connect: () => Promise<Client | undefined>,
  signal: AbortSignal,
  hooks: Pick<PartLaneOptions, 'committed' | 'unsettled'> = {},
): Promise<TablesStaging | undefined> {
  const filled = tables.map(
    (table, at): Filled => ({ table, chosen: chooseColumns(table, undefined), runs: runs[at] as TableRuns }),
  );
  const client = await untilAborted(connect(), signal, (late) => late?.end());
  if (client === undefined) return undefined;
  let lane: TablesLane | undefined;
  const session = await LoadSession.begin(client, {
    table: tables.map(({ liveName }) => liveName).join(', '),
    signal,
    committed: () => lane?.rows ?? 0,
  });
  lane = new TablesLane(filled, session, hooks);
  return lane;
}

class TablesLane implements TablesStaging {
  /** Rows that are committed. */
  rows = 0;
  #part: Part | undefined;
  #buffers: readonly CopyBuffer[];
  #spare: readonly CopyBuffer[] | undefined;
  #ending: Promise<void> = Promise.resolve();
  #copy: CopyIn | undefined;

  constructor(
    private readonly tables: readonly Filled[],
    private readonly session: LoadSession,
    private readonly hooks: Pick<PartLaneOptions, 'committed' | 'unsettled'>,
  ) {
    this.#buffers = this.#newBuffers();
  }

  begin(part: Part): void {
    this.#part = part;
    for (const { table, chosen } of this.tables)
      chosen.encoder.numberFrom((table.numberedBehind ?? 0) + rowsBeforePart(part.start) + 1);
  }

  write(table: number, chunk: Chunk): void {
    const { chosen, runs } = this.tables[table] as Filled;
    chosen.encoder.encode(chunk, this.#buffers[table] as CopyBuffer, (row, why) => runs.run.reject(row, why));
  }

  async endPart(stages: readonly StageAccount[], note: unknown): Promise<void> {
    const encoded: Encoded = { part: this.#part as Part, buffers: this.#buffers };
    for (const [at, { table }] of this.tables.entries())
      if (table.numberedBehind !== undefined) assertNumbered(encoded.part, encoded.buffers[at]?.rows ?? 0);
    const known = this.tables.map(({ table }) => table.known(encoded.part.start));
    await this.session.guarded(this.#ending);
    this.#buffers = this.#spare ?? this.#newBuffers();
    this.#spare = undefined;
    this.#ending = known.every((each) => each !== undefined)
      ? this.#compare(encoded, known)
      : this.#commit(encoded, stages, note);
    // It is awaited by the next call; until then nobody listens.
    this.#ending.catch(() => this.hooks.unsettled?.());
  }

  async close(): Promise<void> {
    await this.session.guarded(this.#ending);
    await this.session.end();
  }

  async discard(): Promise<void> {
    await this.session.discard(async () => {
      await this.#copy?.abort();
      await this.#ending.catch(() => {});
    });
  }

  #newBuffers(): readonly CopyBuffer[] {
    return this.tables.map(() => new CopyBuffer(BUFFER_BYTES));
  }

  async #commit({ part, buffers }: Encoded, stages: readonly StageAccount[], note: unknown): Promise<void> {
    const { client } = this.session;
    const before = buffers.map((buffer) => ({
      handed: buffer.rows,
      hash: digestOf(buffer.view()).toString('hex'),
    }));
    await client.query(BEGIN);
    const filled = (await this.#copyAll(buffers)) ?? (await this.#copyAround(buffers));
    const taken = before.map(
      (each, at): TakenRows => ({ ...each, ...(filled[at] as (typeof filled)[number]) }),
    );
    for (const [at, { rows }] of taken.entries()) {
      const { table } = this.tables[at] as Filled;
      if (rows !== buffers[at]?.rows)
        throw loadErrors.row_count_differs({
          table: table.liveName,
          took: rows,
          rows: buffers[at]?.rows ?? 0,
        });
    }
    await client.query(TO_OUR_PATH);
    const refusedAt = new Map(
      taken.map(({ refused }, at) => [(this.tables[at] as Filled).table.account, refused]),
    );
    const whole = stages.map((account, at) => withRefused(account, refusedAt.get(at) ?? []));
    for (const [at, { table }] of this.tables.entries()) {
      await table.onPart(client, {
        ...placeOf(part),
        ...(taken[at] as TakenRows),
        raw: false,
        stages: at === 0 ? whole : [],
        ...(note === undefined ? {} : { note }),
      });
    }
    await client.query('COMMIT');
    this.hooks.committed?.();
    this.rows += taken.reduce((rows, each) => rows + each.rows, 0);
    this.#free(buffers);
  }

  /** Copies all rows; undefined where the server refuses one, and nothing of the part is there. */
  async #copyAll(buffers: readonly CopyBuffer[]) {
    const { client } = this.session;
    const filled: Pick<TakenRows, 'rows' | 'refused'>[] = [];
    try {
      for (const [at, { chosen }] of this.tables.entries()) {
        const buffer = buffers[at] as CopyBuffer;
        let rows = 0;
        if (buffer.rows > 0) {
          this.#copy = new CopyIn(client, chosen.sql);
          await this.#copy.write(buffer.view());
          rows = await this.#copy.finish();
        }
        filled.push({ rows, refused: [] });
      }
      return filled;
    } catch (error) {
      if (!isDataError(error)) throw error;
      await client.query('ROLLBACK');
      return undefined;
    }
  }

  /** Copies all rows but those that the server refuses, in a transaction of its own. */
  async #copyAround(buffers: readonly CopyBuffer[]) {
    const { client } = this.session;
    await client.query(BEGIN);
    const filled: Pick<TakenRows, 'rows' | 'refused'>[] = [];
    for (const [at, { table, chosen, runs }] of this.tables.entries()) {
      const refused: RefusedRow[] = [];
      const reject = (row: Row, why: Rejection, index: number) => {
        refused.push({ index, why });
        runs.refused.reject(row, why);
      };
      const buffer = buffers[at] as CopyBuffer;
      const rows =
        buffer.rows === 0
          ? 0
          : await loadAround(client, chosen.sql, buffer, chosen.names, table.checks ?? [], reject);
      filled.push({ rows, refused });
    }
    return filled;
  }

  /** That the rows are those that were loaded; of these the ones that the server refused are refused again. */
  async #compare({ buffers }: Encoded, known: readonly KnownPart[]): Promise<void> {
    for (const [at, { table, chosen, runs }] of this.tables.entries()) {
      compareLoaded(buffers[at] as CopyBuffer, known[at] as KnownPart, {
        liveName: table.liveName,
        names: chosen.names,
        reject: (row, why) => runs.refused.reject(row, why),
      });
    }
    this.#free(buffers);
  }

  #free(buffers: readonly CopyBuffer[]): void {
    for (const buffer of buffers) buffer.clear();
    this.#spare = buffers;
  }
}
