import type { QueuedPart } from '../../../cluster/queue.js';
import type { TakenPart } from '../../../cluster/works.js';
import { clusterErrors } from '../../../core/errors/catalogue/cluster.js';
import { isError } from '../../../core/errors/is-error.js';
import { SluiceError } from '../../../core/errors/sluice-error.js';
import { isOutOfReach } from '../../../db/connection-error.js';
import { type Batch, findBatch } from '../../../db/ledger/batches.js';
import type { Around, MadeAgain } from '../threads/serve.js';
import { ReadyBatch, type WorkerTask } from './ready.js';

/** How long a pipeline is kept for a next part of its batch. */
const KEPT_MS = 20_000;

/** Pipelines of one kind that wait for a part, each with what ends the wait. */
type Free = { readonly ready: ReadyBatch; readonly timer: NodeJS.Timeout }[];

/** Loads parts of any batch whose pipeline it may run, one after the other or several at once. */
export class PartServer {
  readonly #free = new Map<string, Free>();

  constructor(
    private readonly around: Around,
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

  async #load({ batch, flow }: QueuedPart, taken: TakenPart, signal: AbortSignal): Promise<number> {
    const { code, snapshot } = taken.task as WorkerTask;
    const key = `${batch} ${code} ${snapshot}`;
    const ready = this.#take(key) ?? (await this.#open(batch, snapshot));
    let rows: number;
    try {
      rows = await ready.load(flow, taken, signal);
    } catch (error) {
      await ready.close();
      throw error;
    }
    this.#keep(key, ready);
    return rows;
  }

  /** Lets go of all pipelines. */
  async close(): Promise<void> {
    const all = [...this.#free.values()].flat();
    this.#free.clear();
    for (const { timer } of all) clearTimeout(timer);
    await Promise.all(all.map(({ ready }) => ready.close()));
  }

  async #open(id: string, snapshot: string | undefined): Promise<ReadyBatch> {
    const batch = await findBatch(this.around.database, id);
    if (batch.status !== 'running')
      throw clusterErrors.part_closed({ batch: id, why: `it is ${batch.status}` });
    return ReadyBatch.open(batch, snapshot, this.around, this.make);
  }

  #take(key: string): ReadyBatch | undefined {
    const free = this.#free.get(key)?.pop();
    clearTimeout(free?.timer);
    return free?.ready;
  }

  #keep(key: string, ready: ReadyBatch): void {
    const free = this.#free.get(key) ?? [];
    const timer = setTimeout(() => {
      const left = free.filter((each) => each.ready !== ready);
      free.splice(0, free.length, ...left);
      if (free.length === 0) this.#free.delete(key);
      void ready.close();
    }, KEPT_MS);
    timer.unref();
    free.push({ ready, timer });
    this.#free.set(key, free);
  }
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
