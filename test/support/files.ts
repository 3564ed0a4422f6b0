import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of the test's own, removed after it. */
export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a file with this content, in a folder of its own. */
export function tempFile(t: TestContext, name: string, content: string | Uint8Array): string {
  const path = join(tempFolder(t), name);
  writeFileSync(path, content);
  return path;
}

/** Runs `work` with a scratch directory and asserts that it is empty afterwards, whatever happens. */
export async function inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-stage-'));
  try {
    return await work(scratch);
  } finally {
    const left = readdirSync(scratch);
    rmSync(scratch, { recursive: true });
    assert.deepEqual(left, [], 'scratch files are left');
  }
}
