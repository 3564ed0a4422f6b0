import { commandErrors } from '../core/errors/catalogue/command-line.js';
import { connectionErrors } from '../core/errors/catalogue/connection.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Log } from '../core/run.js';
import type { Address } from '../db/address.js';
import { type Batch, findBatch, listBatches } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { readPublished } from '../db/ledger/published.js';
import { checkPipeline } from '../run/check.js';
import { asFailure } from '../run/end/failure.js';
import { intoFiles } from '../run/given/into-files.js';
import type { RunOptions as EngineOptions } from '../run/given/options.js';
import { assertOther, publishes } from '../run/given/publishes.js';
import { parseRejectLimit } from '../run/given/reject-limit.js';
import type { Summary } from '../run/given/summary.js';
import { rollbackViews } from '../run/rollback/old-names.js';
import type { RolledBack } from '../run/rollback/rolled-back.js';
import { rollbackBatch } from '../run/rollback.js';
import { type Ran, runPipeline } from '../run/run.js';
import { findStaged, swapBatch } from '../run/swap.js';
import { makingAgain } from './again.js';
import type { BatchInfo } from './batch-info.js';
import type { Checked, CheckResult } from './checked.js';
import { type Embedded, type Session, withDatabase } from './database.js';
import { databaseNamed } from './database-named.js';
import { eventsFor } from './events.js';
import { filesOfSource } from './files.js';
import { correctedFiles, filesOfBatch, sourcesOf } from './inputs.js';
import type { InputsGiven } from './inputs-given.js';
import type {
  CallOptions,
  CheckOptions,
  DatabaseGiven,
  RollbackOptions,
  RunResult,
  SwapOptions,
  TrialOptions,
} from './options.js';
import { type PipelineGiven, pipelineGiven } from './pipeline-file.js';
import { assertRunnable } from './runnable.js';
import { assertRuns } from './serving.js';
import { stepsFor } from './steps.js';
import { stopOf } from './stop.js';

/** What a run in an open session is told: all that the engine takes, its inputs as files or sources. */
export interface Inside extends Omit<EngineOptions, 'database' | 'signal' | 'inputs'> {
  /** Left out of a run that resumes a batch: the files that the batch was given. */
  readonly inputs?: InputsGiven;
}

/** Runs `pipeline` in an open session: what the command line and programs have in common. Throws what `runPipeline` does. */
export async function runIn(
  { database, signal }: Session,
  pipeline: Pipeline,
  { inputs, ...options }: Inside,
): Promise<Ran> {
  const { resume } = options;
  const given = inputs ?? (resume === undefined ? {} : await filesOfBatch(database, pipeline, resume));
  return runPipeline(pipeline, {
    ...options,
    database,
    signal,
    inputs: await sourcesOf(pipeline, given),
  });
}

/** What a check in an open session is told. */
export type CheckInside = Pick<Inside, 'from' | 'inputs' | 'settings' | 'maxRejects' | 'log' | 'events'>;

/**
 * Asks all that a run of `pipeline` would ask first, and, `rows`, reads every row: what the command line and programs have
 * in common. Throws what `checkPipeline` does.
 */
export async function checkIn(
  { database, signal }: Session,
  pipeline: Pipeline,
  { inputs = {}, ...options }: CheckInside,
  rows: boolean,
): Promise<Checked> {
  const read = await sourcesOf(pipeline, inputs);
  const { plan, findings, asked } = await checkPipeline(
    pipeline,
    { ...options, database, signal, inputs: read },
    { rows },
  );
  return {
    pipeline: pipeline.name,
    ok: !findings.some(({ finding }) => finding.severity === 'error'),
    asked,
    findings: findings.map(({ name, finding }) => ({ name, ...finding })),
    plan,
  };
}

/** Checks `pipeline` for a program. */
export async function checkFor(given: PipelineGiven, options: CheckOptions): Promise<CheckResult> {
  const { settings, maxRejects, rows = true } = options;
  return calling(options, nothing, async (session, { log, events }) => {
    const limit = maxRejects === undefined ? undefined : limitOf(maxRejects);
    const { pipeline, from } = await pipelineGiven(given);
    const { inputs } = await inputsOf(session, pipeline, options);
    const checked = await checkIn(
      session,
      pipeline,
      {
        ...(from === undefined ? {} : { from }),
        ...(inputs === undefined ? {} : { inputs }),
        ...(settings === undefined ? {} : { settings }),
        ...(limit === undefined ? {} : { maxRejects: limit }),
        log,
        events,
      },
      rows,
    );
    const findings = checked.findings.map(({ next, ...said }) => ({ ...said, next: stepsFor(next) }));
    return { ...checked, findings };
  });
}

/** How far a run goes. */
type Until = Pick<EngineOptions, 'dryRun' | 'rehearse' | 'publish'>;

