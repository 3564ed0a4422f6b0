import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import type { Around, InputBytes } from '../../core/input-bytes.js';
import { isRemote, otherScheme, shownUrl } from '../../core/input-url.js';
import type { Source } from '../../core/types.js';
import { localFile } from './local.js';

/** The path that means standard input. */
export const STDIN = '-';

/** How messages name the input at `path`: of a URL without what is secret in it. */
export const displayName = (path: string) => (path === STDIN ? 'stdin' : shownUrl(path));

/**
 * The bytes at `path`: a regular file, or what is at a URL. Undefined for what can be read only once: stdin, a FIFO, a
 * device. Throws what `statInput` and `openRemote` throw.
 */
export async function openBytes(path: string, around: Around): Promise<InputBytes | undefined> {
  if (path === STDIN) return undefined;
  if (isRemote(path)) {
    // Most inputs are files.
    const { openRemote } = await import('../remote/open.js');
    return openRemote(path, around);
  }
  const scheme = otherScheme(path);
  if (scheme !== undefined) throw remoteErrors.bad_url.scheme({ input: path, scheme });
  return localFile(path);
}

/** What the rows of `source` are read of, where that is a file by whatever means; throws as `openBytes` does. */
export async function bytesOfSource(source: Source, around: Around): Promise<InputBytes | undefined> {
  if (source.bytes !== undefined) return source.bytes(around);
  const path = source.path ?? (source.kind === 'file' ? source.name : undefined);
  return path === undefined ? undefined : openBytes(path, around);
}

/** The first bytes of an input, so many or as many as it has. */
export async function headOf(bytes: InputBytes, signal: AbortSignal, count: number): Promise<Buffer> {
  return gathered(bytes.read(signal, 0, count));
}

/** All that `buffers` has, in one Buffer. */
async function gathered(buffers: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const buffer of buffers) all.push(Buffer.from(buffer));
  return Buffer.concat(all);
}
