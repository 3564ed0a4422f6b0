import { loadErrors } from '../../core/errors/catalogue/load.js';
import type { PartPlace } from '../../core/parts.js';
import type { Run } from '../../core/run.js';
import { displayName, openBytes } from '../bytes/open.js';
import { stopIfAborted } from '../bytes/stop.js';
import type { PartText } from './cutter.js';
import { canJump } from './feed.js';
import type { OpenOptions } from './open-options.js';

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
  const text = bytes ?? (await readAt(path, options, run, place));
  stopIfAborted(run);
  return { start, end, line, lines, bytes: text, release() {} };
}

async function readAt(
  path: string,
  options: OpenOptions,
  run: Run,
  { start, end }: PartPlace,
): Promise<Buffer> {
  const unreadable = (why: string, cause?: unknown) =>
    loadErrors.part_out_of_reach({ input: displayName(path), start, end, why }, { cause });
  if (!(await canJump(path, run, options))) throw unreadable('its text cannot be read from there alone');
  const input = await openBytes(path, run);
  const bytes = Buffer.allocUnsafeSlow(end - start);
  let held = 0;
  if (input !== undefined)
    for await (const buffer of input.read(run.signal, start, end)) held += buffer.copy(bytes, held);
  if (held < bytes.length) throw unreadable(`the file ends at byte ${start + held}`);
  return bytes;
}
