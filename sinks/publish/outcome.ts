import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { type Backend, END, isAtWork, parametersOf, SEEN, type Seen } from '../../src/db/backend.js';
import { isShutOut, isUnanswered } from '../../src/db/connection-error.js';
import { unknownOutcome } from './errors.js';

/** How long the server may be at work on what the lost session had sent, or be away. */
const PATIENCE_MS = 30_000;
/** The same once the command is asked to stop. */
const HURRIED_MS = 500;
const POLL_MS = 200;

export interface OutcomeOptions {
  /** Reads the ledger on a session of its own: did the transaction commit? */
  readonly resolve: () => Promise<'committed' | 'not'>;
  readonly signal?: AbortSignal;
}

/**
 * What became of the transaction of the process `backend`, the connection to which broke: the server may still be running it, and commits it
 * without us. So its end is awaited before the ledger is asked. A process that is not at work any more has either done
 * what was sent, or not got it; what it has not got may still be on its way, so it is ended first (and its locks
 * with it). Throws failed('outcome_unknown') where that cannot be learned in time.
 */
export async function outcomeOf(
  connect: () => Promise<Client>,
  backend: Backend,
  options: OutcomeOptions,
  cause: unknown,
): Promise<'committed' | 'not'> {
  const from = Date.now();
  const hurried = () => options.signal?.aborted === true;
  const late = () => Date.now() - from > (hurried() ? HURRIED_MS : PATIENCE_MS);
  for (;;) {
    try {
      if (await isGone(connect, backend)) return await options.resolve();
    } catch (error) {
      // Where nobody answers, nobody will within the moment that is left.
      if (isShutOut(error) || late() || (hurried() && isUnanswered(error)))
        throw unknownOutcome(error, cause);
    }
    if (late()) throw unknownOutcome(undefined, cause);
    await sleep(POLL_MS);
  }
}

async function isGone(connect: () => Promise<Client>, backend: Backend): Promise<boolean> {
  const client = await connect();
  client.on('error', () => {});
  try {
    const { rows } = await client.query<Seen>(SEEN, parametersOf([backend]));
    if (rows[0] === undefined) return true;
    if (!isAtWork(rows[0])) await client.query(END, parametersOf([backend]));
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
