import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packageVersion } from '../../core/package.js';
import type { Job } from '../job/job.js';

/**
 * A hash (hexadecimal) of what turns records into rows, as far as it can be told: Sluice's version, the file that the
 * pipeline was loaded from, the field mappings in force. Modules that a user's pipeline imports are not in it.
 */
export function codeOf({ options, mappings }: Pick<Job, 'options' | 'mappings'>): string {
  const hash = createHash('sha256').update(`${packageVersion}\n${JSON.stringify(mappings)}\n`);
  const { from = '' } = options;
  try {
    if (/\.[cm]?[jt]s$/.test(from)) hash.update(readFileSync(from));
  } catch {
    // A name that looks like a file's.
  }
  return hash.digest('hex');
}
