import { BACKUPS, backUp } from '../backup/backup.js';
import { commandErrors } from '../core/errors/catalogue/command-line.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { command } from '../core/next.js';
import type { Pipeline } from '../core/pipeline.js';
import type { StoredReject } from '../core/stored-reject.js';
import { type Batch, findBatch, moveBatch, noteBatch } from '../db/ledger/batches.js';
import { openLedger } from '../db/ledger/open.js';
import { settlePending } from '../db/ledger/records.js';
import type { ResubmitFacts } from '../db/ledger/run-manifest.js';
import { fromFiles, sqlitePath } from '../sources/old-system.js';
import { rejectBroken } from './broken-rows/broken-rows.js';
import { handedRows } from './changes/handed.js';
import { completeIds } from './changes/records/records.js';
import { surveyStaged } from './changes/sequence.js';
import { type Checked, checkJob, checkTables } from './check/check.js';
import { assertChecked, commandsOf, sentence } from './check/findings.js';
import { dryRun } from './dry-run.js';
import { completed } from './end/completed.js';
import { end } from './end/end.js';
import { fail } from './end/fail.js';
import { asFailure } from './end/failure.js';
import { writeRejects } from './end/rejects-into-files.js';
import { writeReports } from './end/report-files.js';
import { stopStatements } from './end/stopping.js';
import { failedSummary, type Outcome, summaryOf } from './end/summary.js';
import type { RunOptions } from './given/options.js';
import { assertOther, assertPublished, publishes } from './given/publishes.js';
import type { Summary } from './given/summary.js';
import { lockTables } from './given/table-claims.js';
import type { ContentReading } from './inputs/file-content.js';
import { withQuietRun } from './inputs/quiet-run.js';
import { Job } from './job/job.js';
import { madeOfFiles, readBeside } from './known/copied-files.js';
import { changesNothing, isPublishedAlready } from './known/nothing-to-do.js';
import { assertAccounted } from './load/accounted.js';
import { inputsAsRead } from './load/how-read.js';
import { load } from './load/load.js';
import { finishOthers, keepAfterAll } from './load/other-ends.js';
import { findResumable, holdStaging, resumedOptions, type TakenUp, takeUp } from './load/resume.js';
import { beginBatch, recordRun } from './load/resume-manifest.js';
import { assertSessions, SESSIONS_OF_A_RUN, sessionsOf } from './load/sessions.js';
import { tellProgress } from './load/ticker.js';
import { resolveInterrupted } from './maintain/recover.js';
import { publishAround } from './publish/around.js';
import { byTable, unchangedChanges } from './publish/counts.js';
import { planPublish } from './publish/plan.js';
import { summariseRecords, unchangedRecords } from './publish/record-summary.js';
import { assertKept } from './publish/shrink.js';
import type { PublishedChanges } from './publish/window.js';
import { trackedKinds } from './records/kinds.js';
import { runWithoutBatch } from './without-batch.js';

/** What a run gives back: the summary, and the first few rejected rows for showing. */
export interface Ran {
  readonly summary: Summary;
  readonly rejects: readonly StoredReject[];
}

