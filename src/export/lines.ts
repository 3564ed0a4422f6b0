import type { ByteSink, FileWriter } from './writer.js';

/** A file of lines, each piece of COPY's text as `change` makes it, which may do so in place. */
export function lines(out: ByteSink, change: (piece: Buffer) => Buffer): FileWriter {
  return {
    // A stream may keep what it is given, and the piece is written over.
    write: (piece) => out.write(Buffer.from(change(piece))),
    end: async () => {},
  };
}

const BACKSLASH = 92;
const SPACE = 32;

/**
 * Lines of JSON out of COPY's text format, in place. What stands behind a backslash is one, or a control character, which
 * JSON has between its tokens alone: a column of type json keeps the line ends that it was written with.
 */
export function jsonLines(piece: Buffer): Buffer {
  let from = piece.indexOf(BACKSLASH);
  if (from === -1) return piece;
  let to = from;
  const end = piece.length;
  while (from < end) {
    const byte = piece[from++] as number;
    if (byte !== BACKSLASH) {
      piece[to++] = byte;
      continue;
    }
    piece[to++] = piece[from++] === BACKSLASH ? BACKSLASH : SPACE;
  }
  return piece.subarray(0, to);
}
