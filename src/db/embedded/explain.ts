import { resolve } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
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
    const known = {
      details: [`${[syscall, code].filter(Boolean).join(' ')}: ${(error as Error).message}`.trim()],
      cause: error,
    };
    throw reason === undefined
      ? embeddedErrors.embedded_files.unusable({ why: (error as Error).message, directory }, known)
      : embeddedErrors.embedded_files.place({ path: path ?? directory, reason, directory }, known);
  }
}
