import type { ErrorCode } from '../core/errors/catalogue/index.js';
import { inputErrors } from '../core/errors/catalogue/inputs.js';
import { testingErrors } from '../core/errors/catalogue/testing.js';
import { nearest } from '../core/errors/nearest.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Report } from '../core/report.js';
import type { Row } from '../core/row.js';
import type { StoredReject } from '../core/stored-reject.js';
import type { Source } from '../core/types.js';
import { rejectPages } from '../db/ledger/rejects.js';
import { withDatabase } from '../program/database.js';
import { databaseNamed } from '../program/database-named.js';
import { rollback } from '../program/index.js';
import { sourcesOf } from '../program/inputs.js';
import type { InputGiven } from '../program/inputs-given.js';
import type { RollbackOptions, TrialOptions } from '../program/options.js';
import { runFor } from '../program/run.js';
import type { Summary } from '../run/given/summary.js';
import type { RolledBack } from '../run/rollback/rolled-back.js';
import { memory } from '../sources/memory.js';
import { type Fault, faulty, type Pending } from './faults.js';
import { dropDatabase, makeDatabase, onServer, testServer } from './server.js';
import { rowsOf, type Snapshot, snapshot } from './snapshot.js';
import { makeTables, type SeedRows, type TablesGiven } from './tables.js';

/** How far a run of a test goes. */
export type Until = 'dry run' | 'rehearsal' | 'load' | 'publish';

/** What a run of a test is told, besides what any run may be told. */
export interface TestRunOptions extends Omit<TrialOptions, 'database' | 'inputs' | 'source'> {
  /** By input: rows, a source, or the path of a file. Default: the pipeline's own. */
  readonly inputs?: Readonly<Record<string, InputGiven | readonly Row[]>>;
  /** Default: `publish`. */
  readonly until?: Until;
  /** What goes wrong in it. */
  readonly faults?: readonly Fault[];
  /** The code of the error that the run is to end in; `true`: any. The run must fail then, and else must not. */
  readonly fails?: ErrorCode | true;
  /** Bytes of rows that are committed together while loading: few of them leave more to resume. Default: 8 MiB. */
  readonly segmentBytes?: number;
}

export interface TestPipelineOptions extends TestRunOptions {
  /** The tables that are there before the run. */
  readonly tables?: TablesGiven;
  /** What they hold. */
  readonly rows?: SeedRows;
  /** Further tables that snapshots have; the pipeline's own, and those of `tables` by name, they have anyway. */
  readonly watch?: readonly string[];
  /**
   * The URL of a server where the role may make databases. Default: SLUICE_TEST_URL, else the embedded server with its data
   * in `.sluice/test`.
   */
  readonly server?: string;
}

/** What a rollback did, and the rows of the tables after it. */
export interface TestedRollback extends RolledBack {
  readonly after: Snapshot;
}

/** What a run left. Plain data, but for the verbs. */
export interface TestedPipeline {
  /** As `run` gives it; of a run that failed what was counted until then. */
  readonly summary: Summary;
  /** Null where the run has none. */
  readonly batch: string | null;
  /** What it ended in; null where it ended well. */
  readonly error: SluiceError | null;
  /** Rows of the tables before and after it; values are text but for small numbers, booleans and JSON. */
  readonly before: Snapshot;
  readonly tables: Snapshot;
  /** All rejects, as `sluice rejects` has them; of a dry run the first ten, of one that failed none. */
  readonly rejects: readonly StoredReject[];
  readonly reports: readonly Report[];
  /** Warnings and notes that it told. */
  readonly said: readonly string[];
  /** The URL of the test's own database, which is dropped when the process ends. */
  readonly url: string;
  /** One statement in it; values as in the snapshots. */
  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Another run in the same database: the same one, or changed by `options`. `{ resume: batch }` goes on with one that broke off. */
  again(options?: TestRunOptions): Promise<TestedPipeline>;
  /** Takes back what the run has published. */
  rollback(options?: Omit<RollbackOptions, 'database'>): Promise<TestedRollback>;
  /** Drops the database now. */
  close(): Promise<void>;
}

/**
 * Runs `pipeline` in a database of its own and gives what it left: on an embedded server, which is started for it, or on
 * one that is named. Throws what the run throws, unless `fails` expects it; `did_not_fail` where that does not come;
 * `fault_not_met` where the input has fewer rows than a fault waits for; and what the server says of `tables`.
 */
export async function testPipeline(
  pipeline: Pipeline,
  options: TestPipelineOptions = {},
): Promise<TestedPipeline> {
  const { tables = {}, rows = {}, watch = [], server, ...first } = options;
  const url = await makeDatabase(await testServer(server));
  try {
    await onServer(url, (client) => makeTables(client, tables, rows));
    const named = [
      ...Object.values(pipeline.tables).map(({ table }) => table),
      ...(typeof tables === 'string' ? [] : Object.keys(tables)),
      ...watch,
    ];
    return await tested({ pipeline, url, watched: [...new Set(named)] }, first);
  } catch (error) {
    await dropDatabase(url);
    throw error;
  }
}

