import { resolve } from 'node:path';
import { failed } from '../../core/errors/author.js';
import { SluiceError } from '../../core/errors/sluice-error.js';

const REASONS: Record<string, string> = {
  EACCES: 'belongs to another user, or this user may not write there',
  EPERM: 'belongs to another user, or this user may not write there',
  EROFS: 'lies on a read-only file system',
  ENOSPC: 'lies on a disk that is full',
  ENOTDIR: 'has a file in its path where a directory should be',
  EEXIST: 'has a file in its path where a directory should be',
};

/**
 * Runs `work`; what the file system refuses becomes a SluiceError that names the place and the way out
 * (`embedded_files`). SluiceErrors pass as they are.
 */
export async function explained<T>(
  options: { readonly directory?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const { code, path, syscall } = error as NodeJS.ErrnoException;
    const directory = resolve(options.directory ?? '.sluice');
    const reason = code === undefined ? undefined : REASONS[code];
    throw failed(
      'embedded_files',
      reason === undefined
        ? `the embedded PostgreSQL cannot be used: ${(error as Error).message}`
        : `the embedded PostgreSQL cannot use ${path ?? directory}: it ${reason}`,
      {
        details: [`${[syscall, code].filter(Boolean).join(' ')}: ${(error as Error).message}`.trim()],
        next: [
          `run the command as the user who owns ${directory}, or in another directory`,
          'or use another server: set DATABASE_URL',
        ],
        cause: error,
      },
    );
  }
}
