import type { Flags } from '../../core/command.js';
import { command, type NextStep, type Suggestion } from '../../core/next.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { ResubmitFacts } from '../../db/ledger/run-manifest.js';
import { NOT_FED_BACK, publishing, rerun } from '../given/next-command.js';
import { readOnce } from '../inputs/fingerprint.js';

/**
 * How corrected rejects come to be published: `beside` the rows that their batch has published, or `in place` of the
 * rejected rows while the inputs are read whole once more; or why neither is sound, and what to do.
 */
export type ResubmitWay =
  | { readonly way: 'beside' | 'in place' }
  | { readonly way: 'none'; readonly code: NoWay; readonly why: string; readonly next: readonly NextStep[] };

/** The code of the error that says why neither is sound. */
type NoWay = 'at_source' | 'not_published' | 'rejects_of_rejects' | 'read_once' | 'whole_table';

/** What of a batch decides it. */
export type ResubmittedBatch = Pick<
  Batch,
  'id' | 'pipeline' | 'pipeline_from' | 'status' | 'only_rejects_of' | 'manifest' | 'settings' | 'options'
>;

/** A reject, as far as it decides it. */
export interface RejectPlace {
  /** As rejects call it. */
  readonly input: string;
  readonly stage: string;
}

/** Decides how rejects of `batch` are published once they are corrected. Pure. */
export function resubmitWay(
  batch: ResubmittedBatch,
  facts: ResubmitFacts,
  rejects: readonly RejectPlace[],
): ResubmitWay {
  const { id, status } = batch;
  if (facts.atSource !== undefined)
    return none('at_source', facts.atSource, [
      rerun(batch, {}, { lead: 'correct the rows in the system that they come from, then' }),
    ]);
  if (status === 'staged')
    return none(
      'not_published',
      `batch ${id} is staged: its other rows are not live, and its rejects alone would be a part of them`,
      [publishing(batch, { lead: 'publish it first' })],
    );
  if (status === 'pending' || status === 'running')
    return none('not_published', `batch ${id} has not come to its end`, [command('status', [id])]);
  const hindrance = status === 'completed' ? hindranceOf(facts, rejects) : 'nothing of the batch is live';
  if (hindrance === undefined) return { way: 'beside' };
  const { only_rejects_of: of } = batch;
  if (of !== null)
    return none(
      'rejects_of_rejects',
      `${hindrance}, and batch ${id} was itself given rejects of batch ${of}`,
      [
        ...(status === 'completed' ? [command('rollback', [id], {}, { lead: 'undo the batch first' })] : []),
        rerun(batch, {}, { lead: 'correct the rows in the file that it was given, then' }),
      ],
    );
  const once = readOnce(batch.manifest?.inputs ?? {});
  if (once.length > 0)
    return none(
      'read_once',
      `${hindrance}: the whole input must be read again, and ${once.join(' and ')} could be read only once`,
      ['save the input to a file, correct the rows in it, and run that file whole'],
    );
  if (status !== 'completed' || facts.adds.length === 0) return { way: 'in place' };
  return none('whole_table', hindrance, [
    command('rollback', [id], {}, { lead: 'undo the batch first' }),
    resubmitStep(batch, facts, 'fixed.csv').saying({ lead: 'then, corrected' }),
  ]);
}

/** Why corrected rows cannot be published by themselves beside the others. */
function hindranceOf(
  { whole, inputs = {} }: ResubmitFacts,
  rejects: readonly RejectPlace[],
): string | undefined {
  if (whole !== undefined) return whole;
  for (const { input, stage } of rejects) {
    const { together, beforeFork } = Object.hasOwn(inputs, input) ? (inputs[input] ?? {}) : {};
    if (together !== undefined) return `the stage "${together}" looks at rows of ${input} together`;
    if (beforeFork !== undefined && !beforeFork.includes(stage))
      return `rows of ${input} go to several tables, and what was rejected after the fork (${stage}) may be in another already`;
  }
  return undefined;
}

/** What of the command that began a batch is none of a command that resubmits its rejects. */
const OF_THE_LOAD = [...NOT_FED_BACK, 'rejectsInto', 'reportsInto', 'rehearse', 'swap'];

/** What a copy was told that is neither of its files nor of how they fit the table: it holds for corrected rows, too. */
const OF_ANY_LOAD: ReadonlySet<string> = new Set([
  ...[
    'maxRejects',
    'stopOnError',
    'maxShrink',
    'allowEmpty',
    'allowSuppressed',
    'rewriteOids',
    'runOwnersCode',
  ],
  ...['guard', 'triggers', 'jobs', 'sourceData', 'logFile', 'logFormat'],
]);

/** The command that gives `file`, a file or folder of corrected rejects of the batch, back. */
export function resubmitStep(batch: ResubmittedBatch, facts: ResubmitFacts, file: string): Suggestion {
  const { into, execute } = facts;
  const said = { note: 'resubmits them' };
  if (into !== undefined) {
    const given = Object.entries(batch.manifest?.command?.flags ?? {});
    const kept = Object.fromEntries(given.filter(([flag]) => OF_ANY_LOAD.has(flag)));
    return command('copy', [file], { into, onlyRejectsOf: batch.id, ...kept }, said);
  }
  const writes: Flags = execute === true ? { execute } : {};
  const flags: Flags = { source: file, onlyRejectsOf: batch.id, ...writes };
  return rerun(batch, { drop: OF_THE_LOAD, flags }, said);
}

const none = (code: NoWay, why: string, next: readonly NextStep[]): ResubmitWay => ({
  way: 'none',
  code,
  why,
  next,
});