/**
 * Runs a pipeline: check → load → validate → publish, or as much of it as the options want. Whatever goes
 * wrong before the publish commits, live is untouched, the batch is `failed` with its reason, and the
 * first error is thrown with the state things are in.
 */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<Ran> {
  const { resume } = options;
  const resumed = resume === undefined ? undefined : await findResumable(pipeline, options, resume);
  const batched = publishes(pipeline);
  if (!batched) assertOther(options);
  if (options.guard === 'lock' && options.publish === false) throw commandErrors.guard_ends();
  const job = await Job.prepare(pipeline, resumed === undefined ? options : resumedOptions(options, resumed));
  job.state.stopped = stopStatements(options.database, job.signal);
  try {
    if (batched && options.dryRun !== true) await assertSessions(options.database, SESSIONS_OF_A_RUN);
    const manifest = batched ? await recordRun(job, resumed) : undefined;
    job.state.manifest = manifest;
    const checked = await job.phase('check', 'checking inputs, tables and the pipeline’s own questions', () =>
      checkJob(job, options.dryRun !== true),
    );
    for (const { name, finding } of checked.findings) {
      if (finding.severity === 'warning')
        options.events?.warn?.(sentence(name, finding), commandsOf(finding.next));
      if (finding.severity === 'note')
        options.events?.note?.(sentence(name, finding), commandsOf(finding.next));
    }
    assertChecked(checked);
    if (options.publish === false) assertPublished(checked.flows);
    if (manifest !== undefined && resumed === undefined)
      job.state.manifest = { ...manifest, resubmit: resubmitFactsOf(job, checked) };
    const plan =
      options.workers === true ? { ...checked.plan, inputs: await inputsAsRead(job, checked) } : checked.plan;
    const shown =
      batched && options.dryRun === true
        ? { ...plan, publish: await planPublish(job, checked.changes) }
        : plan;
    if (options.confirm !== undefined && !(await answered(job, () => options.confirm?.(shown))))
      throw commandErrors.interrupted.runNotConfirmed();
    const outcome = await (options.dryRun === true
      ? dryRun(job, checked)
      : batched
        ? attempt(job, checked, resumed)
        : runWithoutBatch(job, checked));
    return { summary: summaryOf(job, outcome), rejects: job.rejects.first };
  } catch (error) {
    const told =
      error instanceof SluiceError && job.batch !== undefined
        ? error
        : asFailure(error, job.signal).with({
            state: batched ? 'nothing was published; live tables are untouched' : 'nothing was written',
          });
    options.events?.failed?.(failedSummary(job, told));
    throw told;
  } finally {
    await job.state.stopped();
    await writeRejects(job);
    await writeReports(job);
    await job.clear();
  }
}

/** Waits for an answer; the time that somebody took for it is none of the run's. */
async function answered<T>(job: Job, ask: () => Promise<T> | undefined): Promise<T | undefined> {
  const from = performance.now();
  try {
    return await ask();
  } finally {
    job.state.waitedForAnswerMs += performance.now() - from;
  }
}

async function attempt(job: Job, checked: Checked, resumed: Batch | undefined): Promise<Outcome> {
  const { options } = job;
  const { database } = options;
  await assertSessions(database, sessionsOf(job, checked.flows));
  await openLedger(database);
  await resolveInterrupted(database, options.events, resumed?.id);
  const batch = resumed === undefined ? await beginBatch(job) : resumed.id;
  if (resumed !== undefined) await holdStaging(job, batch);
  job.begin(batch, (resumed ?? (await findBatch(database, batch))).created_at);
  const { changes } = checked;
  let published: PublishedChanges;
  const reading = new AbortController();
  let readings: readonly ContentReading[] = [];
  try {
    const logFile = await options.logFileFor?.(batch);
    job.state.logFile = logFile;
    options.onBatch?.(batch, logFile);
    if (logFile !== undefined) await noteBatch(database, batch, { log_file: logFile });
    await moveBatch(database, batch, 'running', {
      phase: 'load',
      staging_schema: job.names.staging,
      old_schema: job.names.old,
      ...(resumed === undefined ? {} : { error: null, completed_at: null, manifest: job.state.manifest }),
    });
    if (resumed === undefined && (await isPublishedAlready(job))) {
      await end(job, changes.all, 'completed', { changes: {} });
      return { status: 'unchanged' };
    }
    if (resumed === undefined && options.rehearse !== true && job.pipeline.backup?.withRun === true)
      await backUpFirst(job);
    await makeMissing(job, checked);
    await lockTables(database, job.tables);
    if (resumed === undefined) for (const change of changes.all) await change.stage();
    const taken = resumed === undefined ? undefined : await takeUp(job, checked, resumed);
    readings = readBeside(job, reading.signal);
    if (resumed === undefined || taken !== undefined) await loadRows(job, checked, taken);
    else await surveyStaged(changes.all);
    await finishOthers(job);
    await job.resubmitted?.claim(database, batch);
    await assertKept(job, changes);

    if (options.rehearse !== true && job.tables.length > 0 && (await changesNothing(job, changes.all))) {
      await completeIds(job, trackedKinds(job, checked.columns));
      await settlePending(database, batch, 'skipped', 'unchanged');
      job.state.records = unchangedRecords(job.state.records);
      const same = unchangedChanges(job);
      await end(job, changes.all, 'completed', { changes: byTable(job, same) });
      await keepAfterAll(job, 'live holds these rows');
      return { status: 'unchanged', changes: same };
    }

    await noteBatch(database, batch, { input_columns: job.read.columns(), progress: job.progress.inputs });
    const staged = changes.replace.staged[0];
    if (staged !== undefined) job.state.madeOf = await madeOfFiles(job, staged.oid, readings);
    published = await publishAround(job, checked, changes);
    if (options.publish === false) return { status: 'staged', loaded: handedRows(job) };
    if (options.rehearse === true) {
      await settlePending(database, batch, 'rolled_back', 'rehearsed');
      await end(job, changes.all, 'rolled_back', { dry_run: true, changes: byTable(job, published.changes) });
      return { status: 'rehearsed', ...published };
    }
  } catch (error) {
    throw await fail(job, changes, error);
  } finally {
    reading.abort();
  }
  const outcome = await completed(job, changes, published, job.state.records);
  await keepAfterAll(job, 'the tables are published');
  return outcome;
}

