import { parentPort } from 'node:worker_threads';
import { ZSTDDecoder } from 'zstddec/stream';
import type { Piece } from './frames.js';

/**
 * The thread that unpacks zstd: the decoder computes without ever waiting, and gives the memory it took back with its
 * thread only. Answers requests in the order in which they come.
 */

/** What pieces hold that were asked for, in order; or the piece, of all that were asked for, that is not right. */
export type Unpacked =
  | { readonly data: readonly Uint8Array[] }
  | { readonly wrong: Pick<Piece, 'what' | 'at'> };

// The library fetches its code out of a URL of its own where there is fetch, and to load Node's takes longer than the
// rest of the thread's start.
Reflect.deleteProperty(globalThis, 'fetch');
const decoder = new ZSTDDecoder();
const ready = decoder.init();

/** The piece that the decoder gets when it asks for one, and the last one that it got. */
let next: Piece | undefined;
let taken: Piece | undefined;
let asking = true;

function* pieces(): Generator<Uint8Array> {
  for (;;) {
    asking = false;
    if (next === undefined) return;
    taken = next;
    yield next.bytes;
  }
}
const output = decoder.decodeStreaming(pieces());

/**
 * Goes on to `piece`, the next one, or to the end: what it holds, or undefined where the piece before is not right. Of
 * an error the decoder says nothing. But it asks for the next piece when it is through with one, and with a right one
 * it is through at once: what it puts out at a time is as much as a block can hold. Where it does not ask, it was not
 * through.
 */
function goOn(piece: Piece | undefined): Uint8Array | undefined {
  next = piece;
  asking = true;
  const { value } = output.next();
  return asking ? undefined : (value ?? new Uint8Array(0));
}

function unpacked(request: readonly Piece[]): Unpacked {
  const data: Uint8Array[] = [];
  // A request without pieces is the last one.
  for (const piece of request.length === 0 ? [undefined] : request) {
    const before = taken;
    const held = goOn(piece);
    if (held === undefined && before !== undefined) return { wrong: { what: before.what, at: before.at } };
    if (held !== undefined && held.length > 0) data.push(held);
  }
  return { data };
}

parentPort?.on('message', async (request: readonly Piece[]) => {
  await ready;
  const reply = unpacked(request);
  const moved = 'data' in reply ? reply.data.map((each) => each.buffer as ArrayBuffer) : [];
  parentPort?.postMessage(reply, moved);
});
