import { runErrors } from '../core/errors/catalogue/run.js';
import type { SluiceError } from '../core/errors/sluice-error.js';
import type { Next } from '../core/next.js';
import type { Log } from '../core/run.js';
import type { Events } from '../run/given/events.js';
import type { Summary } from '../run/given/summary.js';
import type { RunEvents } from './options.js';
import { stepsFor } from './steps.js';

/** What the engine tells, for a program's listeners: `fail` is told of the first one that throws. */
export function eventsFor(events: RunEvents, fail: (error: SluiceError) => void, log: Log) {
  const failed = (event: keyof RunEvents, cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    log.error('a listener failed', { event, why });
    fail(runErrors.listener_failed({ event, why }, { cause }));
  };
  const guarded = (event: keyof RunEvents, tell: () => unknown) => {
    try {
      const told = tell();
      if (told instanceof Promise) told.catch((cause: unknown) => failed(event, cause));
    } catch (cause) {
      failed(event, cause);
    }
  };
  const engine = {
    phase: (name, what) => guarded('phase', () => events.phase?.(name, what)),
    progress: (at) => guarded('progress', () => events.progress?.(at)),
    note: (text: string, next?: Next) => guarded('note', () => events.note?.(text, stepsFor(next))),
    warn: (text: string, next?: Next) => guarded('warn', () => events.warn?.(text, stepsFor(next))),
    failed: (summary) => guarded('failed', () => events.failed?.(spokenSummary(summary))),
  } satisfies Events;
  return { ...engine, batch: (id: string) => guarded('batch', () => events.batch?.(id)) };
}

/** A summary whose error says what to do next as a program does it. */
function spokenSummary(summary: Summary): Summary {
  const { error } = summary;
  if (error?.next === undefined) return summary;
  return { ...summary, error: { ...error, next: stepsFor(error.next) } };
}
