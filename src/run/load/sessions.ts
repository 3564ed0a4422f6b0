import { connectionErrors } from '../../core/errors/catalogue/connection.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { endsOf, type FlowPlan } from '../../core/flow.js';
import { again } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import type { PgDatabase } from '../../db/connect.js';
import type { Job } from '../job/job.js';
import { freeSessions } from './concurrency.js';
import { isTarget } from './load.js';

/**
 * How many sessions a run has at the least, the shared one among them: in a flow one for each table that it fills, one
 * for rejects, one for records, one that holds the lock guard, those of a query and one for its snapshot.
 */
export function sessionsOf(job: Pick<Job, 'state' | 'options'>, flows: readonly FlowPlan[]): number {
  const tables = Math.max(1, ...flows.map(({ root }) => endsOf(root).filter(isTarget).length));
  const held = job.options.guard === 'lock' ? 1 : 0;
  const records = job.state.tracked === undefined ? 0 : 1;
  const read = flows.map(({ source }) => (source.kind === 'query' ? 1 + (source.sessions ?? 1) : 0));
  const queries = Math.max(0, ...read);
  // The publish has one where the load has its tables', and does without the one that looks who is in the way.
  return 1 + tables + 1 + held + records + queries;
}

/** Those of the smallest run. */
export const SESSIONS_OF_A_RUN = 3;

/** A swap and a rollback: the shared session, and the one that publishes. */
export const SESSIONS_OF_A_SWAP = 2;

/** Throws refused `few_sessions` where server, database or role leave fewer than `needed`, the shared one among them. */
export async function assertSessions(database: PgDatabase, needed: number): Promise<void> {
  const more = needed - 1;
  const free = await freeSessions(database);
  if (free >= more) return;
  // Those that have just ended may still be counted: what is so is what the server says.
  const opened = await Promise.allSettled(
    Array.from({ length: more }, () => database.connect('to see whether it may')),
  );
  for (const each of opened) if (each.status === 'fulfilled') await each.value.end();
  const failure = opened.find((each): each is PromiseRejectedResult => each.status === 'rejected')?.reason;
  if (failure === undefined) return;
  if (!(failure instanceof SluiceError) || failure.facts.sqlstate !== '53300') throw failure;
  const had = 1 + opened.filter(({ status }) => status === 'fulfilled').length;
  const { cause, next } = failure.facts;
  throw connectionErrors.few_sessions(
    { needed: plural(needed, 'session'), had, server: (cause as Error).message, next: next ?? again() },
    { cause },
  );
}
