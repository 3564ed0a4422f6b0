import type { Next } from '../next.js';

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
