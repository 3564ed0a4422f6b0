import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** A preload (`--import`) that notes every module which the process loads, a path or URL a line, in a file. */
const into = process.env.SLUICE_TEST_LOADED ?? '';

if (isMainThread) {
  register(import.meta.url);
  const { cache } = createRequire(import.meta.url);
  // What CommonJS requires of its own kind passes by the hooks.
  process.on('exit', () => {
    for (const path of Object.keys(cache)) appendFileSync(into, `${path}\n`);
  });
}

/** Node's hook: called for every module that is imported. */
export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => unknown,
): Promise<unknown> {
  appendFileSync(into, `${url}\n`);
  return next(url, context);
}
