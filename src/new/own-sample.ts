import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `work` with the path of a file: the one given, else one that holds `content` for as long as the work takes. */
export async function withFile<T>(
  given: string | undefined,
  content: string,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if (given !== undefined) return work(given);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-new-'));
  try {
    const path = join(folder, 'sample.csv');
    writeFileSync(path, content);
    return await work(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
