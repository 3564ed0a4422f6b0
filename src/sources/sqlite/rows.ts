import { isAscii, isUtf8 } from 'node:buffer';
import { markOrigin, ORIGIN, type Row } from '../../core/row.js';
import { MARK, PLAIN } from './cells.js';
import { type ReadAs, readerOf } from './values.js';

/** The cell that a marked field stands for. */
function marked(field: string): string | null {
  switch (field.charCodeAt(0)) {
    case MARK.null:
      return null;
    case MARK.blob:
      return `\\x${field.slice(1).toLowerCase()}`;
    case MARK.real:
      return realOf(field.slice(1));
    default:
      return field.slice(1);
  }
}

/** A double in the fewest digits that give the same number. */
function realOf(digits: string): string {
  if (digits.endsWith('Inf')) return `${digits.slice(0, -3)}Infinity`;
  return String(Number(digits));
}

/**
 * Turns the bytes of rows into row objects, at most so many; the first one's origin is `ordinal`. There must be whole
 * rows for all that are wanted.
 */
export type ParseCells = (bytes: Buffer, ordinal: number, most?: number) => Row[];

/**
 * A parser for rows of these columns, whose cells are as `cells.ts` says. Its code is generated, so that all rows have
 * one shape; names enter the code only through JSON.stringify.
 */
export function cellParser(columns: readonly { readonly name: string; readonly as: ReadAs }[]): ParseCells {
  const parameters = columns.map((_, i) => `v${i}`);
  // An assignment to __proto__ would set the prototype.
  const assignments = columns.map(({ name }, i) =>
    name === '__proto__'
      ? `Object.defineProperty(this, '__proto__', { value: v${i}, enumerable: true, configurable: true, writable: true });`
      : `this[${JSON.stringify(name)}] = v${i};`,
  );
  const readers = columns.map(({ as }) => readerOf(as));
  const fields = columns.map((_, i) => {
    const field =
      'to > from && text.charCodeAt(from) < PLAIN ? marked(text.slice(from, to)) : text.slice(from, to)';
    return `to = text.indexOf('\\0', from); const v${i} = ${readers[i] === undefined ? field : `readers[${i}](${field})`}; from = to + 1;`;
  });
  const source = `'use strict';
function Row(${parameters.join(', ')}, origin) { ${assignments.join(' ')} this[ORIGIN] = origin; }
Row.prototype = Object.prototype;
return function parse(text, ordinal, most) {
  const rows = [];
  const length = text.length;
  let from = 0, to = 0;
  while (from < length && rows.length < most) {
    ${fields.join('\n    ')}
    rows.push(new Row(${parameters.join(', ')}, ordinal++));
  }
  return rows;
};`;
  const parse = new Function('ORIGIN', 'PLAIN', 'marked', 'readers', source)(
    ORIGIN,
    PLAIN,
    marked,
    readers,
  ) as (text: string, ordinal: number, most: number) => Row[];
  return (bytes, ordinal, most = Number.POSITIVE_INFINITY) =>
    parse(bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8'), ordinal, most);
}

/**
 * Makes a row of single cells, as the parser above would. A text may hold a NUL, and bytes that are no UTF-8: those
 * become lone surrogates, as Python's surrogateescape has them (https://peps.python.org/pep-0383/), so that no text
 * that could be stored stands for them.
 */
export function rowOfCells(
  columns: readonly { readonly name: string; readonly as: ReadAs }[],
  cells: readonly Uint8Array[],
  ordinal: number,
): Row {
  const values = columns.map(({ name, as }, at) => {
    const cell = cells[at] as Uint8Array;
    const field = escapedText(Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength));
    const read = field !== '' && field.charCodeAt(0) < PLAIN ? marked(field) : field;
    return [name, readerOf(as)?.(read) ?? read];
  });
  return markOrigin(Object.fromEntries(values), ordinal);
}

function escapedText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    const whole = character.length === length && isUtf8(character);
    text += whole ? character.toString('utf8') : String.fromCharCode(0xdc00 + first);
    at += whole ? length : 1;
  }
  return text;
}
