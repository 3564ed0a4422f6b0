import { type Command, Option } from 'commander';
import type { TextFormat } from '../../../sinks/files/format.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { PgDatabase } from '../../db/connect.js';
import type { Session } from '../../program/database.js';
import type { InputGiven } from '../../program/inputs-given.js';
import { assertRunnable } from '../../program/runnable.js';
import { noSummary } from '../../run/end/no-summary.js';
import type { RunOptions } from '../../run/given/options.js';
import type { Summary } from '../../run/given/summary.js';
import { makingAgain, type Recipe } from '../elsewhere/recipe.js';
import { kept } from '../given/command.js';
import { asMeant, toWrite } from '../given/execute.js';
import { pairs, type RunFlags, withRun } from '../given/flags.js';
import type { CorrectedInputs } from '../given/inputs.js';
import { answerFailureWith } from '../show/failure.js';
import { asJson, givenNow, nextLines } from '../show/next.js';
import { exitOf } from '../show/outcome.js';

/** Where the rows go in place of the tables. */
interface IntoFlags {
  readonly into?: string;
  readonly format?: TextFormat;
  readonly overwrite?: boolean;
}

/** `sluice run P` and `sluice load P` */
export function declareRun(root: Command): void {
  withRun(root.command('run').argument('<pipeline>', 'its name, or the path of a .ts or .js file'))
    .description('check, load, validate and publish a pipeline')
    .option('--dry-run', 'read, transform and check every row; write nothing')
    .option('--execute', 'write, where the pipeline is a dry run by default')
    .option('--rehearse', 'load and run the whole publish, then roll it back')
    .option('--no-swap', 'stop when staging is loaded and validated (as `load`)')
    .option(
      '--into <file>',
      'write the rows into files in place of the tables (%t: the table), a folder, or - (stdout); needs no database',
    )
    .addOption(
      new Option('--format <format>', "with --into; default: what the file's name says, else csv").choices([
        'csv',
        'jsonl',
      ]),
    )
    .option('--overwrite', 'with --into: write over files that are there already')
    .action((wanted: string, flags: RunFlags & IntoFlags) => command(wanted, flags));
  withRun(root.command('load').argument('<pipeline>', 'its name, or the path of a .ts or .js file'))
    .description('check, load and validate a pipeline; `swap` publishes it later')
    .action((wanted: string, flags: RunFlags) => command(wanted, { ...flags, swap: false }));
}

async function command(wanted: string, flags: RunFlags & IntoFlags): Promise<void> {
  answerFailureWith((error) => noSummary(wanted, error));
  const { findPipeline } = await import('../given/pipelines.js');
  const { withSession } = await import('../given/session.js');
  const { assertOther, needsDatabase, publishes } = await import('../../run/given/publishes.js');
  const { pipeline: found, from } = await findPipeline(wanted);
  const pipeline = await endingAsMeant(found, flags);
  const meant = asMeant(pipeline, flags);
  assertRunnable(meant, publishes(pipeline));
  if (!publishes(pipeline))
    assertOther({ ...meant, publish: meant.swap, noTriggers: meant.triggers === false });
  const again = flags.resume !== undefined || flags.onlyRejectsOf !== undefined;
  const needed = again || needsDatabase(pipeline, await inputsOf(pipeline, flags));
  process.exitCode = await withSession(
    flags.databaseUrl,
    (session) => runWith(session, pipeline, from, meant),
    { needed },
  );
}

async function inputsOf(pipeline: Pipeline, flags: RunFlags) {
  const { givenInputs } = await import('../given/inputs.js');
  return givenInputs(pipeline, flags);
}

/** The pipeline with files in the places of its tables, where --into wants it. */
async function endingAsMeant(pipeline: Pipeline, flags: RunFlags & IntoFlags): Promise<Pipeline> {
  const { into, format, overwrite, json } = flags;
  const { exportErrors } = await import('../../core/errors/catalogue/export.js');
  const option = Object.entries({ format, overwrite }).find(([, value]) => value !== undefined)?.[0];
  if (into === undefined && option !== undefined) throw exportErrors.export_options.onlyInto({ option });
  if (into === undefined) return pipeline;
  if (into === '-' && json === true) throw exportErrors.export_options.jsonOnStdout();
  const { intoFiles, unaskedOf } = await import('../../run/given/into-files.js');
  const { say } = await import('../show/terminal.js');
  const changed = intoFiles(pipeline, {
    into,
    ...(format === undefined ? {} : { format }),
    ...(overwrite === undefined ? {} : { overwrite }),
  });
  const unasked = unaskedOf(pipeline);
  if (unasked.length > 0) say(`about its tables, and not asked: ${unasked.join(', ')}`);
  return changed;
}

