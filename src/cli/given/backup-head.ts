import { open } from 'node:fs/promises';
import { usage } from '../../core/errors/author.js';

/** The head of a backup file stands within its first so many bytes. */
const HEAD_BYTES = 4096;

/** What a backup file says of itself before its rows. Throws a usage error for a file that is none. */
export async function readBackupHead(path: string): Promise<{ readonly pipeline: string }> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw usage(
      'no_such_file',
      `the backup file ${path} cannot be read: ${error.code === 'ENOENT' ? 'it is not there' : error.message}`,
      {
        cause: error,
        next: 'check the path; a run names the backup file that it wrote',
      },
    );
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.toString('utf8', 0, bytesRead);
    const pipeline = /^\s*\{[^[]*?"pipeline":\s*("(?:[^"\\]|\\.)*")/.exec(head)?.[1];
    if (pipeline === undefined)
      throw usage('not_a_backup', `${path} is not a backup file of Sluice's`, {
        next: 'give the migration_backup_….json that a run has written, or name its --pipeline',
      });
    return { pipeline: JSON.parse(pipeline) as string };
  } finally {
    await file.close();
  }
}