/** Runs `pipeline` for a program, as far as `until` says. */
export async function runFor(given: PipelineGiven, until: Until, options: TrialOptions): Promise<RunResult> {
  const {
    inputs = {},
    source,
    into,
    maxRejects,
    events: _events,
    database: _database,
    signal: _signal,
    ...choices
  } = options;
  const before = async () => {
    const found = await pipelineGiven(given);
    const files = typeof into === 'string' ? { into } : into;
    const pipeline = files === undefined ? found.pipeline : intoFiles(found.pipeline, files);
    assertRunnable({ ...options, ...until }, publishes(pipeline));
    if (!publishes(pipeline)) assertOther({ ...choices, ...until });
    else if (options.database === undefined) throw connectionErrors.no_database_named.toPublish();
    return { ...found, pipeline };
  };
  return calling(options, before, async (session, { log, events }, { pipeline, from }) => {
    const limit = maxRejects === undefined ? undefined : limitOf(maxRejects);
    const read = await inputsOf(session, pipeline, options);
    const again = from === undefined ? undefined : makingAgain(from, read.inputs, options.resume);
    const { summary, rejects } = await runIn(session, pipeline, {
      ...(from === undefined ? {} : { from }),
      ...choices,
      ...until,
      ...read,
      ...(again === undefined ? {} : { again }),
      ...(limit === undefined ? {} : { maxRejects: limit }),
      log,
      events,
      onBatch: events.batch,
    });
    return { ...summary, rejects };
  });
}

/** What is read: inputs in place of the pipeline's own, or corrected rejects. */
async function inputsOf(
  { database }: Session,
  pipeline: Pipeline,
  { inputs = {}, source, resume, onlyRejectsOf }: TrialOptions,
): Promise<Pick<Inside, 'inputs' | 'corrected' | 'originals'>> {
  if (onlyRejectsOf !== undefined)
    return {
      inputs,
      corrected: source === undefined ? [] : correctedFiles(source, {}),
      originals: async () => sourcesOf(pipeline, await filesOfBatch(database, pipeline, onlyRejectsOf)),
    };
  if (source !== undefined)
    return { inputs: { ...(await filesOfSource(pipeline, source, Object.keys(inputs))), ...inputs } };
  return resume !== undefined && Object.keys(inputs).length === 0 ? {} : { inputs };
}

function limitOf(given: number | string): NonNullable<EngineOptions['maxRejects']> {
  const limit = parseRejectLimit(String(given));
  if (limit === undefined) throw commandErrors.bad_option.rejects({ given: String(given) });
  return limit;
}

/** Publishes the staged batch `id` for a program. */
export async function swapFor(given: PipelineGiven, id: string, options: SwapOptions): Promise<Summary> {
  return calling(options, nothing, async ({ database, signal }, told) => {
    const { pipeline } = await pipelineGiven(given);
    const { maxShrink, allowSuppressed, rewriteOids, runOwnersCode } = options;
    const batch = await findStaged(database, id);
    return swapBatch(pipeline, batch, {
      database,
      signal,
      from: batch.pipeline_from,
      log: told.log,
      events: told.events,
      ...(maxShrink === undefined ? {} : { maxShrink }),
      ...(allowSuppressed === undefined ? {} : { allowSuppressed }),
      ...(rewriteOids === undefined ? {} : { rewriteOids }),
      ...(runOwnersCode === undefined ? {} : { runOwnersCode }),
    });
  });
}

/** Takes back what the batch `id` has published, for a program. */
export async function rollbackFor(id: string, options: RollbackOptions): Promise<RolledBack> {
  return calling(options, nothing, ({ database, signal }, { log, events }) => {
    const { views, database: _database, ...how } = options;
    return (views === true ? rollbackViews : rollbackBatch)(id, { ...how, database, signal, log, events });
  });
}

/** The batch `id` as the ledger has it. */
export async function statusFor(id: string, options: CallOptions): Promise<BatchInfo> {
  return calling(options, nothing, async ({ database }) => {
    await requireLedger(database);
    return { ...(await findBatch(database, id)), published: await readPublished(database, id) };
  });
}

/** The latest batches, newest first. */
export async function batchesFor(limit: number, options: CallOptions): Promise<Batch[]> {
  return calling(options, nothing, async ({ database }) => {
    await requireLedger(database);
    return listBatches(database, limit);
  });
}

const nothing = () => {};
const QUIET: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

interface Told {
  readonly log: Log;
  readonly events: ReturnType<typeof eventsFor>;
}

/**
 * Does a program's `work` on its database, told what `before` has found out before it is opened; nothing of it is left
 * behind, and what it throws is said to a program.
 */
async function calling<T, P>(
  { database, signal, events = {}, log = QUIET }: Omit<CallOptions, 'database'> & Partial<CallOptions>,
  before: () => Promise<P> | P,
  work: (session: Session, told: Told, found: P) => Promise<T>,
): Promise<T> {
  const stop = stopOf(signal);
  try {
    assertRuns();
    const found = await before();
    if (stop.signal.aborted) throw asFailure(undefined, stop.signal);
    const told = { log, events: eventsFor(events, stop.because, log) };
    const opening = {
      signal: stop.signal,
      readable: (described: string) =>
        told.events.warn(`what is sent to ${described} is not encrypted`, 'sslmode=require asks for TLS'),
    };
    return await withDatabase(database === undefined ? undefined : wantedOf(database), opening, (session) =>
      work(session, told, found),
    );
  } catch (error) {
    throw error instanceof SluiceError ? error.but({ next: stepsFor(error.facts.next) }) : error;
  } finally {
    stop.release();
  }
}

function wantedOf(given: DatabaseGiven): Address | Embedded {
  if (typeof given === 'string') return databaseNamed(given, 'the option database', {});
  if ('environment' in given)
    return databaseNamed(undefined, 'the option database', { ...given.environment });
  const { embedded, directory } = given;
  return { embedded: embedded === true ? undefined : embedded, directory };
}
