import { refuseBroken } from '../../../sinks/publish/constraints/find.js';
import { takeOut } from '../../../sinks/publish/constraints/replaced.js';
import { mayChange, type Subject } from '../../../sinks/publish/constraints/subject.js';
import { type FlowAccount, totals } from '../../core/accounting.js';
import { isError } from '../../core/errors/is-error.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { FlowPlan } from '../../core/flow.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { Job } from '../job/job.js';
import { rejectRefused } from './refused-rows.js';
import { copyReplaced } from './replaced-rows.js';
import { findOptions, placeOf, subjectsOf } from './subjects.js';
import { refuseTried } from './tried-rows.js';

/** What is loaded, with its accounts. */
export interface LoadedRows {
  readonly flows: readonly FlowPlan[];
  readonly changes: JobChanges;
  readonly accounts: readonly FlowAccount[];
}

/**
 * Makes rejects of the loaded rows that would break a constraint of a table whose rows are to be changed: all of them,
 * so that the publish does not meet the first one. Where there are more rejects than may be, nothing will be published
 * that could tell the rest: then replaced tables are asked as well, and exclusion constraints. Gives the accounts with
 * them. Costs nothing where no table has a constraint.
 */
export async function rejectBroken(job: Job, load: LoadedRows): Promise<FlowAccount[]> {
  const subjects = subjectsOf(job, load.changes);
  let accounts = [...load.accounts];
  if (subjects.length > 0) {
    const client = await job.options.database.session();
    const refused = await refuseBroken(client, subjects, await optionsFor(job, load));
    noteAsked(job, load.changes, subjects);
    if (refused > 0) accounts = await rejectRefused(job, load.flows, accounts);
  }
  const { read } = totals(accounts);
  if (job.rejects.within(job.options.maxRejects ?? { rows: 0 }, read)) return accounts;
  const keyed = hasKeys(load.changes);
  if (!keyed && subjects.every(({ facts }) => facts.constraints.exclusions.length === 0)) return accounts;
  return (await refuseMet(job, load, keyed)) === 0 ? accounts : rejectRefused(job, load.flows, accounts);
}

async function optionsFor(job: Job, { changes }: LoadedRows) {
  const { text: usersPath } = await job.options.database.usersPath();
  return { ...findOptions(job, changes), usersPath };
}

/** What a trigger may still change is left to the publish; where there is none yet, that would be late. */
function noteAsked(job: Job, { rows }: JobChanges, subjects: readonly Subject[]): void {
  for (const { target } of job.tables) {
    const subject = subjects.find(({ at }) => at === placeOf(job, target));
    if (subject !== undefined && (job.options.publish !== false || !mayChange(subject)))
      rows.asked.add(target);
  }
}

/** Whether a table that is replaced has anything that COPY into its staging does not ask. */
function hasKeys({ replace }: JobChanges): boolean {
  return (replace.surveyed?.tables ?? []).some(
    ({ constraints, indexes }) =>
      constraints.some(({ type }) => 'fpux'.includes(type)) ||
      indexes.some(({ definition }) => definition.startsWith('CREATE UNIQUE')),
  );
}

/**
 * Makes rejects of all rows that a publish which ended in `error` refuses; gives the accounts with them, as they were
 * where there are none. First what can be asked of all rows at once, exclusion constraints among it; where that finds
 * nothing, the publish is tried.
 */
export async function rejectMet(
  job: Job,
  load: LoadedRows,
  error: SluiceError,
): Promise<readonly FlowAccount[]> {
  const { staged } = load.changes.replace;
  // A key that holds only in the window is asked there, and the server's word for it names no table of the pipeline's.
  const ofReplaced =
    (staged.length > 0 && isError(error, 'publish')) ||
    staged.some(({ target: { schema, table } }) => `${schema}.${table}` === error.facts.table);
  let refused = await refuseMet(job, load, ofReplaced);
  if (refused === 0 && isError(error, 'publish'))
    refused = await refuseTried(job, load.changes, subjectsOf(job, load.changes));
  if (refused === 0) return load.accounts;
  await job.state.tracked?.beginAgain();
  return rejectRefused(job, load.flows, load.accounts);
}

/** Takes rows out of staging that break something of any table, replaced ones among them where `replaced` says so. */
async function refuseMet(job: Job, load: LoadedRows, replaced: boolean): Promise<number> {
  const client = await job.options.database.session();
  const { flows, changes } = load;
  const subjects = subjectsOf(job, load.changes);
  const options = { ...(await optionsFor(job, load)), exclusions: true };
  if (!replaced) return refuseBroken(client, subjects, options);
  const copies = await copyReplaced(job, flows, changes.replace);
  const refused = await refuseBroken(client, [...copies.map(({ subject }) => subject), ...subjects], {
    ...options,
    others: [],
    last: async () => {
      for (const { subject, place } of copies) await takeOut(client, subject, place, options.staging);
    },
  });
  for (const { subject } of copies) await client.query(`DROP TABLE ${subject.rows}`);
  return refused;
}
