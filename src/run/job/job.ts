import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StageCounter } from '../../core/accounting.js';
import type { OldSystem } from '../../core/assessment.js';
import { tableErrors } from '../../core/errors/catalogue/tables.js';
import type { FlowPlan } from '../../core/flow.js';
import type { Following } from '../../core/follow.js';
import type { FieldMapping } from '../../core/mapping.js';
import type { KeptRecords, NewTable, Pipeline } from '../../core/pipeline.js';
import type { Report } from '../../core/report.js';
import type { Log, Run } from '../../core/run.js';
import { Shared } from '../../core/shared.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import { oldSystem } from '../../sources/old-system.js';
import { type BatchNames, NO_BATCH, namesOf } from '../given/batch-names.js';
import { inputLabels } from '../given/input-labels.js';
import { jobMappings } from '../given/mappings.js';
import { Masking } from '../given/masking.js';
import type { RunOptions } from '../given/options.js';
import { settled, withFills, withGiven } from '../given/settings.js';
import type { FoundTable, LiveTable } from '../given/tables.js';
import { Progress } from '../inputs/progress.js';
import { ReadInputs } from '../inputs/read-inputs.js';
import { keptRecords } from '../records/kinds.js';
import { RejectWriter } from '../rejects/writer.js';
import { RejectSpool } from '../resubmit/reject-files.js';
import type { Resubmitted } from '../resubmit/resubmitted.js';
import { asked, findTables, openResubmitted, plainInputs } from './given.js';
import { type RunPlace, runOf } from './run-of.js';
import { JobState } from './state.js';

/** Rejects shown at the end of a run; the rest is in the ledger. */
const SHOWN_REJECTS = 10;

/** The tables of the pipeline as they were found. */
type Found = Awaited<ReturnType<typeof findTables>>;

/**
 * What a run is given: the definition with the command's inputs and settings put in, and the tables found in the
 * database. It is frozen; what becomes of it stands in `state`.
 */
export class Job {
  readonly inputs: Readonly<Record<string, Source>>;
  /** What messages and rejects call each input. */
  readonly labels: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly startedAt = performance.now();
  /** Its signal is what everything heeds; aborting it stops the run. */
  readonly signal: AbortSignal;
  /** What becomes of it. */
  readonly state = new JobState();
  /** Which records are kept. */
  readonly kept: KeptRecords;
  /** What may not be kept of the source. */
  readonly masking: Masking;
  /** The log as the pipeline's own code is given it. */
  readonly log: Log;
  /** How far it is. */
  readonly progress: Progress;
  /** What it has read. */
  readonly read = new ReadInputs();
  readonly #shared = new Shared();
  /** What several sources or questions of the job use together; see Run. */
  readonly share: Run['share'];
  #scratch: string | undefined;
  #begun: { readonly batch?: string; readonly at: Date } = { at: new Date() };
  #found: Found;
  #rejects: RejectWriter;
  /** Rejects that go into files, though no batch keeps them. */
  #spool: RejectSpool | undefined;

  private constructor(
    readonly pipeline: Pipeline,
    readonly options: RunOptions,
    found: Found,
    /** The corrected rejects that are all it reads, if so. */
    readonly resubmitted: Resubmitted | undefined,
    /** The field mappings in force; empty where the pipeline declares none. */
    readonly mappings: readonly FieldMapping[],
    /** What makes those of its tables that may be missing. */
    readonly creates: Readonly<Record<string, NewTable>>,
  ) {
    this.inputs =
      resubmitted === undefined ? plainInputs(pipeline, options) : withGiven(pipeline, resubmitted.inputs);
    this.labels = inputLabels(this.inputs);
    this.masking = new Masking(pipeline.mask, options.noSourceData);
    this.log = this.masking.log(options.log);
    this.settings = settled(pipeline, options.settings ?? {});
    this.signal = options.signal ?? new AbortController().signal;
    this.progress = new Progress(options.events?.progress);
    this.kept = keptRecords(pipeline, options);
    this.share = options.share ?? ((key, make, release) => this.#shared.share(key, make, release));
    this.#found = found;
    this.#rejects = this.#book();
    Object.freeze(this);
  }

  /** Puts the inputs and settings in and finds the tables; throws usage errors for what does not fit. */
  static async prepare(pipeline: Pipeline, told: RunOptions): Promise<Job> {
    withGiven(pipeline, told.inputs ?? {});
    const { resubmitted, options } = await openResubmitted(pipeline, told);
    const { database } = options;
    const settings = settled(pipeline, options.settings ?? {});
    const { mappings } = await jobMappings(database, pipeline, settings);
    const { fills, creates } = await asked(pipeline, options, { settings, mappings });
    const filled = withFills(pipeline, fills);
    const narrowed = resubmitted?.publishing(filled) ?? filled;
    const found = await findTables(narrowed, creates, options);
    return new Job(narrowed, options, found, resubmitted, mappings, creates);
  }

  /** The tables that are not there yet, with what makes them. */
  get missing(): readonly { readonly table: LiveTable; readonly sql: NewTable }[] {
    const missing = this.tables.filter((table) => table.missing === true);
    return missing.map((table) => ({ table, sql: this.creates[table.name] as NewTable }));
  }

  /** Finds the tables again, once the missing ones have been made. */
  async findTables(): Promise<void> {
    this.#found = await findTables(this.pipeline, this.creates, this.options);
  }

  /** From here on the run has a batch, begun at `at`: rejects are stored under it. */
  begin(batch: string, at = this.begunAt): void {
    this.#begun = { batch, at };
    this.#rejects = this.#book();
  }

  /** Undefined until the job has a batch. */
  get batch(): string | undefined {
    return this.#begun.batch;
  }

  /** When the batch began, by the ledger; until then, when the job did. */
  get begunAt(): Date {
    return this.#begun.at;
  }

  /** The tables that it publishes. */
  get tables(): readonly LiveTable[] {
    return this.#found.tables;
  }

  /** The tables that the pipeline guards without publishing them. */
  get watched(): readonly FoundTable[] {
    return this.#found.watched;
  }

  get rejects(): RejectWriter {
    return this.#rejects;
  }

  get spool(): RejectSpool | undefined {
    return this.#spool;
  }

  /** `flows` with their inputs' latest records kept for the rejects, whose storing the inputs wait for. */
  remembering(flows: readonly FlowPlan[]): FlowPlan[] {
    const labelled = flows.map((flow) => {
      const name = this.labelOf(flow.source);
      return name === undefined ? flow : { ...flow, source: { ...flow.source, name } };
    });
    return this.read.remember(
      labelled,
      (flow, chunk) => this.state.tracked?.of(flow)?.read(chunk),
      () => this.flushSome(),
    );
  }

  /** The pipeline's name for the input that a flow reads. */
  #inputOf(source: Source): string | undefined {
    return (
      Object.keys(this.inputs).find((each) => this.inputs[each] === source) ??
      this.resubmitted?.inputOf(source)
    );
  }

