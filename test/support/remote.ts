import { shownUrl } from '../../src/core/input-url.js';
import { HttpTransport } from '../../src/sources/remote/http.js';
import { RemoteBytes } from '../../src/sources/remote/remote-bytes.js';
import type { RemoteTiming } from '../../src/sources/remote/retry.js';

/** Times in which a test can wait for several attempts. */
export const QUICK: RemoteTiming = {
  ...{ connectMs: 2_000, answerMs: 2_000, idleMs: 300, pauseMs: 10, mostPauseMs: 40 },
  ...{ attempts: 5, giveUpMs: 60_000, mostAfterMs: 2_500 },
};

/** What is at `url`, opened. */
export async function openUrl(url: string): Promise<RemoteBytes> {
  const signal = new AbortController().signal;
  return RemoteBytes.open(new HttpTransport(new URL(url), shownUrl(url), QUICK), QUICK, signal);
}

/** All bytes of a reading. */
export async function bytesOf(buffers: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const buffer of buffers) all.push(Buffer.from(buffer));
  return Buffer.concat(all);
}

/** Bytes that say where they are. */
export function numbered(bytes: number): Buffer {
  let text = '';
  for (let at = 0; text.length < bytes; at++) text += `${String(at).padStart(9, '0')}\n`;
  return Buffer.from(text.slice(0, bytes));
}
