import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, QueryResult } from 'pg';
import { backendOf, identify } from '../../src/db/backend.js';
import { inAttempts, isLockFailure } from '../../src/db/locks/attempts.js';
import { type Blocker, blockersOf, preparedOn } from '../../src/db/locks/blockers.js';
import { ident } from '../../src/db/quote.js';
import { isConnectionLoss, sqlstateOf } from '../../src/db/server-error.js';
import { guardLost, locked, prepared, refusal, tooSlow } from './errors.js';
import { outcomeOf } from './outcome.js';
import {
  CLOCK,
  LOCKING,
  mergedLocks,
  OUR_SETTINGS,
  type WindowPart,
  windowBudget,
  windowStatements,
} from './window.js';
import { WINDOW_SAVEPOINT } from './write-guard/lock.js';

export interface RetryInfo {
  /** The attempt that failed (from 1), of how many. */
  readonly attempt: number;
  readonly of: number;
  readonly reason: string;
  /** Who was in the way when it was last looked at. */
  readonly blockers: readonly Blocker[];
  /** How long until the next attempt. */
  readonly waitMs: number;
}

export interface PublishOptions {
  readonly attempts: number;
  /** Statements that record the publish, inside its transaction, under our search_path: qualify names. */
  readonly ledger: readonly string[];
  readonly onRetry: (info: RetryInfo) => void;
  /** A session to look who is in the way; undefined where there is none left. Default: as the other one. */
  readonly spare?: () => Promise<Client | undefined>;
  /** Reads the ledger on a session of its own: did the publish commit? Asked only after a lost connection. */
  readonly resolve: () => Promise<'committed' | 'not'>;
  readonly rehearse?: boolean;
  /** Default 150, and 400 for few tables: see windowBudget. */
  readonly lockTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /**
   * A session in whose transaction holdGuard has locked the tables: the window runs in it, between attempts
   * it goes back to the guard's savepoint, and the end of the window ends the transaction. The caller ends the
   * session.
   */
  readonly held?: Client;
}

export interface Published {
  readonly attempts: number;
  /** From BEGIN to the answer to COMMIT, as the client saw it, in the attempt that succeeded. */
  readonly windowMs: number;
  /** From the last lock taken to COMMIT, as the server saw it: how long others had to wait at most. */
  readonly lockMs: number;
  /** The rows that its statements gave; none where the answer to COMMIT was lost. */
  readonly answers: readonly Readonly<Record<string, unknown>>[];
}

/** How often a window is given twice the time before it is given up as too slow. */
const SLOW_ATTEMPTS = 2;

/**
 * Runs the publishing transaction until it commits (or, in a rehearsal, is rolled back on purpose). While
 * it waits for locks a second session looks who is in the way. Lock timeouts and deadlocks are retried up
 * to `attempts` times with growing, random waits; a running autovacuum is given one attempt long enough
 * to be cancelled by the server. A window that is slow though nobody is in its way is given more time. Both sessions come from `connect` and are ended here.
 *
 * Throws refused('prepared_transaction'), refused('locked') naming the blockers, refused('publish_slow') naming what took so
 * long, refused('catalog_changed'),
 * refused('not_alike') with the lines of the new table as its details,
 * refused('guard_lost') where the session of `held` is gone, failed('outcome_unknown') where a lost connection's outcome cannot be learned, interrupted errors of
 * `signal`, and refused or failed('publish') for any other error of a statement. Except for
 * 'outcome_unknown', nothing was published when it throws.
 */
export async function publish(
  connect: () => Promise<Client>,
  parts: readonly WindowPart[],
  options: PublishOptions,
): Promise<Published> {
  const usual: Times = {
    lockTimeoutMs: options.lockTimeoutMs ?? 150,
    statementTimeoutMs: options.statementTimeoutMs ?? windowBudget(parts, 400),
  };
  let times = usual;
  let slowly = 0;
  return inAttempts(
    async (attempt) => {
      options.signal?.throwIfAborted();
      return { attempts: attempt, ...(await attemptOnce(connect, parts, options, times)) };
    },
    (caught, attempt, waitMs) => {
      if (!(caught instanceof GaveWay)) throw caught;
      const { cause, blockers, deadlockMs, slow } = caught;
      if (slow !== undefined) {
        // Nobody is in the way, and the tables are locked meanwhile: twice more, each time with twice the time.
        const { statementTimeoutMs } = times;
        if (++slowly > SLOW_ATTEMPTS) throw tooSlow(slow, statementTimeoutMs, parts, cause);
        times = { ...usual, statementTimeoutMs: statementTimeoutMs * 2 };
        const reason = `${slow} took longer than ${statementTimeoutMs} ms`;
        options.onRetry({ attempt, of: attempt + SLOW_ATTEMPTS - slowly + 1, reason, blockers: [], waitMs });
        return;
      }
      const stuck = blockers.filter(({ pid }) => pid === null);
      if (stuck.length > 0) throw prepared(stuck);
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (attempt >= options.attempts) throw locked(attempt, reason, { error: cause, blockers });
      const vacuumed = blockers.some((blocker) => blocker.backend === 'autovacuum worker');
      // The server cancels an autovacuum for a waiter only after deadlock_timeout; wait that long, once.
      times =
        vacuumed && times === usual
          ? { lockTimeoutMs: deadlockMs + 300, statementTimeoutMs: deadlockMs + 800 }
          : usual;
      options.onRetry({ attempt, of: options.attempts, reason, blockers, waitMs });
    },
    options.signal,
  );
}

