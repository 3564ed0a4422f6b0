import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Guard } from '../../../sinks/publish/write-guard/names.js';
import { type FlowAccount, StageCounter } from '../../core/accounting.js';
import type { OldSystem } from '../../core/assessment.js';
import type { FlowMark } from '../../core/bookmark.js';
import { tableErrors } from '../../core/errors/catalogue/tables.js';
import type { FlowPlan } from '../../core/flow.js';
import type { Following } from '../../core/follow.js';
import type { FieldMapping } from '../../core/mapping.js';
import type { KeptRecords, NewTable, Pipeline } from '../../core/pipeline.js';
import type { RecordSummary } from '../../core/record-summary.js';
import type { Report } from '../../core/report.js';
import type { Log, Run } from '../../core/run.js';
import { Shared } from '../../core/shared.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import type { RunRecord } from '../../db/ledger/run-record.js';
import { oldSystem } from '../../sources/old-system.js';
import type { FedBack } from '../feed-back/fed-back.js';
import { RejectSpool } from '../feed-back/reject-files.js';
import { inputLabels } from '../given/input-labels.js';
import { jobMappings } from '../given/mappings.js';
import { Masking } from '../given/masking.js';
import type { RunOptions } from '../given/options.js';
import { settled, withFills, withGiven } from '../given/settings.js';
import type { FoundTable, LiveTable } from '../given/tables.js';
import { Progress } from '../inputs/progress.js';
import { ReadInputs } from '../inputs/read-inputs.js';
import type { Records } from '../records/index.js';
import { keptRecords } from '../records/kinds.js';
import { RejectBook } from '../rejects/writer.js';
import { asked, findTables, openFedBack, plainInputs } from './given.js';
import type { ReportSpool } from './report-spool.js';
import { runOf } from './run-of.js';

/** Rejects shown at the end of a run; the rest is in the ledger. */
const SHOWN_REJECTS = 10;

/** Stands in a plan for the id that the batch will have. */
export const NO_BATCH = '<batch>';

/** The schemas of a batch: where its rows are staged, and where what they replace is kept. */
export function namesOf(batch: string): {
  readonly staging: string;
  readonly old: string;
  readonly batch: string;
} {
  return { staging: `sluice_staging_${batch}`, old: `sluice_old_${batch}`, batch };
}

/**
 * A pipeline on its way: the definition with the command's inputs and settings put in, the tables found
 * in the database, and what sources, stages and sinks leave behind.
 */
export class Job {
  readonly inputs: Readonly<Record<string, Source>>;
  /** What messages and rejects call each input. */
  readonly labels: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly startedAt = performance.now();
  readonly timings: Record<string, number> = {};
  readonly reports: Report[] = [];
  readonly files: { path: string; what: string }[] = [];
  /** Those that an earlier attempt at the batch has written, as the ledger has them: told of, never touched. */
  readonly filesBefore: { readonly path: string; readonly what: string }[] = [];
  /** Its signal is what everything heeds; aborting it stops the run. */
  readonly signal: AbortSignal;
  batch: string | undefined;
  /** Where the batch's log goes, once there is a batch. */
  logFile: string | undefined;
  /** When the batch began, by the ledger; until then, when the job did. */
  begunAt = new Date();
  /** What resuming the batch would take, once it has begun. */
  record: RunRecord | undefined;
  /** The journal guard, once it is armed. */
  guard: Guard | undefined;
  /** The session that keeps writers out (--guard lock); the window must run in it. */
  held: Client | undefined;
  rejects: RejectBook;
  /** Which records are kept. */
  readonly kept: KeptRecords;
  /** What became of the records, once the load is complete. */
  records: RecordSummary = { types: [], errors: [] };
  /** The records of the load, while it goes on. */
  tracked: Records | undefined;
  /** Ends the cancelling of statements that an abort begins. */
  stopped: () => Promise<void> = async () => {};
  /** Rows that the replaced tables have, as far as they were counted while nobody could write unseen. */
  readonly liveRows = new Map<Target, number>();
  /** The books of the flows, once the load is complete. */
  accounts: readonly FlowAccount[] = [];
  /** The load is complete and its validations are answered: a swap can publish what is staged. */
  validated = false;
  /** What of its time was a wait for an answer, in milliseconds. */
  waited = 0;
  /** What may not be kept of the source. */
  readonly masking: Masking;
  /** The log as the pipeline's own code is given it. */
  readonly log: Log;
  /** How far it is. */
  readonly progress: Progress;
  /** The columns that its load has filled, by target. */
  readonly loadedColumns = new Map<Target, readonly string[]>();
  /** The tables whose loaded rows were asked what they break: the rest is for the publish to tell. */
  readonly askedOfRows = new Set<Target>();
  /** What it has read. */
  readonly read = new ReadInputs();
  readonly #shared = new Shared();
  /** What several sources or questions of the job use together; see Run. */
  readonly share: Run['share'];
  #scratch: string | undefined;
  /** All rows of the reports, where they go into files. */
  reportSpool: ReportSpool | undefined;
  /** Rejects that go into files, though no batch keeps them. */
  spool: RejectSpool | undefined;

