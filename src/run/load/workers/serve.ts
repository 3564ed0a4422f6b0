import { hostname } from 'node:os';
import type { QueuedPart } from '../../../cluster/queue.js';
import type { TakenPart } from '../../../cluster/works.js';
import { clusterErrors } from '../../../core/errors/catalogue/cluster.js';
import { isError } from '../../../core/errors/is-error.js';
import { SluiceError } from '../../../core/errors/sluice-error.js';
import type { Part, PartPlace, PartReader } from '../../../core/parts.js';
import type { Log } from '../../../core/run.js';
import type { StoredReject } from '../../../core/stored-reject.js';
import type { Source } from '../../../core/types.js';
import type { PgDatabase } from '../../../db/connect.js';
import { isOutOfReach } from '../../../db/connection-error.js';
import { type Batch, findBatch } from '../../../db/ledger/batches.js';
import { rerun } from '../../given/next-command.js';
import { assertSameInputs, recordInputs } from '../../inputs/fingerprint.js';
import { Apart, type ApartTask } from '../apart.js';
import type { Around, MadeAgain } from '../threads/serve.js';
import { EndRows } from './end-rows.js';
import { fencedNoter } from './fence.js';

/** What a worker is told of a flow. Plain data. */
export interface WorkerTask extends ApartTask {
  /** What is read besides is read of this snapshot, which the host holds that began the batch. */
  readonly snapshot?: string;
}

/** A pipeline that is ready for parts of one batch, one at a time. */
interface Ready {
  readonly apart: Apart;
  readonly again: MadeAgain;
  /** The rejects of the part under way. */
  readonly rejects: StoredReject[];
  readonly ends: EndRows;
  /** Its sessions, which share the batch's snapshot. */
  readonly database: PgDatabase;
}

/** Loads parts of any batch whose pipeline it may run, one after the other or several at once. */
export class PartServer {
  readonly #free = new Map<string, Ready[]>();
  readonly #all: Ready[] = [];

  constructor(
    private readonly around: {
      readonly database: PgDatabase;
      readonly log: Log;
      readonly signal: AbortSignal;
    },
    /** Makes a batch's pipeline again; throws where it may not run it. */
    private readonly make: (batch: Batch, around: Around) => Promise<MadeAgain>,
  ) {}

  /** Loads a part; how many rows it had. Throws what keeps it from it; `judged` says what that means. */
  async load(part: QueuedPart, taken: TakenPart, signal: AbortSignal): Promise<number> {
    try {
      return await this.#load(part, taken, signal);
    } catch (error) {
      // The next part is not to find the session that this one has lost.
      if (isOutOfReach(error)) await this.around.database.recover();
      throw error;
    }
  }

  async #load(part: QueuedPart, { place, task, tries }: TakenPart, signal: AbortSignal): Promise<number> {
    const begun = performance.now();
    const { database } = this.around;
    const batch = await findBatch(database, part.batch);
    if (batch.status !== 'running')
      throw clusterErrors.part_closed({ batch: batch.id, why: `it is ${batch.status}` });
    const { snapshot } = task as WorkerTask;
    const key = `${batch.id} ${batch.manifest?.code} ${snapshot}`;
    const ready = this.#free.get(key)?.pop() ?? (await this.#open(batch, snapshot));
    const { apart, rejects, ends } = ready;
    const { job } = apart;
    rejects.length = 0;
    ends.clear();
    let rows = 0;
    const noter = fencedNoter({
      take: () => rejects.splice(0),
      by: () => ({ host: hostname(), tookMs: performance.now() - begun, tries }),
      ends,
    });
    await apart.load(task as ApartTask, (reader) => onePart(reader, place), {
      signal: AbortSignal.any([signal, job.signal]),
      purpose: 'worker',
      known: () => undefined,
      open: (branch) => ends.open(branch),
      runFor: (counter, input, its, lane) =>
        job.runAt({ counter, input, signal: its, flow: part.flow, lane }),
      noter: (...at) => {
        const note = noter(...at);
        return async (client, noted) => {
          await note(client, noted);
          rows = noted.rows;
        };
      },
    });
    this.#free.set(key, [...(this.#free.get(key) ?? []), ready]);
    return rows;
  }

  /** Lets go of all pipelines. */
  async close(): Promise<void> {
    for (const { apart, again, database } of this.#all) {
      await apart.job.clear().catch(() => {});
      await again.release().catch(() => {});
      await database.close().catch(() => {});
    }
  }

  async #open(batch: Batch, snapshot: string | undefined): Promise<Ready> {
    const database = this.around.database.sibling();
    if (snapshot !== undefined) database.borrowSnapshot(async () => snapshot);
    try {
      return await this.#openIn(database, batch);
    } catch (error) {
      await database.close().catch(() => {});
      throw error;
    }
  }

  async #openIn(database: PgDatabase, batch: Batch): Promise<Ready> {
    const { log, signal } = this.around;
    const again = await this.make(batch, { ...this.around, database });
    const rejects: StoredReject[] = [];
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
    job.state.manifest = manifest ?? undefined;
    const now = await recordInputs(job.inputs, inputs, job.checkRun());
    assertSameInputs(manifest?.inputs ?? {}, now, rerun(batch));
    const ready = { apart, again, rejects, ends: new EndRows(), database };
    this.#all.push(ready);
    return ready;
  }
}

/** A file by the name that the batch's rejects and accounts call it: its path may have been another there. */
function called(source: Source, label: string | undefined): Source {
  if (label === undefined || source.kind !== 'file') return source;
  return { ...source, name: label, path: source.path ?? source.name };
}

/** The part at a place, and nothing else. */
async function* onePart(reader: PartReader, place: PartPlace): AsyncGenerator<Part, void> {
  yield await reader.part(place);
}

/** What an error of `load` means to the part. */
export function judged(error: unknown): 'done' | 'left' | 'again' | 'failed' {
  if (isError(error, 'part_done', 'part_closed', 'no_such_batch')) return 'done';
  if (isError(error, 'other_code', 'input_changed', 'part_out_of_reach', 'file_not_found', 'no_permission'))
    return 'left';
  if (isError(error, 'no_such_pipeline')) return 'left';
  if (isOutOfReach(error) || (error instanceof SluiceError && error.kind === 'interrupted')) return 'again';
  return 'failed';
}