/** How long an attempt waits for one lock, and for any statement. */
type Times = Required<Pick<PublishOptions, 'lockTimeoutMs' | 'statementTimeoutMs'>>;

/** An attempt that may be repeated: `cause` is what ended it. */
class GaveWay extends Error {
  constructor(
    override readonly cause: unknown,
    readonly blockers: readonly Blocker[],
    readonly deadlockMs: number,
    /** What took too long though nobody was in the way. */
    readonly slow?: string,
  ) {
    super('an attempt gave way');
  }
}

async function attemptOnce(
  connect: () => Promise<Client>,
  parts: readonly WindowPart[],
  options: PublishOptions,
  times: Times,
): Promise<Omit<Published, 'attempts'>> {
  const { held } = options;
  const client = held ?? (await connect());
  client.on('error', () => {});
  const undo = held === undefined ? 'ROLLBACK' : `ROLLBACK TO SAVEPOINT ${ident(WINDOW_SAVEPOINT)}`;
  // Who is in the way is then not known.
  const watch = await (options.spare ?? connect)();
  watch?.on('error', () => {});
  const waiting = { over: false };
  try {
    const asked = client.query<{ deadlock_ms: number }>(
      `SELECT setting::pg_catalog.int4 AS deadlock_ms FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'`,
    );
    const session = await asked.catch((error: unknown) => {
      throw held === undefined ? error : guardLost(error);
    });
    const { deadlock_ms } = session.rows[0] as { deadlock_ms: number };
    const backend = backendOf(client) ?? (await identify(client));
    const stuck = await preparedOn(watch ?? client, mergedLocks(parts));
    if (stuck.length > 0) throw prepared(stuck);
    await rehearseChecks(client, parts, held === undefined ? ['BEGIN'] : [], undo);
    let blockers: readonly Blocker[] = [];
    const watching = (async () => {
      while (!waiting.over && watch !== undefined) {
        const now = await blockersOf(watch, backend.pid).catch(() => []);
        if (now.length > 0) blockers = now;
        await sleep(25);
      }
    })();
    const begun = performance.now();
    const statements = windowStatements(parts, { ...options, ...times, held: held !== undefined });
    const done = countCompleted(client);
    try {
      const sql = `${statements.map((each) => each.sql).join(';\n')};\n`;
      const results = (await client.query(sql)) as unknown as QueryResult[];
      const answers = results.flatMap((result) => result.rows as Record<string, unknown>[]);
      const windowMs = performance.now() - begun;
      return { windowMs, lockMs: lockedFor(answers), answers };
    } catch (error) {
      const at = statements[done.stop()];
      await client.query(undo).catch(() => {});
      // What the server has not said leaves it open whether the publish committed.
      if (sqlstateOf(error) === undefined || isConnectionLoss(error)) {
        const outcome = options.rehearse ? 'not' : await outcomeOf(connect, backend, options, error);
        if (outcome === 'committed') return { windowMs: performance.now() - begun, lockMs: 0, answers: [] };
        if (held !== undefined) throw guardLost(error);
        throw new GaveWay(error, blockers, deadlock_ms);
      }
      if (sqlstateOf(error) === OUT_OF_TIME && blockers.length === 0)
        throw new GaveWay(error, blockers, deadlock_ms, at?.what ?? LOCKING);
      if (isLockFailure(error)) throw new GaveWay(error, blockers, deadlock_ms);
      // A limit of the server's is explained as it is anywhere else.
      throw sqlstateOf(error) === OUT_OF_MEMORY ? error : refusal(error);
    } finally {
      done.stop();
      waiting.over = true;
      await watching;
    }
  } finally {
    const ours = held === undefined ? [client, watch] : [watch];
    await Promise.all(ours.map((session) => session?.end().catch(() => {})));
  }
}

/** The statement was cancelled: by its timeout, where nobody asked for it. */
const OUT_OF_TIME = '57014';

/** Memory of the server's, or room for locks. */
const OUT_OF_MEMORY = '53200';

/** Counts the statements of the message under way that the server has completed; `stop` says how many. */
function countCompleted(client: Client): { stop(): number } {
  const { connection } = client as unknown as { readonly connection: EventEmitter };
  let count = 0;
  const one = () => void count++;
  connection.on('commandComplete', one);
  return {
    stop() {
      connection.off('commandComplete', one);
      return count;
    },
  };
}

/**
 * Runs the rechecks once without locks: what has changed already is refused before anybody waits for us,
 * and the session reads the catalog into its caches now instead of under the locks.
 */
async function rehearseChecks(
  client: Client,
  parts: readonly WindowPart[],
  begin: readonly string[],
  undo: string,
): Promise<void> {
  const checks = parts.flatMap((part) => part.rechecks);
  if (checks.length === 0) return;
  try {
    await client.query([...begin, ...OUR_SETTINGS, ...checks, undo].join(';\n'));
  } catch (error) {
    await client.query(undo).catch(() => {});
    throw sqlstateOf(error) === undefined ? error : refusal(error);
  }
  const proofs = parts.flatMap((part) => part.proofs ?? []);
  if (proofs.length === 0) return;
  // What they are to prove is not so yet: they are run for what they read.
  await client
    .query([...begin, ...OUR_SETTINGS, ...proofs, undo].join(';\n'))
    .catch(async (error: unknown) => {
      if (sqlstateOf(error) === undefined) throw error;
      await client.query(undo);
    });
}

function lockedFor(answers: Published['answers']): number {
  const read = (name: string) => answers.find((row) => name in row)?.[name];
  return Math.max(0, Number(read(CLOCK.end)) - Number(read(CLOCK.locked)));
}