  private constructor(
    readonly pipeline: Pipeline,
    readonly options: RunOptions,
    public tables: readonly LiveTable[],
    /** The tables that the pipeline guards without publishing them. */
    public watched: readonly FoundTable[],
    /** The corrected rejects that are all it reads, if so. */
    readonly fedBack: FedBack | undefined,
    /** The field mappings in force; empty where the pipeline declares none. */
    readonly mappings: readonly FieldMapping[],
    /** What makes those of its tables that may be missing. */
    readonly creates: Readonly<Record<string, NewTable>>,
  ) {
    this.inputs =
      fedBack === undefined ? plainInputs(pipeline, options) : withGiven(pipeline, fedBack.inputs);
    this.labels = inputLabels(this.inputs);
    this.masking = new Masking(pipeline.mask, options.noSourceData);
    this.log = this.masking.log(options.log);
    this.settings = settled(pipeline, options.settings ?? {});
    this.signal = options.signal ?? new AbortController().signal;
    this.progress = new Progress(options.events?.progress);
    this.kept = keptRecords(pipeline, options);
    this.share = options.share ?? ((key, make, release) => this.#shared.share(key, make, release));
    this.rejects = this.#book();
  }

  /** Puts the inputs and settings in and finds the tables; throws usage errors for what does not fit. */
  static async prepare(pipeline: Pipeline, told: RunOptions): Promise<Job> {
    withGiven(pipeline, told.inputs ?? {});
    const { fedBack, options } = await openFedBack(pipeline, told);
    const { database } = options;
    const settings = settled(pipeline, options.settings ?? {});
    const { mappings } = await jobMappings(database, pipeline, settings);
    const { fills, creates } = await asked(pipeline, options, { settings, mappings });
    const filled = withFills(pipeline, fills);
    const narrowed = fedBack?.publishing(filled) ?? filled;
    const { tables, watched } = await findTables(narrowed, creates, options);
    return new Job(narrowed, options, tables, watched, fedBack, mappings, creates);
  }

  /** The tables that are not there yet, with what makes them. */
  get missing(): readonly { readonly table: LiveTable; readonly sql: NewTable }[] {
    const missing = this.tables.filter((table) => table.missing === true);
    return missing.map((table) => ({ table, sql: this.creates[table.name] as NewTable }));
  }

  /** Finds the tables again, once the missing ones have been made. */
  async findTables(): Promise<void> {
    Object.assign(this, await findTables(this.pipeline, this.creates, this.options));
  }

  /** From here on the run has a batch, begun at `at`: rejects are stored under it. */
  begin(batch: string, at = this.begunAt): void {
    this.batch = batch;
    this.begunAt = at;
    this.rejects = this.#book();
  }

  /** `flows` with their inputs' latest records kept for the rejects, whose storing the inputs wait for. */
  remembering(flows: readonly FlowPlan[]): FlowPlan[] {
    const labelled = flows.map((flow) => {
      const name = this.labelOf(flow.source);
      return name === undefined ? flow : { ...flow, source: { ...flow.source, name } };
    });
    return this.read.remember(
      labelled,
      (flow, chunk) => this.tracked?.of(flow)?.read(chunk),
      () => this.#flushSome(),
    );
  }

  /** The pipeline's name for the input that a flow reads. */
  #inputOf(source: Source): string | undefined {
    return (
      Object.keys(this.inputs).find((each) => this.inputs[each] === source) ?? this.fedBack?.inputOf(source)
    );
  }

