import type pg from 'pg';
import type { Settings } from './pinned.js';

/**
 * How long a connection is silent before the other end is asked whether it is there. Half of what the shortest
 * usual memory of a firewall or NAT is (a minute); the system's own two hours are far behind it.
 */
export const KEEPALIVE_MS = 30_000;

/**
 * The same on the server's side, so that a session whose client is gone does not keep its locks: after 30 s it is asked,
 * and a minute later it is given up. Over a Unix socket, and where a platform has no such thing, the server leaves them
 * out. TCP_USER_TIMEOUT is not among them: it would also end sessions whose rows we are slow to read; and Node cannot set
 * it on our side.
 */
export const KEEPALIVES: Settings = {
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

/**
 * How long connecting, and a statement, may take in a pool for a library: they are short there, and nobody else asks
 * after one that has no answer.
 */
export const POOLED_MS = 30_000;

/** How long what should be short may take, and how long a statement goes unanswered before it is asked after. */
export interface Timing {
  /** Connecting: TCP, TLS, log-in, and the first statements. */
  readonly connectMs: number;
  /** Without a byte either way while a statement is under way: then another session is asked what ours does. */
  readonly quietMs: number;
  /** Between the first and the second look: an answer may be on its way. */
  readonly againMs: number;
  /** What the other session may take. */
  readonly askMs: number;
  /** How long no other session may be had before ours counts as lost, too. */
  readonly unreachableMs: number;
  /** How long a server that was there before is waited for (a restart). */
  readonly returnMs: number;
  /** What a goodbye may take. */
  readonly goodbyeMs: number;
}

export const TIMING: Timing = {
  connectMs: 15_000,
  quietMs: 30_000,
  againMs: 5_000,
  askMs: 10_000,
  unreachableMs: 30_000,
  returnMs: 10_000,
  goodbyeMs: 5_000,
};

/** Once the command is asked to stop: it ends within two seconds, also where nobody answers. */
export const HURRIED_TIMING: Timing = {
  connectMs: 1_300,
  quietMs: 250,
  againMs: 200,
  askMs: 1_300,
  unreachableMs: 0,
  returnMs: 0,
  goodbyeMs: 200,
};

/** `promise`, or an error like that of a dead connection after `milliseconds`. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks at a silent connection before it is given up. */
const LOOKS = 8;
/** A server that answers, be it slowly, has at least so long. */
const SLOWLY_MS = 5_000;

/**
 * `promise`, or an error like that of a dead connection where `bytes` (received so far) has not grown for `milliseconds`: a
 * loaded server or machine that answers slowly is not a dead one. It is looked at several times, since a process
 * that was kept from running has not read what has come.
 */
export async function whileHeard<T>(
  promise: Promise<T>,
  bytes: () => number,
  milliseconds: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const until = Date.now() + Math.max(milliseconds, SLOWLY_MS);
  let last = bytes();
  let silent = 0;
  const late = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = bytes();
      silent = now === last ? silent + 1 : 0;
      last = now;
      if (silent >= LOOKS || Date.now() > until) reject(noAnswer(`no answer within ${milliseconds} ms`));
    }, milliseconds / LOOKS);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearInterval(timer);
  }
}

/** An error of a connection over which nothing comes. */
export function noAnswer(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT', syscall: 'read' });
}

/** Closes a session's socket without a goodbye: the server's process ends when it notices. */
export function cutOff(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
