import { BACKUPS, backUp } from '../backup/backup.js';
import type { FlowAccount } from '../core/accounting.js';
import { commandErrors } from '../core/errors/catalogue/command-line.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { command } from '../core/next.js';
import type { Pipeline } from '../core/pipeline.js';
import { type Batch, findBatch, moveBatch, noteBatch } from '../db/ledger/batches.js';
import { openLedger } from '../db/ledger/open.js';
import { settlePending } from '../db/ledger/records.js';
import type { StoredReject } from '../db/ledger/rejects.js';
import type { FeedBackFacts } from '../db/ledger/run-record.js';
import { fromFiles, sqlitePath } from '../sources/old-system.js';
import { rejectBroken } from './broken-rows/broken-rows.js';
import { createMissing } from './changes/missing-tables.js';
import { completeIds } from './changes/records.js';
import { makeStaging } from './changes/staging.js';
import type { Surveyed } from './changes/survey.js';
import { isUnchanged } from './changes/unchanged.js';
import { lowerGuard, raiseGuard } from './changes/write-guard.js';
import { type Checked, checkJob, checkTables } from './check/check.js';
import { assertChecked, commandsOf, sentence } from './check/findings.js';
import { rowFindings } from './check/foresee.js';
import { end } from './end/end.js';
import { fail, logFailure, stateOf } from './end/fail.js';
import { asFailure } from './end/failure.js';
import { writeRejects } from './end/rejects-into-files.js';
import { writeReports } from './end/report-files.js';
import { behindCommit, stopStatements } from './end/stopping.js';
import { failedSummary, summaryOf } from './end/summary.js';
import type { RunOptions, Summary } from './given/options.js';
import { lockTables } from './given/table-claims.js';
import { withQuietRun } from './inputs/quiet-run.js';
import { Job } from './job/job.js';
import { assertAccounted } from './load/accounted.js';
import { load, loadDry } from './load/load.js';
import { findResumable, holdStaging, resumedOptions, takeUp } from './load/resume.js';
import { beginBatch, recordRun } from './load/resume-manifest.js';
import { assertSessions, SESSIONS_OF_A_RUN, sessionsOf } from './load/sessions.js';
import { tellProgress } from './load/ticker.js';
import { resolveInterrupted } from './maintain/recover.js';
import { type Published, publishAround } from './publish/around.js';
import { byTable, committedChanges, foreseen, unchangedChanges } from './publish/counts.js';
import { planPublish } from './publish/plan.js';
import { asStaged } from './publish/prepare.js';
import { publishedRecords, summariseRecords, unchangedRecords } from './publish/record-summary.js';
import { assertKept } from './publish/shrink.js';
import { surveyAgain } from './publish/survey-again.js';
import { tidy } from './publish/tidy.js';
import { trackedKinds } from './records/kinds.js';

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
  if (options.guard === 'lock' && options.publish === false) throw commandErrors.guard_ends();
  const job = await Job.prepare(pipeline, resumed === undefined ? options : resumedOptions(options, resumed));
  job.stopped = stopStatements(options.database, job.signal);
  try {
    if (options.dryRun !== true) await assertSessions(options.database, SESSIONS_OF_A_RUN);
    job.record = await recordRun(job, resumed);
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
    if (resumed === undefined) job.record = { ...job.record, feedBack: feedBackOf(job, checked) };
    const { plan } = checked;
    const shown = options.dryRun === true ? { ...plan, publish: await planPublish(job, checked) } : plan;
    if (options.confirm !== undefined && !(await answered(job, () => options.confirm?.(shown))))
      throw commandErrors.interrupted.runNotConfirmed();
    const summary =
      options.dryRun === true ? await dryRun(job, checked) : await attempt(job, checked, resumed);
    return { summary, rejects: job.rejects.first };
  } catch (error) {
    const told =
      error instanceof SluiceError && job.batch !== undefined
        ? error
        : asFailure(error, job.signal).with({ state: 'nothing was published; live tables are untouched' });
    options.events?.failed?.(failedSummary(job, told, job.accounts));
    throw told;
  } finally {
    await job.stopped();
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
    job.waited += performance.now() - from;
  }
}

