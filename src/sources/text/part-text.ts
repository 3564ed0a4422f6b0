import { open } from 'node:fs/promises';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import type { PartPlace } from '../../core/parts.js';
import type { Run } from '../../core/run.js';
import type { PartText } from './cutter.js';
import { canJump } from './feed.js';
import { displayName, type OpenOptions } from './opening.js';
import { stopIfAborted } from './raw.js';

/**
 * The text of a part of what is at `path`: `bytes`, where it is at hand, else read from the file at its place. Throws failed
 * `part_out_of_reach` where places in the text are none in the file, or the file ends before.
 */
export async function partText(
  path: string,
  options: OpenOptions,
  run: Run,
  place: PartPlace,
  bytes?: Buffer,
): Promise<PartText> {
  const { start, end, line, lines } = place;
  const text = bytes ?? (await readAt(path, options, place));
  stopIfAborted(run);
  return { start, end, line, lines, bytes: text, release() {} };
}

async function readAt(path: string, options: OpenOptions, { start, end }: PartPlace): Promise<Buffer> {
  const unreadable = (why: string, cause?: unknown) =>
    loadErrors.part_out_of_reach({ input: displayName(path), start, end, why }, { cause });
  if (!(await canJump(path, options))) throw unreadable('its text cannot be read from there alone');
  const file = await open(path, 'r').catch((error: Error) => {
    throw unreadable(error.message, error);
  });
  try {
    const bytes = Buffer.allocUnsafeSlow(end - start);
    for (let held = 0; held < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, held, bytes.length - held, start + held);
      if (bytesRead === 0) throw unreadable(`the file ends at byte ${start + held}`);
      held += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
