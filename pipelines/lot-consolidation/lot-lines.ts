import { randomInt } from 'node:crypto';
import { detachString, jsonText, named, originOf, type Rejection, type Row, type Stage } from 'sluice';
import { NO_LOT, wrongWith } from './consolidate.js';
import { PREFIX } from './others.js';
import { COLUMNS, type OldSerial } from './source.js';

/** What a line says of its LOT. */
const OF_LOT = COLUMNS.filter((column) => column !== 'lot_id' && !column.startsWith('serial_'));

/**
 * Rejects lines that name no LOT, and those that say otherwise of their LOT than the LOT's first line in the file: sorted,
 * they would tear the LOT apart, or one of them would speak for all. What is kept of a LOT is a hash and a line number.
 */
export const linesAgree: Stage<OldSerial> = named('lines of a LOT agree', async function* (rows, run) {
  const first = new Map<string, { readonly hash: number; readonly line: number | undefined }>();
  const hashOf = hashing();
  let before: Row | undefined;
  for await (const chunk of rows) {
    const others = Object.keys(chunk[0] ?? {}).filter((column) => column.startsWith(PREFIX.lots));
    const columns = [...OF_LOT, ...others];
    const good: OldSerial[] = [];
    for (const row of chunk) {
      const { lot_id: lot } = row;
      const all: Row = row;
      // Here, where the record is still at hand, for whoever corrects it.
      if (lot === null) {
        run.reject(row, NO_LOT);
        continue;
      }
      // In a file that is in order most lines say what the one before them says.
      if (before?.lot_id === lot && columns.every((column) => before?.[column] === all[column])) {
        good.push(row);
        continue;
      }
      const hash = hashOf(row, columns);
      const known = first.get(lot);
      if (known === undefined) first.set(detachString(lot), { hash, line: originOf(row) });
      else if (known.hash !== hash) {
        run.reject(row, wrongWith(row) ?? disagreement(row, known.line));
        continue;
      }
      before = row;
      good.push(row);
    }
    if (good.length > 0) yield good;
  }
});

const disagreement = (
  { lot_id: lot, lot_number: number }: OldSerial,
  line: number | undefined,
): Rejection => ({
  reason: 'lot_lines_disagree',
  column: 'lot_id',
  value: lot,
  message: `this line of LOT ${lot} (${number}) says otherwise of it than its first line${line === undefined ? '' : `, line ${line}`}`,
});

/** What stands behind a value, and says whether there was one: no character is one of them. */
const TEXT = 0x10000;
const NONE = 0x10001;
const OTHER = 0x10002;

/**
 * A hash of 53 bits of what a row has in `columns`. In a file in any order it is made of every line, where one of
 * node:crypto takes longer than all the rest that is done with the line; two texts that differ have the same one once in
 * 9 * 10^15. Nobody can choose them so, since every run begins with other numbers.
 */
function hashing(): (row: Row, columns: readonly string[]) => number {
  const one = randomInt(2 ** 32);
  const two = randomInt(2 ** 32);
  return (row, columns) => {
    let a = one;
    let b = two;
    for (const column of columns) {
      const value = row[column] ?? null;
      const text = typeof value === 'string' ? value : value === null ? '' : (jsonText(value) ?? '');
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        a = Math.imul(a ^ unit, 0x9e3779b1);
        b = Math.imul(b ^ unit, 0x5f356495);
      }
      const end = value === null ? NONE : text === value ? TEXT : OTHER;
      a = Math.imul(a ^ end, 0x9e3779b1);
      b = Math.imul(b ^ end, 0x5f356495);
    }
    const high = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
    const low = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
  };
}
