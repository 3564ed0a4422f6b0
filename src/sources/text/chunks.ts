import { type AnyRow, CHUNK_ROWS, type Chunk, type Row } from '../../core/row.js';

/** Small batches wait for each other until this many have come: rows of a wide file hold much text. */
const MAX_BATCHES = 8;

/**
 * Batches of any size, also empty ones, as chunks of about CHUNK_ROWS rows; never an empty one.
 */
export async function* inChunks<R extends AnyRow = Row>(
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
    yield* inPieces(waiting);
    waiting = [];
    waited = 0;
  }
  if (waiting.length > 0) yield waiting;
}

/** `rows` in pieces of about CHUNK_ROWS, all of one size. */
function* inPieces<R extends AnyRow = Row>(rows: R[]): Generator<Chunk<R>, void> {
  const pieces = Math.max(1, Math.round(rows.length / CHUNK_ROWS));
  const size = Math.ceil(rows.length / pieces);
  for (let from = 0; from < rows.length; from += size) {
    yield pieces === 1 ? rows : rows.slice(from, from + size);
  }
}
