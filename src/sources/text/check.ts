import { access, constants } from 'node:fs/promises';
import { silenced } from '../../core/quiet-run.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { openBytes, STDIN } from '../bytes/open.js';
import { rawBytes } from './raw.js';

/**
 * Looks at the file at `path` before anything is written: is it there, readable, not empty, text, and of
 * the right columns? Reads no further than the first chunk and counts nothing. Stdin and FIFOs, which
 * can be read only once, are not touched. Throws what reading throws.
 */
export async function checkFile(path: string, run: Run, read: Source['read']): Promise<void> {
  if (path === STDIN) return;
  if ((await openBytes(path, run)) === undefined) {
    await access(path, constants.R_OK).catch(async () => {
      // Opening says why in words.
      await rawBytes(path, run, { bytes: 0, of: undefined }).next();
    });
    return;
  }
  for await (const _ of read(silenced(run))) return;
}
