import { type Batch, startBatch } from '../../db/ledger/batches.js';
import type { InputRecord, RunManifest } from '../../db/ledger/run-manifest.js';
import { sourceOf } from '../end/summary.js';
import { ledgerOptions } from '../given/ledger-options.js';
import { rerun } from '../given/next-command.js';
import { assertSameInputs, readOnce, recordInputs } from '../inputs/fingerprint.js';
import type { Job } from '../job/job.js';
import { codeOf } from './code-hash.js';

/**
 * What resuming this run would take. Says beforehand where an input can be read only once. Throws
 * `input_changed` where the run resumes `resumed` and the inputs are not those of then.
 */
export async function recordRun(job: Job, resumed: Batch | undefined): Promise<RunManifest> {
  const { options } = job;
  const inputs = await recordInputs(job.inputs, options.inputs ?? {}, job);
  const before = resumed?.manifest;
  if (resumed !== undefined && before !== undefined && before !== null) {
    assertSameInputs(before.inputs, inputs, rerun(resumed));
    const { code, ...rest } = before;
    return {
      ...rest,
      inputs: withLabels(before.inputs, inputs),
      ...(code === codeOf(job) ? { code } : {}),
    };
  }
  const once = readOnce(inputs);
  const real = options.dryRun !== true && options.rehearse !== true && options.limit === undefined;
  if (real && once.length > 0)
    options.events?.note?.(
      `${once.join(' and ')} can be read only once: a load that breaks off starts again from the beginning; one from a file can go on where it stopped`,
    );
  return {
    ...(options.command === undefined ? {} : { command: options.command }),
    inputs,
    code: codeOf(job),
    // The lock of --guard lock ends with its session, and what is written then is not seen.
    // Corrected rejects are few, and which of them are done is claimed once.
    repeatable: real && once.length === 0 && options.guard !== 'lock' && options.onlyRejectsOf === undefined,
    guard: options.guard ?? 'journal',
    ...(job.pipeline.fills === undefined ? {} : { fills: filled(job) }),
    publish: options.publish ?? true,
    ...(job.kept === 'none' && options.records === undefined ? {} : { records: job.kept }),
    ...(options.noSourceData === true ? { noSourceData: true } : {}),
    ...(options.allowEmpty === true ? { allowEmpty: true } : {}),
    ...(options.maxShrink === undefined ? {} : { maxShrink: options.maxShrink }),
    ...(options.stopOnError === true ? { stopOnError: true } : {}),
    ...(options.maxRejects === undefined ? {} : { maxRejects: options.maxRejects }),
    ...(options.copy === undefined ? {} : { copy: options.copy }),
    ...(job.resubmitted === undefined ? {} : { resubmitted: job.resubmitted.way }),
  };
}

/** The inputs as they were; but rejects call them by what they are called now. */
function withLabels(
  before: Readonly<Record<string, InputRecord>>,
  now: Readonly<Record<string, InputRecord>>,
): Record<string, InputRecord> {
  return Object.fromEntries(
    Object.entries(before).map(([name, record]) => {
      const label = now[name]?.label;
      return [name, label === undefined ? record : { ...record, label }];
    }),
  );
}

function filled({ pipeline }: Job): Record<string, readonly string[]> {
  const all = Object.entries(pipeline.tables).map(([name, { columns = [] }]) => [name, columns] as const);
  return Object.fromEntries(all);
}

/** Starts the job's batch in the ledger; its id. */
export async function beginBatch(job: Job): Promise<string> {
  const { options } = job;
  const { source, sourceFile } = sourceOf(job);
  return startBatch(options.database, {
    pipeline: job.pipeline.name,
    from: options.from ?? job.pipeline.name,
    source,
    sourceFile,
    settings: job.settings,
    options: ledgerOptions(options),
    stopOnError: options.stopOnError ?? false,
    onlyRejectsOf: options.onlyRejectsOf,
    record: job.state.manifest,
  });
}
