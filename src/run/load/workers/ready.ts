import { hostname } from 'node:os';
import type { TakenPart } from '../../../cluster/works.js';
import type { StoredReject } from '../../../core/stored-reject.js';
import type { Source } from '../../../core/types.js';
import type { PgDatabase } from '../../../db/connect.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { rerun } from '../../given/next-command.js';
import { assertSameInputs, recordInputs } from '../../inputs/fingerprint.js';
import { Apart, type ApartTask } from '../apart.js';
import type { Around, MadeAgain } from '../threads/serve.js';
import { EndRows } from './end-rows.js';
import { fencedNoter } from './fence.js';
import { PartLine } from './part-line.js';

/** What a worker is told of a flow. Plain data. */
export interface WorkerTask extends ApartTask {
  /** The code of the batch, as it was when the part was handed over. */
  readonly code: string | undefined;
  /** What is read besides is read of this snapshot, which the host holds that began the batch. */
  readonly snapshot?: string;
}

/** How long a line waits for a next part with its sessions open. */
const IDLE_MS = 1_000;

/** The part under way, and what is known of it. */
interface UnderWay {
  readonly begun: number;
  readonly tries: number;
  rows: number;
}

/** A pipeline that was made again for one batch, and loads one of its parts at a time. */
export class ReadyBatch {
  /** The rejects of the part under way, and its rows for ends that are no tables. */
  readonly #rejects: StoredReject[];
  readonly #ends = new EndRows();
  #line: { readonly flow: number; readonly line: PartLine } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #part: UnderWay = { begun: 0, tries: 1, rows: 0 };

  private constructor(
    private readonly apart: Apart,
    private readonly again: MadeAgain,
    private readonly database: PgDatabase,
    rejects: StoredReject[],
  ) {
    this.#rejects = rejects;
  }

  /**
   * Makes the pipeline of `batch` again by `make`, in sessions of its own, and compares it and its inputs with those that the
   * batch began with. Throws what making it throws, refused `other_code` and `input_changed`.
   */
  static async open(
    batch: Batch,
    snapshot: string | undefined,
    around: Around,
    make: (batch: Batch, around: Around) => Promise<MadeAgain>,
  ): Promise<ReadyBatch> {
    const database = around.database.sibling();
    if (snapshot !== undefined) database.borrowSnapshot(async () => snapshot);
    let again: MadeAgain | undefined;
    try {
      again = await make(batch, { ...around, database });
      const rejects: StoredReject[] = [];
      const apart = await apartOf(batch, again, { ...around, database }, rejects);
      return new ReadyBatch(apart, again, database, rejects);
    } catch (error) {
      await again?.release().catch(() => {});
      await database.close().catch(() => {});
      throw error;
    }
  }

  /** Loads a part of the flow; how many rows it had. Throws what keeps it from it: it is of no further use then. */
  async load(flow: number, { place, task, tries }: TakenPart, signal: AbortSignal): Promise<number> {
    const part = { begun: performance.now(), tries, rows: 0 };
    this.#part = part;
    this.#rejects.length = 0;
    this.#ends.clear();
    clearTimeout(this.#idle);
    if (this.#line !== undefined && (this.#line.flow !== flow || this.#line.line.over)) {
      await this.#line.line.close();
      this.#line = undefined;
    }
    this.#line ??= { flow, line: this.#newLine(flow, task as WorkerTask) };
    const { line } = this.#line;
    await line.load(place, AbortSignal.any([signal, this.apart.job.signal]));
    this.#idle = setTimeout(() => void line.close(), IDLE_MS);
    this.#idle.unref();
    return part.rows;
  }

  /** Lets go of everything; never throws. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#line?.line.close();
    await this.apart.job.clear().catch(() => {});
    await this.again.release().catch(() => {});
    await this.database.close().catch(() => {});
  }

  #newLine(flow: number, task: WorkerTask): PartLine {
    const { job } = this.apart;
    const ends = this.#ends;
    const noter = fencedNoter({
      take: () => this.#rejects.splice(0),
      by: () => {
        const { begun, tries } = this.#part;
        return { host: hostname(), tookMs: performance.now() - begun, tries };
      },
      ends,
    });
    return new PartLine((parts, hooks, signal) =>
      this.apart.load(task, parts, {
        hooks,
        signal,
        purpose: 'worker',
        known: () => undefined,
        open: (branch) => ends.open(branch),
        runFor: (counter, input, its, lane) => job.runAt({ counter, input, signal: its, flow, lane }),
        noter: (...at) => {
          const note = noter(...at);
          return async (client, noted) => {
            await note(client, noted);
            this.#part.rows += noted.rows;
          };
        },
      }),
    );
  }
}

async function apartOf(
  batch: Batch,
  again: MadeAgain,
  { database, log, signal }: Around & { readonly database: PgDatabase },
  rejects: StoredReject[],
): Promise<Apart> {
  const { manifest } = batch;
  const all = { ...again.pipeline.inputs, ...again.inputs };
  const inputs = Object.fromEntries(
    Object.entries(all).map(([name, source]) => [name, called(source, manifest?.inputs[name]?.label)]),
  );
  const apart = await Apart.open(
    again.pipeline,
    {
      batch: batch.id,
      begunAt: batch.created_at,
      code: manifest?.code ?? '',
      settings: batch.settings,
      ...(manifest?.fills === undefined || again.pipeline.fills === undefined
        ? {}
        : { fills: manifest.fills }),
      noSourceData: manifest?.noSourceData === true,
      stopOnError: manifest?.stopOnError === true,
    },
    {
      database,
      from: again.from,
      inputs,
      log,
      signal,
      records: 'none',
      rejectsTo: async (more) => void rejects.push(...more),
    },
  );
  const { job } = apart;
  try {
    job.state.manifest = manifest ?? undefined;
    const now = await recordInputs(job.inputs, inputs, job.checkRun());
    assertSameInputs(manifest?.inputs ?? {}, now, rerun(batch));
    return apart;
  } catch (error) {
    await job.clear().catch(() => {});
    throw error;
  }
}

/** A file by the name that the batch's rejects and accounts call it: its path may have been another there. */
function called(source: Source, label: string | undefined): Source {
  if (label === undefined || source.kind !== 'file') return source;
  return { ...source, name: label, path: source.path ?? source.name };
}
