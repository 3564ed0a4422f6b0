import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder: compiled code lives below dist/, samples and SQL beside it. */
export const packageRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/** The path of a file that ships with the package. */
export function packageFile(...path: readonly string[]): string {
  return join(packageRoot, ...path);
}

/**
 * The folder of the compiled code that runs: `dist`, or `dist/bundle`, where the command line and what it loads are fewer
 * and larger files, since five hundred modules take half a second to load. What is loaded by its path comes out of the
 * same one: a second copy would have classes and settings of its own.
 */
const compiledRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'src', 'cli', 'main.js'))) folder = dirname(folder);
  return folder;
})();

/** The path of a compiled module, as it lies below `src`, `sinks`, `transforms` or `pipelines`. */
export function compiledFile(...path: readonly string[]): string {
  return join(compiledRoot, ...path);
}

/** The version in package.json. */
export const packageVersion: string = (
  JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }
).version;
