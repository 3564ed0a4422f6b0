import { bookmarkOf, setBookmark } from '../../core/bookmark.js';
import { CHUNK_ROWS, type Chunk, type Row } from '../../core/row.js';

/** Small batches wait for each other until this many have come: rows of a wide file hold much text. */
const MAX_BATCHES = 8;

/**
 * Batches of any size, also empty ones, as chunks of about CHUNK_ROWS rows; never an empty one. A chunk that ends where
 * a batch does bears its bookmark, and most batches are followed by such an end: there a load can be resumed.
 */
export async function* inChunks<R extends Row>(
  batches: AsyncIterable<readonly R[]>,
): AsyncGenerator<Chunk<R>, void> {
  let waiting: R[] = [];
  let waited = 0;
  for await (const batch of batches) {
    if (waiting.length === 0 && batch.length >= CHUNK_ROWS / 2 && batch.length <= CHUNK_ROWS * 2) {
      yield batch;
      continue;
    }
    for (const row of batch) waiting.push(row);
    waited++;
    if (waiting.length < CHUNK_ROWS / 2 && (waited < MAX_BATCHES || waiting.length === 0)) continue;
    yield* inPieces(waiting, batch);
    waiting = [];
    waited = 0;
  }
  if (waiting.length > 0) yield waiting;
}

/** `rows` in pieces of about CHUNK_ROWS, all of one size; the last one bears the bookmark of `batch`. */
function* inPieces<R extends Row>(rows: R[], batch: readonly R[]): Generator<Chunk<R>, void> {
  const pieces = Math.max(1, Math.round(rows.length / CHUNK_ROWS));
  const size = Math.ceil(rows.length / pieces);
  for (let from = 0; from < rows.length; from += size) {
    const piece = pieces === 1 ? rows : rows.slice(from, from + size);
    yield from + size >= rows.length ? setBookmark(piece, bookmarkOf(batch)) : piece;
  }
}