/** Asks all checks and plans the publish, as far as they allow it; writes nothing. */
export async function planPipeline(pipeline: Pipeline, options: RunOptions): Promise<Checked> {
  return asking(pipeline, options, async (job) => {
    const checked = await checkJob(job);
    return { ...checked, plan: { ...checked.plan, publish: await planPublish(job, checked) } };
  });
}

/**
 * Asks all checks of a pipeline and writes nothing. `rows`: once they pass, every row is read, transformed and checked as
 * well, and what a run would reject is among the findings.
 */
export async function checkPipeline(
  pipeline: Pipeline,
  options: RunOptions,
  { rows = false }: { readonly rows?: boolean } = {},
): Promise<Checked> {
  return asking(pipeline, options, async (job) => {
    const checked = await checkJob(job);
    if (!rows || checked.findings.some(({ finding }) => finding.severity === 'error')) return checked;
    try {
      const found = (await rowFindings(job, checked)).map((finding) => ({ name: 'rows', finding }));
      return { ...checked, findings: [...checked.findings, ...found], asked: [...checked.asked, 'rows'] };
    } finally {
      await options.database.endSnapshot();
    }
  });
}

/** Has a job asked what writes nothing; stops when it is asked to. */
async function asking<T>(
  pipeline: Pipeline,
  options: RunOptions,
  work: (job: Job) => Promise<T>,
): Promise<T> {
  const job = await Job.prepare(pipeline, options);
  job.stopped = stopStatements(options.database, job.signal);
  try {
    return await work(job);
  } catch (error) {
    throw job.signal.aborted ? stateOf(asFailure(error, job.signal), 'nothing was written') : error;
  } finally {
    await job.stopped();
    await job.clear();
  }
}

async function dryRun(job: Job, checked: Checked): Promise<Summary> {
  try {
    const accounts = await job.phase('load', 'reading, transforming and checking every row', () =>
      loadDry(job, checked),
    );
    job.accounts = accounts;
    job.records = summariseRecords(job, checked, accounts);
    assertAccounted(job, accounts);
    await assertKept(job, accounts);
    if (job.tables.length > 0)
      job.options.events?.note?.(
        'nothing was staged, so keys, foreign keys and other constraints were not asked: a rehearsal does that',
      );
    return summaryOf(job, 'dry run', accounts, { changes: foreseen(job, checked, accounts) });
  } catch (error) {
    job.options.events?.records?.({ ...job.records, errors: job.rejects.frequent.top() });
    const failure = asFailure(error, job.signal);
    logFailure(job, failure);
    throw stateOf(failure, 'a dry run: nothing was written');
  } finally {
    await job.options.database.endSnapshot();
  }
}

