import { open } from 'node:fs/promises';
import { backupErrors } from '../../core/errors/catalogue/backup.js';
import { inputErrors } from '../../core/errors/catalogue/inputs.js';

/** The head of a backup file stands within its first so many bytes. */
const HEAD_BYTES = 4096;

/** What a backup file says of itself before its rows. Throws a usage error for a file that is none. */
export async function readBackupHead(path: string): Promise<{ readonly pipeline: string }> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw inputErrors.no_such_file.backup(
      { path, why: error.code === 'ENOENT' ? 'it is not there' : error.message },
      { cause: error },
    );
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.toString('utf8', 0, bytesRead);
    const pipeline = /^\s*\{[^[]*?"pipeline":\s*("(?:[^"\\]|\\.)*")/.exec(head)?.[1];
    if (pipeline === undefined) throw backupErrors.not_a_backup.file({ path });
    return { pipeline: JSON.parse(pipeline) as string };
  } finally {
    await file.close();
  }
}
