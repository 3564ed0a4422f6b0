import { isAscii } from 'node:buffer';

/** A line before the header that only says what stands between the fields, as Excel writes and reads it. */
export interface SeparatorLine {
  readonly delimiter: string;
  /** Its length with its end and a byte order mark before or behind it, where the line was put before the file's; in UTF-8. */
  readonly bytes: number;
}

// No header and no row is `sep=` and one character that cannot be part of a word.
const SEPARATOR = /^(?:\xef\xbb\xbf)?"?sep=([^\w\r\n"])"?(?:\r\n|\r|\n|$)(?:\xef\xbb\xbf)?/i;

/** The separator line that a text begins with, of which `head` are the first bytes, if it has one. */
export function separatorLine(head: Buffer): SeparatorLine | undefined {
  const found = SEPARATOR.exec(head.toString('latin1', 0, 16));
  if (found === null || !isAscii(Buffer.from(found[1] as string, 'latin1'))) return undefined;
  return { delimiter: found[1] as string, bytes: found[0].length };
}