async function attempt(job: Job, checked: Checked, resumed: Batch | undefined): Promise<Summary> {
  const { options } = job;
  const { database } = options;
  await assertSessions(database, sessionsOf(job, checked.flows));
  await openLedger(database);
  await resolveInterrupted(database, options.events, resumed?.id);
  const batch = resumed === undefined ? await beginBatch(job) : resumed.id;
  if (resumed !== undefined) await holdStaging(job, batch);
  job.begin(batch, (resumed ?? (await findBatch(database, batch))).created_at);
  let accounts: readonly FlowAccount[] = [];
  let published: Published;
  try {
    const logFile = await options.logFileFor?.(batch);
    job.logFile = logFile;
    options.onBatch?.(batch, logFile);
    if (logFile !== undefined) await noteBatch(database, batch, { log_file: logFile });
    await moveBatch(database, batch, 'running', {
      phase: 'load',
      staging_schema: job.names.staging,
      old_schema: job.names.old,
      ...(resumed === undefined ? {} : { error: null, completed_at: null, run_record: job.record }),
    });
    if (resumed === undefined && options.rehearse !== true && job.pipeline.backup?.withRun === true)
      await backUpFirst(job);
    let surveyed = await madeAndSurveyed(job, checked);
    await lockTables(database, job.tables);
    const taken = resumed === undefined ? undefined : await takeUp(job, checked, resumed);
    // Before the first row is read: a write that the guard misses is one that the source shows.
    if (taken === undefined) await raiseGuard(job);
    const staged = taken?.staged ?? (await makeStaging(job, surveyed));
    if (taken !== undefined && taken.checkpoints === undefined) {
      accounts = taken.accounts;
      surveyed = await surveyAgain(job, staged, accounts);
    } else {
      const what = taken === undefined ? 'loading staging' : 'resuming the load';
      const told = tellProgress(job);
      try {
        accounts = await job.phase('load', what, () =>
          load(job, checked, staged.places, taken, async (loaded) => {
            surveyed = await surveyAgain(job, staged, loaded);
            return rejectBroken(job, { flows: checked.flows, surveyed, staged, accounts: loaded });
          }),
        );
      } finally {
        await told();
      }
      await database.endSnapshot();
      job.records = summariseRecords(job, checked, accounts);
      job.accounts = accounts;
      assertAccounted(job, accounts);
    }
    job.accounts = accounts;
    if (taken?.checkpoints === undefined && taken !== undefined)
      job.records = resumed?.record_summary ?? summariseRecords(job, checked, accounts);
    await job.fedBack?.claim(database, batch);
    await assertKept(job, accounts, surveyed.rows);

    const news = surveyed.oldNames?.names.length ?? 0;
    if (
      options.rehearse !== true &&
      news === 0 &&
      (await isUnchanged(job, staged, asStaged(surveyed.rows, staged, accounts)))
    ) {
      await completeIds(job, trackedKinds(job, checked.columns));
      await settlePending(database, batch, 'skipped', 'unchanged');
      job.records = unchangedRecords(job.records);
      const same = unchangedChanges(job, accounts);
      await end(job, 'completed', accounts, { changes: byTable(job, same) });
      return summaryOf(job, 'unchanged', accounts, { changes: same });
    }

    await noteBatch(database, batch, { input_columns: job.read.columns(), progress: job.progress.inputs });
    const loaded = { checked, surveyed, staged, accounts };
    published = await publishAround(job, loaded, (books) => {
      accounts = books;
      job.accounts = books;
    });
    if (options.publish === false)
      return summaryOf(job, 'staged', accounts, { loaded: published.prepared.loaded });
    if (options.rehearse === true) {
      await settlePending(database, batch, 'rolled_back', 'rehearsed');
      const { changes, lockMs } = published;
      await end(job, 'rolled_back', accounts, { dry_run: true, changes: byTable(job, changes) });
      return summaryOf(job, 'rehearsed', accounts, { changes, lockMs });
    }
  } catch (error) {
    throw await fail(job, error, accounts);
  }
  const { prepared, lockMs } = published;
  let { changes } = published;
  // What is left to do is short, and asked for.
  await job.stopped();
  await behindCommit(options, job.signal, `batch ${batch} is published`, async () => {
    changes = await committedChanges(job, changes);
    job.records = await publishedRecords(job, job.records);
    await tidy(job, prepared);
    await lowerGuard(job);
    await noteBatch(database, batch, { timings: job.timings, phase: null, record_summary: job.records });
  });
  return summaryOf(job, 'completed', accounts, { changes, lockMs });
}

/** What decides how the batch's rejects are fed back. */
function feedBackOf({ options: { copy } }: Job, { feedBack }: Checked): FeedBackFacts {
  return copy === undefined ? feedBack : { ...feedBack, into: copy.into as string };
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
async function madeAndSurveyed(job: Job, checked: Checked): Promise<Surveyed> {
  const made = await createMissing(job);
  if (made.length === 0) return checked.surveyed;
  job.options.events?.note?.(`made, since they were missing: ${made.join(', ')}`);
  const again = await checkTables(job);
  assertChecked(again);
  for (const [target, columns] of again.columns) checked.columns.set(target, columns);
  return again.surveyed;
}
