import { loadErrors } from '../../core/errors/catalogue/load.js';
import type { MetPart, PartPlace } from '../../core/parts.js';
import { READ_BYTES } from '../bytes/local.js';
import type { TextFeed } from './feed.js';
import type { TextPlace } from './place.js';

/**
 * How much text a part has. Smaller ones commit more often, larger ones take more memory: of each lane one is held, and
 * one or two more that are being read.
 */
export const PART_BYTES = 4 << 20;

/** How far whole records go in a text, and how many lines that is. */
export interface Whole {
  /** Where the first record begins that is not whole. */
  readonly end: number;
  readonly lines: number;
}

export interface Cutting {
  /** As messages name it. */
  readonly input: string;
  /** Where the first part begins. */
  readonly at: TextPlace;
  /** In the order of the text. */
  readonly known: readonly MetPart[];
  readonly partBytes: number;
  /** Longest record in bytes. */
  readonly maxRecordBytes: number;
  /** How far `bytes`, which begin with a record, are whole records: all of them where `final`, since the text ends there. */
  whole(bytes: Buffer, final: boolean): Whole;
  /** What is to be thrown at a record that is longer; `bytes` is its beginning, which stands there. */
  tooLong(bytes: Buffer, at: TextPlace): Error;
}

/** A part's text. */
export interface PartText extends PartPlace {
  readonly bytes: Buffer;
  release(): void;
}

/**
 * The text of `feed` cut where records end: known parts as they were, the rest in stretches of `partBytes`. Those that
 * are to be passed over are left out. Closes the feed. Throws refused `not_repeatable` where a known part is none any more.
 */
export async function* cutText(feed: TextFeed, cutting: Cutting): AsyncGenerator<PartText, void> {
  const { partBytes, whole, maxRecordBytes, input } = cutting;
  let { offset, line } = cutting.at;
  const known = [...cutting.known];
  const differs = (at: number) => loadErrors.not_repeatable.cut({ input, at });

  /** Whole records of about `wanted` bytes, no more than `most`; undefined at the end. */
  const stretch = async (wanted: number, most: number): Promise<Whole | undefined> => {
    for (
      let bytes = wanted;
      ;
      bytes = Math.min(most, Math.max(bytes + READ_BYTES, Math.ceil(bytes * 1.25)))
    ) {
      // One more tells whether the text ends with them.
      await feed.fill(bytes + 1);
      const held = feed.held.subarray(0, bytes);
      if (held.length === 0) return undefined;
      const found = whole(held, feed.ended && held.length === feed.held.length);
      if (found.end > 0) return found;
      if (held.length > maxRecordBytes) throw cutting.tooLong(held, { offset, line });
      if (held.length >= most) throw differs(offset);
    }
  };

  try {
    await feed.passTo(offset);
    for (;;) {
      const [next] = known;
      if (next !== undefined && next.start < offset) throw differs(next.start);
      const met = next?.start === offset ? next : undefined;
      if (met !== undefined) known.shift();
      if (met !== undefined && met.line !== line) throw differs(offset);
      if (met?.pass === true) {
        offset = met.end;
        line = met.line + met.lines;
        await feed.passTo(offset);
        continue;
      }
      const limit = (met?.end ?? next?.start ?? Number.POSITIVE_INFINITY) - offset;
      const found = await stretch(Math.min(partBytes, limit), limit);
      if (found === undefined) break;
      if (met !== undefined && found.end !== limit) throw differs(offset);
      const part = feed.take(found.end);
      yield { start: offset, end: offset + found.end, line, lines: found.lines, ...part };
      offset += found.end;
      line += found.lines;
    }
    const [left] = known;
    if (left !== undefined) throw differs(left.start);
  } finally {
    await feed.close();
  }
}

/** `bytes` in pieces of the size in which a text is read. */
export function* piecesOf(bytes: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += READ_BYTES) yield bytes.subarray(at, at + READ_BYTES);
}
