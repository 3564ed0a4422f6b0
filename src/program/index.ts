import type { Batch } from '../db/ledger/batches.js';
import type { Summary } from '../run/given/summary.js';
import type { RolledBack } from '../run/rollback/rolled-back.js';
import type { BatchInfo } from './batch-info.js';
import type { CheckResult } from './checked.js';
import type {
  CallOptions,
  CheckOptions,
  RollbackOptions,
  RunOptions,
  RunResult,
  SwapOptions,
  TrialOptions,
} from './options.js';
import type { PipelineGiven } from './pipeline-file.js';

// Pipelines import what declares them from the same place: the engine is loaded when it is called.
const engine = () => import('./run.js');

/**
 * Runs a pipeline: checks, loads, validates and publishes it. Nothing is printed, asked or read from the environment, and
 * nothing is left behind when the promise settles: no session, no thread, no timer, no listener. Several calls may be
 * under way at once. `pipeline` is one, or the URL of the module (.ts or .js) that exports it as its default: threads
 * import that once more. Also a pipeline with `executeByDefault: false` writes: a dry run has a function of its own.
 *
 * Throws a SluiceError, with its code, facts and what to do next: `kind` is `usage` for what is wrong in the call,
 * `refused` where a check, a validation or a limit said no, `interrupted` after the signal, else `failed`. Whatever is
 * thrown, `facts.state` says what state live is in.
 */
export async function run(pipeline: PipelineGiven, options: RunOptions): Promise<RunResult> {
  return (await engine()).runFor(pipeline, {}, options);
}

/**
 * Asks all that a run would ask first (inputs, columns, tables, rights, the pipeline's own questions), and then reads,
 * transforms and checks every row, as far as the answers allow it; writes nothing. What is found is returned, errors
 * as well: `ok` says whether a run would begin. Throws what `run` does where nothing can be asked: usage (an input or table that
 * is not there), a lost connection, the signal.
 */
export async function checkPipeline(pipeline: PipelineGiven, options: CheckOptions): Promise<CheckResult> {
  return (await engine()).checkFor(pipeline, options);
}

/** Reads, transforms and checks every row as `run` would, and writes nothing. Throws what `run` does. */
export async function dryRun(pipeline: PipelineGiven, options: TrialOptions): Promise<RunResult> {
  return (await engine()).runFor(pipeline, { dryRun: true }, options);
}

/** Loads a pipeline and runs the whole publish in a transaction that is rolled back. Throws what `run` does. */
export async function rehearse(pipeline: PipelineGiven, options: TrialOptions): Promise<RunResult> {
  return (await engine()).runFor(pipeline, { rehearse: true }, options);
}

/** Checks, loads and validates a pipeline; `swap` publishes the batch. Throws what `run` does. */
export async function load(pipeline: PipelineGiven, options: RunOptions): Promise<RunResult> {
  return (await engine()).runFor(pipeline, { publish: false }, options);
}

/**
 * Publishes the batch that `load` has staged. Throws usage `not_staged` where it is not staged, and what `run` throws of
 * a publish; the batch stays staged then.
 */
export async function swap(pipeline: PipelineGiven, batch: string, options: SwapOptions): Promise<Summary> {
  return (await engine()).swapFor(pipeline, batch, options);
}

/**
 * Takes back what a batch has published, in one transaction. Throws refused `written_since` where rows were written since
 * and `discardWrites` is not given, `built_upon` where a later batch has replaced the table once more; live is as it was
 * then.
 */
export async function rollback(batch: string, options: RollbackOptions): Promise<RolledBack> {
  return (await engine()).rollbackFor(batch, options);
}

/** A batch as the ledger has it, with the tables that it published. Throws usage `no_ledger` and `no_such_batch`. */
export async function status(batch: string, options: CallOptions): Promise<BatchInfo> {
  return (await engine()).statusFor(batch, options);
}

/** The latest batches, newest first; at most `limit`, by default 20. Throws usage `no_ledger`. */
export async function batches(options: CallOptions & { readonly limit?: number }): Promise<Batch[]> {
  return (await engine()).batchesFor(options.limit ?? 20, options);
}
