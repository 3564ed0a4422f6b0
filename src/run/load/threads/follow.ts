import { chooseColumns } from '../../../../sinks/load/copy/chosen.js';
import { Ahead } from '../../../core/ahead.js';
import { firstCause } from '../../../core/follow.js';
import type { Cut, KnownPart, Part } from '../../../core/parts.js';
import type { Job } from '../../job/job.js';
import { taskOf } from '../apart.js';
import type { InParts } from '../in-parts.js';
import type { ThreadPool } from './pool.js';
import type { GivenPart } from './protocol.js';

/**
 * `followParts` by threads: this one cuts the input and hands each part to whoever is free. Each thread has its share of the
 * flow's lanes. The first error stops all and is thrown; parts that are safe stay.
 */
export async function followInThreads(
  job: Job,
  given: InParts,
  cut: Cut,
  pool: ThreadPool,
  { signal: asked, known }: { readonly signal: AbortSignal; known(start: number): KnownPart | undefined },
): Promise<void> {
  const { plan, tables, lanes } = given;
  // What a run notes of the columns, and says of those that are missing, is for this thread to say.
  for (const { place } of tables) chooseColumns(place.table, undefined);
  const stop = new AbortController();
  const signal = AbortSignal.any([asked, stop.signal]);
  const ahead = new Ahead(cut.parts());
  const count = Math.min(job.options.threads ?? 1, lanes);
  const task = taskOf(given, Math.ceil(lanes / count), cut.opening);
  const running: Promise<void>[] = [];
  let first: { readonly error: unknown } | undefined;
  const start = (number: number) => {
    const lent = new Map<number, Part>();
    const work = pool.with((thread) =>
      thread.load(
        task,
        plan.source.name,
        {
          async next() {
            const part = await ahead.next();
            if (part === undefined) return undefined;
            // Who is the last to have begun makes room for one more.
            if (running.length === number + 1 && running.length < count) start(running.length);
            lent.set(part.start, part);
            return handed(part, known(part.start));
          },
          back(at, memory) {
            lent.get(at)?.release(memory);
            lent.delete(at);
          },
        },
        signal,
      ),
    );
    running.push(
      work.catch((error: unknown) => {
        first ??= { error };
        stop.abort(error);
      }),
    );
  };
  try {
    if (await ahead.more()) start(0);
    // A thread that begins may start another one.
    for (let at = 0; at < running.length; at++) await running[at];
    if (first !== undefined) throw (first as { readonly error: unknown }).error;
  } catch (error) {
    throw firstCause(error, asked);
  } finally {
    await ahead.close();
  }
}

/** A part on its way to a thread, with the memory that its text is in. */
function handed({ start, end, line, lines, of, bytes }: Part, known: KnownPart | undefined): GivenPart {
  const place = { start, end, line, lines, ...(of === undefined ? {} : { of }) };
  if (bytes === undefined) return { place, text: undefined, known };
  const { buffer, byteOffset, length } = bytes;
  // A piece of somebody's pool does not go along.
  const whole = byteOffset === 0 && buffer instanceof ArrayBuffer && length > Buffer.poolSize;
  const memory = whole ? (buffer as ArrayBuffer) : Uint8Array.from(bytes).buffer;
  return { place, text: { memory, bytes: length }, known };
}
