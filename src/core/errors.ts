import type { Next } from './next.js';

/** Exit codes of the command line; the only numbers that a shell script may rely on. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  publishedWithRejects: 4,
  interrupted: 130,
} as const;

export type ErrorKind = 'failed' | 'usage' | 'refused' | 'interrupted';

/** What an error knows besides its sentence; every field is printed when it is there. */
export interface ErrorFacts {
  /** Where: input or file, line (1-based), byte offset (0-based), column, offending value. */
  readonly input?: string;
  readonly line?: number;
  readonly offset?: number;
  readonly column?: string;
  readonly value?: unknown;
  readonly table?: string;
  readonly sqlstate?: string | undefined;
  /** Further lines: a list of offenders, say. Bounded by whoever makes the error. */
  readonly details?: readonly string[];
  /** The log file that has the stack trace. */
  readonly log?: string;
  /** What state things are in now. */
  readonly state?: string;
  /** What of a batch that failed is kept, so that the first of `next` resumes it: its load, or all there is to publish. */
  readonly kept?: 'load' | 'staged';
  /** What to do next, best a command to type. */
  readonly next?: Next;
  readonly cause?: unknown;
}

/**
 * The one error class: a stable code (snake_case) for programs, a sentence for people, a kind that
 * decides the exit code, and facts.
 */
export class SluiceError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly facts: ErrorFacts;

  constructor(kind: ErrorKind, code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.kind = kind;
    this.facts = facts;
  }

  /** The same error with more facts; those already known win, so the first witness is believed. */
  with(facts: ErrorFacts): SluiceError {
    return this.but({ ...facts, ...this.facts });
  }

  /** The same error with these facts in place of its own of the same names: whoever sees the whole knows better. */
  but(facts: ErrorFacts): SluiceError {
    const changed = new SluiceError(this.kind, this.code, this.message, { ...this.facts, ...facts });
    if (this.stack !== undefined) changed.stack = this.stack;
    return changed;
  }
}

/** An error as `--json` prints it: its kind decides the status and the exit code. */
export interface ErrorAnswer extends Omit<ErrorFacts, 'cause'> {
  readonly code: string;
  readonly message: string;
}

/** Whatever was thrown, as `--json` prints it. */
export function errorAnswer(error: unknown): { readonly kind: ErrorKind; readonly answer: ErrorAnswer } {
  if (!(error instanceof SluiceError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', answer: { code: 'unexpected', message } };
  }
  const { cause: _, next, ...facts } = error.facts;
  const steps = next === undefined ? {} : { next: [next].flat() };
  return { kind: error.kind, answer: { code: error.code, message: error.message, ...facts, ...steps } };
}

/** Something broke: exit 1. */
export const failed = (code: string, message: string, facts?: ErrorFacts) =>
  new SluiceError('failed', code, message, facts);

/** The command line or a pipeline's definition is wrong: exit 2. */
export const usage = (code: string, message: string, facts?: ErrorFacts) =>
  new SluiceError('usage', code, message, facts);

/** A check, a validation or a limit said no: exit 3. */
export const refused = (code: string, message: string, facts?: ErrorFacts) =>
  new SluiceError('refused', code, message, facts);

/** Somebody asked us to stop: exit 130. */
export const interrupted = (message = 'interrupted', facts?: ErrorFacts) =>
  new SluiceError('interrupted', 'interrupted', message, facts);

/** What is longer than any name in use was not mistyped. */
const LONGEST_MEANT = 500;

/** The name closest to `wanted` among `names` (at most a third of it mistyped), for "did you mean". */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    // What differs in length by more than that is further away; comparing costs the product of both.
    if (Math.abs(wanted.length - name.length) >= bestDistance || name.length > LONGEST_MEANT) continue;
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase(), bestDistance);
    // Where nothing is left as it was, no name is meant.
    if (distance < bestDistance && distance < Math.max(wanted.length, name.length)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many characters of `a` to change, to leave out or to add for `b`; `enough` or more where it is that many. */
function editDistance(a: string, b: string, enough: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    if (Math.min(...current) >= enough) return enough;
    previous = current;
  }
  return previous[b.length] as number;
}
