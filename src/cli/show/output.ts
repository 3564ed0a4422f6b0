import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** Why stdout cannot be written any more; undefined while it can. */
let lost: NodeJS.ErrnoException | undefined;

/**
 * Whoever reads stdout or stderr may go away (`| head`), their terminal be closed, the disk under them be full: no
 * reason to stop in the midst of a publish. From now on what cannot be written is dropped, and asked for by
 * `lostOutput`. What goes to a file is written whole or fails: Node takes a write that a full disk cut short for done.
 */
export function endureOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    lost ??= error;
  });
  process.stderr.on('error', () => {});
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.isTTY || !isFile(stream.fd)) continue;
    stream._write = (chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error) => void) => {
      try {
        let bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
        while (bytes.length > 0) bytes = bytes.subarray(writeSync(stream.fd, bytes));
      } catch (error) {
        if (stream === process.stdout) lost ??= error as NodeJS.ErrnoException;
        done(error as Error);
        return;
      }
      done();
    };
  }
}

/** Why what was said on stdout is not, or not all, there. */
export function lostOutput(): NodeJS.ErrnoException | undefined {
  return lost;
}

/** Whether whoever read stdout has had enough: there is nobody to go on for who only writes there. */
export function isUnread(): boolean {
  return lost?.code === 'EPIPE';
}

/** Writes text or bytes; false where more should wait for 'drain'. Never throws. */
export function put(stream: Writable, text: string | Uint8Array): boolean {
  try {
    return stream.write(text);
  } catch (error) {
    // A stream that is closed, or a file in older versions of Node.
    if (stream === process.stdout) lost ??= error as NodeJS.ErrnoException;
    return true;
  }
}

/** A file, or a device that is written like one. */
function isFile(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    return false;
  }
}
