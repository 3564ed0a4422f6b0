import { pathToFileURL } from 'node:url';
import { packageFile } from '../src/core/package.js';

/** Where the files of a sample are that are no code, wherever its code runs from. */
export function sampleFolder(name: string): URL {
  return pathToFileURL(packageFile('samples', name, '/'));
}