/** Loads all rows, or what of them an earlier attempt has not: the accounts balance then. */
async function loadRows(job: Job, checked: Checked, taken: TakenUp | undefined): Promise<void> {
  const { changes, flows } = checked;
  const told = tellProgress(job);
  try {
    const what = taken === undefined ? 'loading staging' : 'resuming the load';
    job.state.accounts = await job.phase('load', what, () =>
      load(job, checked, taken, async (accounts) => {
        job.state.accounts = accounts;
        await surveyStaged(changes.all);
        return rejectBroken(job, { flows, changes, accounts });
      }),
    );
  } finally {
    await told();
  }
  await job.options.database.endSnapshot();
  summariseRecords(job, checked);
  assertAccounted(job);
}

/** What decides how the batch's rejects are resubmitted. */
function resubmitFactsOf({ options: { copy } }: Job, { resubmit }: Checked): ResubmitFacts {
  return copy === undefined ? resubmit : { ...resubmit, into: copy.into as string };
}

/**
 * The backup that the pipeline wants before its load, in its own state of the database: the run's snapshot begins
 * after the guard stands. It is kept whatever becomes of the batch.
 */
async function backUpFirst(job: Job): Promise<void> {
  const { options, inputs, settings, pipeline } = job;
  if (fromFiles(inputs)) return;
  const made = await job.phase('backup', 'backing up the old system', () =>
    withQuietRun({ ...options, settings }, (run) =>
      backUp(pipeline, inputs, sqlitePath(inputs) === undefined ? run : job.sharing(run), BACKUPS),
    ),
  );
  options.log.info('backup made', { directory: made.directory });
  options.events?.note?.(`backup in ${made.directory}`, command('restore-check', [made.directory]));
}

/** Makes the tables that are missing, and surveys them as the checks have surveyed the others. */
async function makeMissing(job: Job, checked: Checked): Promise<void> {
  const { changes } = checked;
  await changes.missing.stage();
  if (changes.missing.made.length === 0) return;
  job.options.events?.note?.(`made, since they were missing: ${changes.missing.made.join(', ')}`);
  const again = await checkTables(job, changes);
  assertChecked(again);
  for (const [target, columns] of again.columns) checked.columns.set(target, columns);
}
