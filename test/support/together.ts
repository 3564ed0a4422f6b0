import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isLong } from './server.js';

/** So many files share a process at most: what one holds on to is gone with it. */
const MOST = 16;

/**
 * What `run` is to start for these test files. A process for each would read and compile the same modules hundreds of
 * times, which is more work than most of the tests are: so they share processes, by modules that import several of them.
 * Neighbours, which are alike in what they take, come into different ones. Long ones, which end processes and servers, have
 * one of their own. Writes a folder of temporary files: `folder` is to be removed when the run is over.
 */
export function together(
  files: readonly string[],
  atOnce: number,
): { readonly folder: string; readonly started: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tests-'));
  const long = files.filter(isLong);
  const others = files.filter((file) => !isLong(file));
  const processes = Math.max(Math.min(atOnce, others.length), Math.ceil(others.length / MOST));
  const groups = Array.from({ length: processes }, (_, group) => {
    const path = join(folder, `together-${group + 1}.mjs`);
    const members = others.filter((_, at) => at % processes === group);
    writeFileSync(
      path,
      members.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join(''),
    );
    return path;
  });
  return { folder, started: [...long, ...groups] };
}
