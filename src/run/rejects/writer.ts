import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { originOf, type Row } from '../../core/row.js';
import type { Rejection } from '../../core/run.js';
import type { StoredReject } from '../../core/stored-reject.js';
import type { PgDatabase } from '../../db/connect.js';
import { storeRejects } from '../../db/ledger/rejects.js';
import { isConnectionLoss } from '../../db/server-error.js';
import { writerSession } from '../given/load-session.js';
import { Masking } from '../given/masking.js';
import { allowedRejects, type RejectLimit } from '../given/reject-limit.js';
import type { InputRows } from '../inputs/recent-rows.js';
import type { RecordTracker } from '../records/tracker.js';
import type { RejectSpool } from '../resubmit/reject-files.js';
import { FrequentErrors } from './frequent-errors.js';
import { toStored } from './stored-reject.js';

/** How many rejects are stored or shown in full; beyond it they are counted only. */
const KEPT_REJECTS = 100_000;
/** Stored together once so many wait. */
const BATCHED = 500;
/** How often storing is tried, each time on a new session. */
const ATTEMPTS = 4;

export interface RejectWriterOptions {
  readonly stopOnError: boolean;
  readonly firstShown: number;
  readonly masking?: Masking;
  /** The reject that a row at a line of an input was before it was corrected. */
  readonly resubmits?: (input: string, line: number | null) => StoredReject['resubmits'];
  /** Given the rejects as well: they are to be written to files, and there is no batch that keeps them. */
  readonly spool?: RejectSpool;
  /** Given all rejects in place of the ledger: by whom the run is that they are of. Resolves when they are stored. */
  readonly handTo?: (rejects: readonly StoredReject[]) => Promise<void>;
  /** The records that the inputs gave last, by the input's name. */
  readonly records?: ReadonlyMap<string, InputRows>;
}

/**
 * Collects the rows set aside by a run: counts all, keeps the first 100,000, and stores them in the
 * ledger by the hundred through a session of its own, so that a failed batch still has them. Its owner
 * awaits `flushSome` between chunks, which bounds what waits in memory, and closes it.
 */
export class RejectWriter {
  #waiting: StoredReject[] = [];
  readonly #first: StoredReject[] = [];
  #count = 0;
  /** The number of the last one. */
  #number = 0;
  readonly #places = new Map<string, { readonly input: string; readonly stage: string }>();
  /** The errors by reason and column, with an example of each. */
  readonly frequent = new FrequentErrors();
  #storing: Promise<void> | undefined;
  #client: Client | undefined;
  readonly #masking: Masking;

  constructor(
    private readonly database: Pick<PgDatabase, 'connect'>,
    /** Undefined in a dry run: nothing is stored in the ledger. */
    private readonly batch: string | undefined,
    private readonly options: RejectWriterOptions,
  ) {
    this.#masking = options.masking ?? new Masking();
  }

  /** All rejects so far. */
  get count(): number {
    return this.#count;
  }