  /** What rejects call the input that a flow reads. */
  labelOf(source: Source): string | undefined {
    const input = this.#inputOf(source);
    return input === undefined ? undefined : this.labels[input];
  }

  #flushSome(): Promise<void> | undefined {
    const rejects = this.rejects.flushSome();
    const records = this.tracked?.flushSome();
    if (rejects === undefined || records === undefined) return rejects ?? records;
    return Promise.all([rejects, records]).then(() => {});
  }

  /**
   * The batch's schemas: where rows are staged, and where what they replace is kept. A plan, which has no
   * batch yet, shows `<batch>` in its place.
   */
  get names(): { readonly staging: string; readonly old: string; readonly batch: string } {
    return namesOf(this.batch ?? NO_BATCH);
  }

  /** The pipeline's name for the input that messages call `label`. */
  nameOf(label: string): string {
    return Object.keys(this.labels).find((input) => this.labels[input] === label) ?? label;
  }

  /** A folder for scratch files, made when first asked for. */
  get scratch(): string {
    this.#scratch ??= mkdtempSync(join(this.options.scratch ?? tmpdir(), 'sluice-'));
    return this.#scratch;
  }

  /** Removes the files that the run wrote: where nothing is published, a backup of it would only mislead. */
  removeFiles(): void {
    for (const { path } of this.files.splice(0)) rmSync(path, { force: true });
  }

  /** The reports as they may be kept. */
  get keptReports(): Report[] {
    return this.reports.flatMap((report) => this.masking.report(report) ?? []);
  }

  /** Removes scratch files, releases what the sources shared and ends the session of the rejects, whatever happened. */
  async clear(): Promise<void> {
    await this.rejects.close();
    await this.#shared.releaseAll();
    await this.tracked?.close();
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
    this.#scratch = undefined;
  }

  tableOf(target: Target): LiveTable {
    return this.tables.find((table) => table.target === target) as LiveTable;
  }

  /** Times `work` under `name` in seconds, and announces it. */
  async phase<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
    this.options.events?.phase?.(name, what);
    this.options.log.info(`${name}: ${what}`);
    const from = performance.now();
    try {
      this.signal.throwIfAborted();
      return await work();
    } finally {
      this.timings[name] = (this.timings[name] ?? 0) + (performance.now() - from) / 1000;
    }
  }

  /** The system that the inputs come from, as this run reads it. */
  old(): Promise<OldSystem> {
    return oldSystem(this.inputs, this.checkRun());
  }

  /** What the engine needs to follow the flow at `flow`, `from` some place on; `open` is the phase's own. */
  following(flow: number, from: FlowMark | undefined, open: Following['open']): Following {
    return {
      signal: this.signal,
      runFor: (counter, input, signal) => runOf(this, { counter, input, signal, flow }),
      open,
      afterChunk: () => this.#flushSome(),
      ...(this.options.limit === undefined ? {} : { limit: this.options.limit }),
      ...(from === undefined ? {} : { from }),
    };
  }

  /** `run` with what the sources of this job share: the same state of an SQLite file. */
  sharing<R extends Run>(run: R): R {
    const { scratch, share } = this.checkRun();
    return { ...run, scratch, share };
  }

  /** A Run outside any flow, for a source's check. */
  checkRun(): Run {
    return runOf(this, {
      counter: new StageCounter('check'),
      input: 'check',
      signal: this.signal,
      flow: -1,
    });
  }

  #book(): RejectBook {
    if (this.options.rejectsInto !== undefined) this.spool ??= new RejectSpool(join(this.scratch, 'rejects'));
    return new RejectBook(this.options.database, this.batch, {
      stopOnError: this.options.stopOnError ?? false,
      firstShown: SHOWN_REJECTS,
      masking: this.masking,
      ...(this.spool === undefined ? {} : { spool: this.spool }),
      records: this.read.latest,
      ...(this.fedBack === undefined
        ? {}
        : { resubmits: (input, line) => this.fedBack?.rejectAt(input, line) }),
    });
  }

  /** The table that the pipeline calls `name`. Throws usage `no_such_table`. */
  table(name: string): LiveTable {
    const table = this.tables.find((each) => each.name === name);
    if (table === undefined) throw tableErrors.no_such_table.declared({ pipeline: this.pipeline.name, name });
    return table;
  }
}
