import { command, type NextStep, Suggestion } from '../../core/next.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { Published } from '../../db/ledger/published.js';
import { publishing, rerun, resuming } from '../../run/given/next-command.js';

/** A running batch whose process is gone was interrupted: nothing of it is live. */
export function stateOf(batch: Batch): string {
  const unfinished = batch.status === 'running' || batch.status === 'pending';
  if (batch.dry_run && batch.status === 'rolled_back') return 'rehearsed';
  const behind = batch.phase !== null && !batch.alive ? ' (interrupted; the next command resolves it)' : '';
  if (!unfinished) return `${batch.status.replace('_', ' ')}${behind}`;
  return batch.alive ? `running (${batch.phase ?? 'starting'})` : 'interrupted';
}

/**
 * What to do about a batch, each step once; `published` is what the ledger has of its tables, `back` how its rejects
 * are resubmitted, if so.
 */
export function nextOf(
  batch: Batch,
  published: readonly Published[],
  back?: { readonly next: readonly NextStep[] },
): NextStep[] {
  const fed = back?.next ?? [];
  const given = fed.filter(isRejects);
  const rejects =
    given.length > 0 || batch.error_count === 0
      ? given
      : [command('rejects', [batch.id], {}, { note: 'the rows set aside' })];
  const rest = fed.filter((step) => !isRejects(step));
  const steps = [...stepsOf(batch, published, rejects, given.length > 0), ...rest];
  if (steps.length === 0) return ['nothing: it has published nothing that could be taken back'];
  // Of the same command twice the words are those for the rejects, which say why.
  const same = (step: NextStep) => JSON.stringify(step instanceof Suggestion ? commandOf(step) : step);
  return [...new Map(steps.map((step) => [same(step), step])).values()];
}

/** What is typed, without what is said beside it. */
const commandOf = ({ meant }: Suggestion) => (meant.kind === 'again' ? meant.change : meant.command);

const isRejects = (step: NextStep) =>
  step instanceof Suggestion && step.meant.kind === 'command' && step.meant.command.name === 'rejects';

/** The steps without those behind the correction of rejects; `corrected`: there are such. */
function stepsOf(
  batch: Batch,
  published: readonly Published[],
  rejects: readonly NextStep[],
  corrected: boolean,
): NextStep[] {
  const { id } = batch;
  const report = hasReport(batch) ? [command('report', [id])] : [];
  switch (batch.status) {
    case 'staged':
      return [publishing(batch, { note: 'publish it' }), ...rejects, ...report];
    case 'completed': {
      const back = canGoBack(published)
        ? [command('rollback', [id], {}, { note: 'put everything back' })]
        : [];
      return [...back, ...rejects, ...report];
    }
    case 'failed':
      if (batch.resumable)
        return [resuming(batch, { note: 'its staging is kept: resume it' }), ...rejects, ...report];
      if (corrected) return [...rejects, ...report];
      return [
        ...rejects,
        ...report,
        rerun(batch, {}, { lead: `${rejects.length > 0 ? 'correct them' : 'fix the cause'}, then` }),
      ];
    case 'rolled_back':
      return [rerun(batch, {}, { note: batch.dry_run ? 'write it' : 'again' }), ...rejects, ...report];
    default:
      if (batch.alive) return [command('status', [id], { watch: true }, { note: 'shows how far it is' })];
      return batch.resumable
        ? [resuming(batch, { note: 'live is untouched; goes on where it stopped' })]
        : [rerun(batch, {}, { note: 'live is untouched; start again' })];
  }
}

/** Whether all that is live of a batch can be taken back. */
function canGoBack(published: readonly Published[]): boolean {
  const left = published.filter((each) => each.rolled_back_at === null);
  return (
    left.length > 0 &&
    left.every((each) => each.dropped_at === null && (each.mode !== 'replace' || each.retained_oid !== null))
  );
}

/** Whether `report` has something to show of it. */
function hasReport({ reports, record_summary }: Batch): boolean {
  const { types, errors } = record_summary ?? { types: [], errors: [] };
  return (reports ?? []).length + types.length + errors.length > 0;
}
