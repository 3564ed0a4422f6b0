import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** What `stream` has ready at a time, so that an await is paid once a batch and not once an item. */
export async function* batches<T>(stream: Readable): AsyncGenerator<T[], void> {
  let failure: { readonly error: unknown } | undefined;
  stream.on('error', (error) => {
    failure = { error };
  });
  for (;;) {
    const batch: T[] = [];
    for (let item = stream.read() as T | null; item !== null; item = stream.read() as T | null) {
      batch.push(item);
    }
    if (batch.length > 0) yield batch;
    else if (failure !== undefined) throw failure.error;
    else if (stream.readableEnded || stream.destroyed) return;
    else await anyOf(stream, ['readable', 'end', 'close', 'error']);
  }
}

async function anyOf(stream: Readable, events: readonly string[]): Promise<void> {
  const waiting = new AbortController();
  // `once` rejects on 'error' whatever it waits for; `batches` throws that error itself.
  const waits = events.map((event) => once(stream, event, { signal: waiting.signal }).catch(() => {}));
  await Promise.race(waits);
  waiting.abort();
}

/** Copies of Buffers that their maker fills again, for a stream that holds on to what it is given. */
export async function* copies(buffers: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  for await (const buffer of buffers) yield Buffer.from(buffer);
}