/** A pipeline in its database. */
interface Place {
  readonly pipeline: Pipeline;
  readonly url: string;
  readonly watched: readonly string[];
}

async function tested(place: Place, options: TestRunOptions): Promise<TestedPipeline> {
  const { url, watched } = place;
  const look = () => onServer(url, (client) => snapshot(client, watched));
  const before = await look();
  const { summary, error, said } = await ended(place, options);
  const { batch } = summary;
  const query = (sql: string, parameters: readonly unknown[] = []) =>
    onServer(url, (client) => rowsOf(client, sql, parameters));
  return {
    summary,
    batch,
    error,
    before,
    tables: await look(),
    rejects: batch === null ? summary.rejects : await rejectsOf(url, batch),
    reports: summary.reports,
    said,
    url,
    query,
    again: ({ faults = [], fails, ...more } = {}) => {
      const { faults: _faults, fails: _fails, ...same } = options;
      return tested(place, { ...same, ...more, faults, ...(fails === undefined ? {} : { fails }) });
    },
    rollback: async (how = {}) => {
      const done = await rollback(batch ?? '', { ...how, database: url });
      return { ...done, after: await look() };
    },
    close: () => dropDatabase(url),
  };
}

/** All rejects of a batch, in the order they were met. */
async function rejectsOf(url: string, batch: string): Promise<StoredReject[]> {
  const { signal } = new AbortController();
  return withDatabase(databaseNamed(url, 'the test', {}), { signal }, async ({ database }) => {
    const rejects: StoredReject[] = [];
    for await (const page of rejectPages(database, batch)) rejects.push(...page);
    return rejects;
  });
}

const UNTIL = {
  'dry run': { dryRun: true },
  rehearsal: { rehearse: true },
  load: { publish: false },
  publish: {},
} as const satisfies Record<Until, object>;

/** Runs it to its end, whichever that is. */
async function ended(
  { pipeline, url }: Place,
  { inputs = {}, until = 'publish', faults = [], fails, events = {}, ...choices }: TestRunOptions,
): Promise<{
  summary: Summary & { rejects: readonly StoredReject[] };
  error: SluiceError | null;
  said: string[];
}> {
  const stop = new AbortController();
  const signals = choices.signal === undefined ? [stop.signal] : [stop.signal, choices.signal];
  const pending: Pending[] = faults.map((fault) => ({ fault, met: false }));
  const said: string[] = [];
  let failed: Summary | undefined;
  let outcome: { summary: Summary & { rejects: readonly StoredReject[] }; error: SluiceError | null };
  try {
    const summary = await runFor(pipeline, UNTIL[until], {
      ...choices,
      database: url,
      signal: AbortSignal.any(signals),
      inputs: await inputsOf(pipeline, inputs, pending, { url, stop: () => stop.abort() }),
      events: {
        ...events,
        note(text, next) {
          said.push(text);
          return events.note?.(text, next);
        },
        warn(text, next) {
          said.push(text);
          return events.warn?.(text, next);
        },
        failed(summary) {
          failed = summary;
          return events.failed?.(summary);
        },
      },
    });
    outcome = { summary, error: null };
  } catch (error) {
    if (!(error instanceof SluiceError) || failed === undefined) throw error;
    if (fails !== true && fails !== error.code) throw error;
    outcome = { summary: { ...failed, rejects: [] }, error };
  }
  const unmet = pending.find(({ met }) => !met);
  if (unmet !== undefined) throw testingErrors.fault_not_met({ fault: unmet.fault.name });
  if (fails !== undefined && outcome.error === null)
    throw testingErrors.did_not_fail({
      code: fails === true ? 'an error' : fails,
      status: outcome.summary.status,
    });
  return { ...outcome, said };
}

/** The inputs as sources, with the faults in them. */
async function inputsOf(
  pipeline: Pipeline,
  given: NonNullable<TestRunOptions['inputs']>,
  pending: readonly Pending[],
  where: { readonly url: string; readonly stop: () => void },
): Promise<Record<string, Source>> {
  const plain = Object.entries(given).map(([name, input]): [string, InputGiven] => [
    name,
    isRows(input) ? { ...memory(name, input), ...columnsOf(pipeline.inputs[name]) } : input,
  ]);
  const sources = await sourcesOf(pipeline, Object.fromEntries(plain));
  for (const { input } of pending.map(({ fault }) => fault)) {
    const names = Object.keys(pipeline.inputs);
    if (!names.includes(input))
      throw inputErrors.no_such_input.ofPipeline({
        pipeline: pipeline.name,
        name: input,
        names,
        meant: nearest(input, names),
      });
    const source = sources[input] ?? pipeline.inputs[input];
    if (source !== undefined)
      sources[input] = faulty(
        source,
        pending.filter(({ fault }) => fault.input === input),
        where,
      );
  }
  return sources;
}

const isRows = (input: InputGiven | readonly Row[]): input is readonly Row[] => Array.isArray(input);

/** An input without rows has the columns of the one that it stands for. */
const columnsOf = (source: Source | undefined): Partial<Source> =>
  source?.columns === undefined ? {} : { columns: source.columns };
