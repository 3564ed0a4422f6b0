import type { TestsStream } from 'node:test';

/** Which tests have begun and not ended, per file. */
export type Unfinished = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Follows a run's events, so that a file which does not end can be told by its tests: the time limit of
 * `run` ends the file and says no more than its name.
 */
export function watchUnfinished(tests: TestsStream): Unfinished {
  const unfinished = new Map<string, Set<string>>();
  // The file itself is announced as a test of its own, which is no news.
  const isTest = ({ file, name }: { file?: string; name: string }) => file !== undefined && name !== file;
  tests.on('test:dequeue', (test) => {
    if (!isTest(test)) return;
    const file = test.file as string;
    unfinished.set(file, (unfinished.get(file) ?? new Set()).add(test.name));
  });
  const ended = (test: { file?: string; name: string }) => {
    if (isTest(test)) unfinished.get(test.file as string)?.delete(test.name);
  };
  tests.on('test:pass', ended);
  tests.on('test:fail', ended);
  return unfinished;
}