  /** What rejects call the input that a flow reads. */
  labelOf(source: Source): string | undefined {
    const input = this.#inputOf(source);
    return input === undefined ? undefined : this.labels[input];
  }

  /** Stores rejects and records, if enough wait; undefined where there is nothing to wait for. */
  flushSome(): Promise<void> | undefined {
    const rejects = this.rejects.flushSome();
    const records = this.state.tracked?.flushSome();
    if (rejects === undefined || records === undefined) return rejects ?? records;
    return Promise.all([rejects, records]).then(() => {});
  }

  /**
   * The batch's schemas: where rows are staged, and where what they replace is kept. A plan, which has no
   * batch yet, shows `<batch>` in its place.
   */
  get names(): BatchNames {
    return namesOf(this.batch ?? NO_BATCH);
  }

  /** The pipeline's name for the input that messages call `label`. */
  nameOf(label: string): string {
    return Object.keys(this.labels).find((input) => this.labels[input] === label) ?? label;
  }

  /** A folder for scratch files, made when first asked for. */
  get scratch(): string {
    this.#scratch ??= mkdtempSync(join(this.options.scratchIn ?? tmpdir(), 'sluice-'));
    return this.#scratch;
  }

  /** Removes the files that the run wrote: where nothing is published, a backup of it would only mislead. */
  removeFiles(): void {
    for (const { path } of this.state.files.splice(0)) rmSync(path, { force: true });
  }

  /** The reports as they may be kept. */
  get keptReports(): Report[] {
    return this.state.reports.flatMap((report) => this.masking.report(report) ?? []);
  }

  /** Removes scratch files, releases what the sources shared and ends the session of the rejects, whatever happened. */
  async clear(): Promise<void> {
    await this.rejects.close();
    await this.#shared.releaseAll();
    await this.state.tracked?.close();
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
      this.state.timings[name] = (this.state.timings[name] ?? 0) + (performance.now() - from) / 1000;
    }
  }

  /** The system that the inputs come from, as this run reads it. */
  old(): Promise<OldSystem> {
    return oldSystem(this.inputs, this.checkRun());
  }

  /** What the engine needs to follow the flow at `flow`; `open` is the phase's own. */
  following(flow: number, open: Following['open']): Following {
    return {
      signal: this.signal,
      runFor: (counter, input, signal) => this.runAt({ counter, input, signal, flow }),
      open,
      afterChunk: () => this.flushSome(),
      ...(this.options.limit === undefined ? {} : { limit: this.options.limit }),
    };
  }

  /** The Run of what counts there. */
  runAt(place: RunPlace): Run {
    return runOf(this, place);
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

  #book(): RejectWriter {
    if (this.options.rejectsInto !== undefined)
      this.#spool ??= new RejectSpool(join(this.scratch, 'rejects'));
    return new RejectWriter(this.options.database, this.batch, {
      stopOnError: this.options.stopOnError ?? false,
      firstShown: SHOWN_REJECTS,
      masking: this.masking,
      ...(this.#spool === undefined ? {} : { spool: this.#spool }),
      ...(this.options.rejectsTo === undefined ? {} : { handTo: this.options.rejectsTo }),
      records: this.read.latest,
      ...(this.resubmitted === undefined
        ? {}
        : { resubmits: (input, line) => this.resubmitted?.rejectAt(input, line) }),
    });
  }

  /** The table that the pipeline calls `name`. Throws usage `no_such_table`. */
  table(name: string): LiveTable {
    const table = this.tables.find((each) => each.name === name);
    if (table === undefined) throw tableErrors.no_such_table.declared({ pipeline: this.pipeline.name, name });
    return table;
  }
}
