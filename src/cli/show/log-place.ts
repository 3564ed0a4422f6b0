import { accessSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import type { Database } from '../../core/run.js';
import { logName } from '../../db/ledger/log-name.js';

const OWN = '.sluice';
const LOGS = join(OWN, 'logs');

/** Where the log of a batch is if no other place is named, below the working directory. */
export async function ownLog(database: Pick<Database, 'query'>, batch: string): Promise<string> {
  return join(LOGS, await logName(database, batch));
}

/**
 * Throws usage `log_not_writable` where a batch could not write its log to `file`, else to its own place: asked before
 * anything is begun. The folder of our own may not be a link: a working directory may have come out of an archive.
 */
export function assertLoggable(file: string | undefined): void {
  try {
    if (file !== undefined) {
      assertWritable(file);
      return;
    }
    for (const folder of [OWN, LOGS])
      if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true)
        throw new Error(`${folder} is a symbolic link`);
    assertWritable(LOGS);
  } catch (error) {
    const { message } = error as Error;
    throw fileErrors.log_not_writable(
      { folder: file === undefined ? LOGS : undefined, why: message, instead: join(tmpdir(), 'sluice.log') },
      { cause: error },
    );
  }
}

/** Throws where a file or folder could not be written or made; makes nothing. */
function assertWritable(path: string): void {
  const there = existsSync(path);
  if (there || dirname(path) === path) accessSync(path, constants.W_OK);
  else assertWritable(dirname(path));
}

/** Makes a folder and those above it. Node's own way never ends where a file system answers ENOENT (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Opens the log `file` to add to it; one in our own place never by a link. The descriptor. */
export function openLog(file: string): number {
  makeFolder(dirname(file));
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0 } = constants;
  const own = dirname(file) === LOGS ? O_NOFOLLOW : 0;
  return openSync(file, O_APPEND | O_CREAT | O_WRONLY | own, 0o600);
}