  /** Where rejects were met: the inputs and stages that there are. */
  get places(): readonly { readonly input: string; readonly stage: string }[] {
    return [...this.#places.values()];
  }

  /** The first few, for showing. */
  get first(): readonly StoredReject[] {
    return this.#first;
  }

  /** Counts what an earlier attempt at the batch has stored, of rows that are not read again. */
  takeOver(stored: readonly StoredReject[]): void {
    for (const reject of stored) {
      const { reason, column_name: column, number, input, stage } = reject;
      this.#places.set(`${input}\0${stage}`, { input, stage });
      this.#count += 1;
      this.#number = Math.max(this.#number, number);
      if (this.frequent.add({ reason, column }))
        this.frequent.example({ reason, ...(column === null ? {} : { column }) }, reject);
      if (this.#first.length < this.options.firstShown) this.#first.push(reject);
    }
  }

  /**
   * `tracker`: the records that the row is one of, where they are kept. `known`: the input's record, where it is not one
   * of the latest.
   */
  add(
    input: string,
    stage: string,
    row: Row | undefined,
    why: Rejection,
    tracker?: RecordTracker,
    known?: Row,
  ): void {
    this.#count += 1;
    this.#number += 1;
    this.#places.set(`${input}\0${stage}`, { input, stage });
    const kept = this.#isKept();
    const shown = this.#first.length < this.options.firstShown;
    const frequent = this.frequent.add(why);
    if (!kept && !shown && !frequent && tracker === undefined && !this.options.stopOnError) return;
    const line = row === undefined ? undefined : originOf(row);
    const record =
      known ??
      (line === undefined
        ? undefined
        : (this.options.records?.get(input)?.find(line) ?? tracker?.source(line)));
    const told = tracker?.named(record, why) ?? why;
    const made = this.#masking.reject(toStored({ number: this.#number, input, stage }, row, record, told));
    const resubmits = this.options.resubmits?.(input, made.line);
    const stored = resubmits === undefined ? made : { ...made, resubmits };
    if (frequent) this.frequent.example(why, stored);
    tracker?.rejected({
      row,
      record,
      line: stored.line ?? undefined,
      message: stored.message,
      field: stored.column_name ?? '',
      type: stored.record_type ?? undefined,
      id: stored.source_id ?? undefined,
    });
    if (shown) this.#first.push(stored);
    if (kept) this.#waiting.push(stored);
    if (this.options.stopOnError)
      throw loadErrors.reject(
        { input, why: stored.message },
        { line: stored.line ?? undefined, column: stored.column_name ?? undefined },
      );
  }

  /** Takes over rejects that somebody else has set aside for this run, as he made them; the numbers are this run's. */
  receive(rejects: readonly StoredReject[]): void {
    for (const each of rejects) {
      this.#number += 1;
      const reject = { ...each, number: this.#number };
      this.takeOver([reject]);
      if (this.#isKept()) this.#waiting.push(reject);
    }
  }

  #isKept(): boolean {
    if (this.options.handTo !== undefined) return true;
    return this.#count <= KEPT_REJECTS && (this.batch ?? this.options.spool) !== undefined;
  }

  /** Stores what waits, if it is worth a statement; undefined where there is nothing to wait for. */
  flushSome(): Promise<void> | undefined {
    return this.#waiting.length >= BATCHED ? this.flush() : undefined;
  }

  /** Stores everything that waits. Throws `rejects_not_stored`; what waits then waits on. */
  async flush(): Promise<void> {
    while (this.#storing !== undefined) await this.#storing.catch(() => {});
    if (this.#waiting.length === 0) return;
    this.#storing = this.#store();
    try {
      await this.#storing;
    } finally {
      this.#storing = undefined;
    }
  }

  /** Ends the session. Does not store what waits. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #store(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, BATCHED);
      if (this.options.handTo !== undefined) await this.options.handTo(some);
      else if (this.batch === undefined) await this.options.spool?.add(some);
      else await this.#tried(this.batch, some);
      this.#waiting = this.#waiting.slice(some.length);
    }
  }

  /** A number is stored once, so that an answer that was lost does no harm. */
  async #tried(batch: string, rejects: readonly StoredReject[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#client ??= await writerSession(this.database, batch, 'rejects');
        await storeRejects(this.#client, batch, rejects);
        return;
      } catch (error) {
        await this.close();
        if (error instanceof SluiceError) throw error;
        if (attempt === ATTEMPTS || !isConnectionLoss(error))
          throw ledgerErrors.rejects_not_stored({ why: (error as Error).message }, { cause: error });
        await sleep(100 * 2 ** attempt);
      }
    }
  }

  /** Whether `read` records may be published with the rejects there are. */
  within(limit: RejectLimit, read: number): boolean {
    return this.#count <= allowedRejects(limit, read);
  }
}
