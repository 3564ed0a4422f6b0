import { RecordWalk } from './walk.js';

/** How far whole records go. */
export interface Scanned {
  /** Where the first record starts that is not whole; the end where there is none. */
  readonly end: number;
  /** What the reader hands on or rejects. Where there is one column, blank lines are records as well. */
  readonly records: number;
  /** Lines without anything in them. */
  readonly blank: number;
  /** Physical lines, as the reader counts them. */
  readonly lines: number;
}

/**
 * How far whole records go in the bytes [start, end), of which the first begins at `start`: what is read up to there and
 * what is read from there on are together the records and rejects that `CsvParser` makes of the whole. `atEnd`: nothing
 * comes behind `end`. `endsInCr`: the file's first record ended in a bare CR.
 */
export function scanRecords(
  bytes: Buffer,
  start: number,
  end: number,
  delimiter: number,
  atEnd: boolean,
  endsInCr = false,
): Scanned {
  const walk = new RecordWalk(bytes.subarray(start, end), delimiter, atEnd, endsInCr);
  let record = 0;
  let records = 0;
  let blank = 0;
  let lines = 0;
  while (record < end - start && walk.through(record)) {
    if (walk.blank) blank++;
    else records++;
    lines += walk.within + 1;
    record = walk.next;
  }
  return { end: start + record, records, blank, lines };
}
