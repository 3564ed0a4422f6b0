import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { compiledFile } from '../core/package.js';

let registered = false;

/**
 * Imports a user's module, TypeScript or JavaScript (ES modules). `sluice`, `sluice/transforms`, `sluice/sinks` and
 * `sluice/pipelines/NAME` mean this very package, wherever the file lies and whatever is installed beside it: a second
 * copy would have classes and settings of its own.
 */
export async function loadUserModule(url: string): Promise<Record<string, unknown>> {
  if (!registered) register(pathToFileURL(compiledFile('src', 'program', 'user-module-hooks.js')));
  // Stack traces name lines of the user's TypeScript.
  process.setSourceMapsEnabled(true);
  registered = true;
  return (await import(url)) as Record<string, unknown>;
}
