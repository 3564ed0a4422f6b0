import { isUtf8 } from 'node:buffer';
import { firstInvalidUtf8 } from '../../text/encoding.js';
import { CR, LF } from './bytes.js';
import type { GateReason } from './reasons.js';

const END_OF_DATA = Buffer.from('\\.');

/** A byte that is wrong wherever in a record it stands. */
export interface Spoilt {
  readonly at: number;
  readonly reason: GateReason;
}

/** The first such byte in [start, end), where records begin and end; found without a look at each of the others. */
export function firstSpoilt(bytes: Buffer, start: number, end: number): Spoilt | undefined {
  const segment = bytes.subarray(start, end);
  const found: (readonly [at: number, reason: GateReason])[] = [
    [isUtf8(segment) ? -1 : firstInvalidUtf8(segment), 'not_utf8'],
    [segment.indexOf(0), 'nul_byte'],
    [endOfData(segment), 'end_of_data'],
  ];
  let first: Spoilt | undefined;
  for (const [at, reason] of found)
    if (at >= 0 && (first === undefined || start + at < first.at)) first = { at: start + at, reason };
  return first;
}

/**
 * Where the first physical line is that is `\.` and nothing else, -1 where there is none. Which of them a server takes
 * for the end depends on its version and on quotes, so none is handed to it.
 */
function endOfData(segment: Buffer): number {
  for (let at = segment.indexOf(END_OF_DATA); at >= 0; at = segment.indexOf(END_OF_DATA, at + 1)) {
    const before = at === 0 ? LF : segment[at - 1];
    const behind = at + 2 === segment.length ? LF : segment[at + 2];
    if ((before === LF || before === CR) && (behind === LF || behind === CR)) return at;
  }
  return -1;
}
