import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder that is a disk of 64 KiB. */
export function tinyDisk(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  t.after(() => {
    execFileSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Why a test of a full disk must be skipped; false where it need not. */
export const mayMount = (() => {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return 'only root may mount';
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'mounting is not allowed here';
  }
})();