/** Corrected rejects, and the inputs of the batch that they are rejects of. */
export interface CorrectedGiven extends CorrectedInputs {
  readonly originals: NonNullable<RunOptions['originals']>;
}

/** What `copy` knows of a run besides its flags. */
export interface OfCopy {
  readonly copy: NonNullable<RunOptions['copy']>;
  /** What it has found out about its inputs. */
  readonly share?: NonNullable<RunOptions['share']>;
  /** Given in place of what the flags name. */
  readonly corrected?: CorrectedGiven;
  /** How another thread makes the pipeline; left out where none can. */
  readonly again?: Recipe;
}

/** Runs `pipeline` in an open session as the flags say; shows the plan, asks, shows progress and summary. */
export async function runWith(
  session: Session,
  pipeline: Pipeline,
  from: string,
  flags: RunFlags,
  ofCopy?: OfCopy,
): Promise<number> {
  const { withQueue } = await import('../given/session.js');
  return withQueue(session, flags.queue, (queue) => runBy(queue, session, pipeline, from, flags, ofCopy));
}

async function runBy(
  queue: PgDatabase | undefined,
  session: Session,
  pipeline: Pipeline,
  from: string,
  flags: RunFlags,
  ofCopy: OfCopy | undefined,
): Promise<number> {
  const { runIn } = await import('../../program/run.js');
  const { isStdin } = await import('../../program/inputs.js');
  const { publishes } = await import('../../run/given/publishes.js');
  const { exportErrors } = await import('../../core/errors/catalogue/export.js');
  const { findBatch } = await import('../../db/ledger/batches.js');
  const { givenFiles, namesInputs } = await import('../given/inputs.js');
  const { ask } = await import('../given/ask.js');
  const { batchLog } = await import('../show/log.js');
  const { assertLoggable, ownLog } = await import('../show/log-place.js');
  const { showProgress } = await import('../show/progress.js');
  const { showPlan } = await import('../show/plan.js');
  const { showPublish } = await import('../show/publish.js');
  const { showStatistics, showSummary } = await import('../show/summary.js');
  const { rejectLines } = await import('../show/rejects.js');
  const { print, recordsOnly, say } = await import('../show/terminal.js');

  const batched = flags.dryRun !== true && publishes(pipeline);
  if (batched || flags.logFile !== undefined) assertLoggable(flags.logFile);
  const log = batchLog();
  // What has no batch to name its log after has one only where it is asked for.
  if (!batched && flags.logFile !== undefined) log.openFile(flags.logFile);
  else if (!batched) log.discard();
  const progress = await showProgress();
  const { resume } = flags;
  const write = toWrite(pipeline);
  const given = givenNow();
  const corrected =
    flags.onlyRejectsOf === undefined
      ? undefined
      : await correctedGiven(session, pipeline, flags, flags.onlyRejectsOf, ofCopy);
  // A batch that is resumed has its files in the ledger.
  const ledgerNames = corrected !== undefined || (resume !== undefined && !namesInputs(flags));
  const files = ledgerNames ? undefined : await givenFiles(pipeline, flags);
  const { inputs, ...resubmitted } = corrected ?? { inputs: files };
  const again: Recipe | undefined =
    ofCopy === undefined ? { kind: 'pipeline', from, files, resume } : ofCopy.again;
  const readsStdin = Object.values<InputGiven>({ ...pipeline.inputs, ...inputs }).some(isStdin);
  let failed: Summary | undefined;
  try {
    const { summary, rejects } = await runIn(session, pipeline, {
      from,
      ...(given === undefined ? {} : { command: kept(given) }),
      ...(inputs === undefined ? {} : { inputs }),
      settings: pairs('--set', flags.set),
      dryRun: flags.dryRun ?? false,
      rehearse: flags.rehearse ?? false,
      publish: flags.swap,
      ...(resume === undefined ? {} : { resume }),
      stopOnError: flags.stopOnError ?? false,
      keepStaging: flags.keepStaging ?? false,
      always: flags.always ?? false,
      allowEmpty: flags.allowEmpty ?? false,
      guard: flags.guard,
      noSourceData: flags.sourceData === false,
      ...(flags.records === undefined ? {} : { records: flags.records }),
      ...resubmitted,
      ...(ofCopy === undefined ? {} : { copy: ofCopy.copy }),
      ...(ofCopy?.share === undefined ? {} : { share: ofCopy.share }),
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
      ...(flags.workers === true ? { workers: true } : {}),
      ...(queue === undefined ? {} : { queue }),
      ...(again === undefined ? {} : { again: makingAgain(again) }),
      ...(flags.triggers === false ? { noTriggers: true } : {}),
      ...(flags.maxRejects === undefined ? {} : { maxRejects: flags.maxRejects }),
      ...(flags.maxShrink === undefined ? {} : { maxShrink: flags.maxShrink }),
      ...(flags.allowSuppressed === true ? { allowSuppressed: true } : {}),
      ...(flags.rewriteOids === true ? { rewriteOids: true } : {}),
      ...(flags.runOwnersCode === true ? { runOwnersCode: true } : {}),
      ...(flags.rejectsInto === undefined ? {} : { rejectsInto: flags.rejectsInto }),
      ...(flags.reportsInto === undefined ? {} : { reportsInto: flags.reportsInto }),
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
      log,
      events: {
        ...progress,
        // The log has them.
        ...(recordsOnly() === undefined ? {} : { phase: () => {} }),
        failed: (summary) => {
          failed = summary;
        },
      },
      logFileFor: (batch) => flags.logFile ?? ownLog(session.database, batch),
      onBatch: (batch, logFile) => {
        if (logFile !== undefined) log.openFile(logFile, batch);
        say(`batch ${batch}, log in ${logFile}`);
      },
      confirm: async (plan) => {
        showPlan(plan);
        if (flags.json === true && plan.files.includes('stdout'))
          throw exportErrors.export_options.jsonOnStdout();
        if (plan.publish !== undefined) showPublish(plan.publish);
        if (flags.dryRun === true && pipeline.executeByDefault === false) {
          say(`this is a dry run, the default of ${pipeline.name}: nothing is written`);
          for (const line of nextLines(write)) say(`  next: ${line}`);
          say();
        }
        if (flags.dryRun === true || flags.rehearse === true || flags.yes === true) return true;
        // Files that are there are written over by nobody who has not said so.
        return !publishes(pipeline) || ask('go on?', readsStdin);
      },
    });
    progress.stop();
    if (summary.status === 'unread') return exitOf(summary);
    showSummary(summary, rejectLines(rejects, summary.rejected, summary.batch), write, from, {
      wholeReports: flags.reportsInto !== undefined,
      publishes: publishes(pipeline),
    });
    if (summary.batch !== null && summary.rejected > 0 && summary.status === 'completed') {
      const { sayResubmit } = await import('../show/resubmit.js');
      await sayResubmit(session.database, await findBatch(session.database, summary.batch));
    }
    if (flags.json === true) print(asJson(summary));
    return exitOf(summary);
  } catch (error) {
    progress.stop();
    if (failed !== undefined) showStatistics(failed);
    if (flags.json === true && failed !== undefined) print(asJson(failed));
    throw error;
  } finally {
    progress.stop();
    log.close();
  }
}

/** What a run that feeds corrected rejects of batch `id` back is given. */
async function correctedGiven(
  { database }: Session,
  pipeline: Pipeline,
  flags: RunFlags,
  id: string,
  ofCopy: OfCopy | undefined,
): Promise<CorrectedGiven & { readonly onlyRejectsOf: string }> {
  const { correctedInputs, resumedInputs } = await import('../given/inputs.js');
  const given = ofCopy?.corrected ?? {
    ...(await correctedInputs(pipeline, flags)),
    originals: () => resumedInputs(database, pipeline, id, { ...flags, source: undefined, input: [] }),
  };
  return { onlyRejectsOf: id, ...given };
}
