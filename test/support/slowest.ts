import type { EventEmitter } from 'node:events';

interface Ended {
  readonly file?: string;
  readonly nesting: number;
  readonly details: { readonly duration_ms: number };
}

/** How long the tests of each file take together, in milliseconds, as they end. */
export function watchDurations(tests: EventEmitter): ReadonlyMap<string, number> {
  const durations = new Map<string, number>();
  for (const event of ['test:pass', 'test:fail'])
    tests.on(event, ({ file, nesting, details }: Ended) => {
      if (file !== undefined && nesting === 0)
        durations.set(file, (durations.get(file) ?? 0) + details.duration_ms);
    });
  return durations;
}

/** The `count` slowest of them: `12.3 s  run/resume.test.js`. */
export function slowest(durations: ReadonlyMap<string, number>, count: number): string[] {
  return [...durations]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`);
}
