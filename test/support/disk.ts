import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Set in a mount namespace that mayMountIn has made. */
const INSIDE = 'SLUICE_TEST_MOUNTS';
/** The account stays what it is, since PostgreSQL refuses to run as root. */
const NAMESPACE = ['--user', '--mount', '--map-current-user', '--keep-caps'];

export interface DiskOptions {
  /** As tmpfs takes it: `64k`, `40m`. */
  readonly size?: string;
  /** A file or folder whose account and group it belongs to; default: this process's. */
  readonly ownerOf?: string;
}

/** A small disk of a test's own. */
export interface SmallDisk {
  readonly folder: string;
  /** Makes it as large as `size`; what it holds stays. */
  grow(size: string): void;
}

/** An empty disk for the test `t`, taken away after it. Whatever runs on it must have been ended before. */
export function smallDisk(t: TestContext, { size = '64k', ownerOf }: DiskOptions = {}): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  const owner = ownerOf === undefined ? undefined : statSync(ownerOf);
  const of = owner === undefined ? '' : `,uid=${owner.uid},gid=${owner.gid},mode=0700`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}${of}`, 'tmpfs', folder]);
  t.after(() => {
    execFileSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return {
    folder,
    grow: (to) => void execFileSync('mount', ['-o', `remount,size=${to}`, folder]),
  };
}

/** A folder that is a disk of 64 KiB. */
export const tinyDisk = (t: TestContext): string => smallDisk(t).folder;

/** Why a test of a full disk must be skipped; false where it need not. */
export const mayMount = (() => {
  if (process.env[INSIDE] !== undefined) return false;
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return 'only root may mount';
  return may(['-m', 'true']) ? false : 'mounting is not allowed here';
})();

/**
 * The same for the test file at `url`, all of whose tests mount: where an ordinary user may have a mount namespace
 * of its own, this adds a test that runs the file in one.
 */
export function mayMountIn(url: string): string | false {
  if (mayMount === false || process.platform !== 'linux' || !may([...NAMESPACE, 'true'])) return mayMount;
  test('in a mount namespace of its own', () => {
    execFileSync('unshare', [...NAMESPACE, process.execPath, fileURLToPath(url)], {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, [INSIDE]: '1' },
      encoding: 'utf8',
    });
  });
  return `${mayMount}; the test above does it`;
}

function may(unshare: readonly string[]): boolean {
  try {
    execFileSync('unshare', unshare, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
