import type { FlowAccount, StageAccount } from '../../core/accounting.js';
import type { FlowPlan } from '../../core/flow.js';
import type { KeptRecords } from '../../core/pipeline.js';
import { applyLate, lateTable, lateTableSql, skipUntold, workTablesSql } from '../../db/ledger/records.js';
import type { RunOptions } from '../given/options.js';
import type { Columns } from '../given/tables.js';
import { RecordBuffer } from './buffer.js';
import { kindsOfFlows, type RecordSources, type RunInputs, type TrackedKind, trackedKinds } from './kinds.js';
import { RecordTracker } from './tracker.js';

/** What of a run its records need. */
interface RecordedRun extends RecordSources, RunInputs {
  readonly options: Pick<RunOptions, 'database' | 'log'>;
  /** Undefined in a dry run, which keeps none. */
  readonly batch: string | undefined;
  readonly names: { readonly staging: string };
  readonly kept: KeptRecords;
}

/** The records of a run while it loads: a tracker for each flow that has some. */
export class Records {
  readonly #book: RecordBuffer;
  readonly #trackers: readonly (RecordTracker | undefined)[];
  #finished = false;

  private constructor(
    private readonly job: RecordedRun,
    kinds: readonly (TrackedKind | undefined)[],
    readonly kept: Exclude<KeptRecords, 'none'>,
  ) {
    this.#book = new RecordBuffer(job.options.database, job.batch as string, job.names.staging, job.masking);
    this.#trackers = kinds.map((kind) =>
      kind === undefined ? undefined : new RecordTracker(kind, this.#book, kept),
    );
  }

  /** For a load that is about to begin; undefined where no records are kept. Makes the work tables that it needs. */
  static async begin(
    job: RecordedRun,
    flows: readonly FlowPlan[],
    columns: Columns,
  ): Promise<Records | undefined> {
    const { kept } = job;
    if (kept === 'none' || job.batch === undefined) return undefined;
    const kinds = kindsOfFlows(job, flows, trackedKinds(job, columns));
    if (kinds.every((kind) => kind === undefined)) return undefined;
    if (kept === 'all') await job.options.database.query(workTablesSql(job.names.staging));
    return new Records(job, kinds, kept);
  }

  /** The tracker of the flow at `at`. */
  of(at: number): RecordTracker | undefined {
    return this.#trackers[at];
  }

  /** Waits where too much waits to be written. */
  flushSome(): Promise<void> | undefined {
    return this.#book.flushSome();
  }

  /** The load is complete: every record says what is known of it, and is stored. */
  async finish(accounts: readonly FlowAccount[]): Promise<void> {
    const { database } = this.job.options;
    const { batch, names } = this.job;
    const untold: [string, string][] = [];
    for (const [at, tracker] of this.#trackers.entries()) {
      const account = accounts[at];
      if (tracker === undefined || account === undefined) continue;
      const reason = onlyReason(account);
      if (tracker.finish(reason)) untold.push([tracker.kind.input, reason]);
    }
    await this.#book.flush();
    this.#finished = true;
    if (this.kept !== 'all') return;
    await applyLate(database, batch as string, names.staging);
    for (const [input, reason] of untold) await skipUntold(database, batch as string, input, reason);
    await database.query(`DROP TABLE IF EXISTS ${lateTable(names.staging)}`);
  }

  /**
   * Rows of the complete load were rejected after all: their records say so. Call beginAgain before the first of them
   * is rejected.
   */
  async finishAgain(): Promise<void> {
    const { database } = this.job.options;
    const { batch, names } = this.job;
    await this.#book.flush();
    this.#finished = true;
    if (this.kept !== 'all') return;
    await applyLate(database, batch as string, names.staging);
    await database.query(`DROP TABLE IF EXISTS ${lateTable(names.staging)}`);
  }

  /** Rows of the complete load are going to be rejected. */
  async beginAgain(): Promise<void> {
    if (!this.#finished || this.kept !== 'all') return;
    this.#finished = false;
    await this.job.options.database.query(lateTableSql(this.job.names.staging));
  }

  /** The load broke off: what is known is stored as far as that can be done. Does not throw. */
  async giveUp(): Promise<void> {
    if (this.#finished) return;
    try {
      for (const tracker of this.#trackers) tracker?.giveUp();
      await this.#book.flush();
      if (this.kept === 'all')
        await applyLate(this.job.options.database, this.job.batch as string, this.job.names.staging);
    } catch (error) {
      this.job.options.log.error('the last records could not be stored', { error: String(error) });
    }
  }

  /** Ends the sessions. */
  close(): Promise<void> {
    return this.#book.close();
  }
}

/** Why rows went nowhere, where the stages have named one reason only. */
function onlyReason({ stages }: FlowAccount): string {
  const reasons = new Set(
    stages.flatMap(({ skipped, merged }: StageAccount) => [...Object.keys(skipped), ...Object.keys(merged)]),
  );
  const [only] = reasons;
  return reasons.size === 1 && only !== undefined
    ? only.replaceAll('_', ' ')
    : 'left out by a stage, or part of another row';
}
