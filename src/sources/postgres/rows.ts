import { isAscii, isUtf8 } from 'node:buffer';
import { textErrors } from '../../core/errors/catalogue/text.js';
import { ORIGIN, type Row } from '../../core/row.js';

/** Turns a piece of COPY text (whole rows) into row objects; the first one's origin is `ordinal`. */
export type ParseRows = (piece: Buffer, ordinal: number) => Row[];

const PLAIN: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A field with a backslash in it as the text that it stands for, or null for \N. */
function unescapeField(field: string): string | null {
  if (!field.includes('\\')) return field;
  if (field === '\\N') return null;
  return field.replace(/\\(.)/gs, (_, code: string) => PLAIN[code] ?? code);
}

const OTHER_THAN_NULL = /\\[^N]/;

/**
 * A parser for rows of these columns. Its code is generated, so that all rows have one shape; names enter
 * the code only through JSON.stringify. A field of COPY's text format needs work only if its chunk has a
 * backslash, and where all of them are \N one look at a field's first character does.
 */
export function rowParser(columns: readonly string[]): ParseRows {
  const plain = compile(columns, (from, to) => `text.slice(${from}, ${to})`);
  const nulls = compile(
    columns,
    (from, to) => `text.charCodeAt(${from}) === 92 ? null : text.slice(${from}, ${to})`,
  );
  const escaped = compile(columns, (from, to) => `unescapeField(text.slice(${from}, ${to}))`);
  return (piece, ordinal) => {
    const ascii = isAscii(piece);
    // A database of SQL_ASCII keeps bytes, whatever they mean, and nothing converts them.
    if (!ascii && !isUtf8(piece)) throw notUtf8(ordinal);
    const text = ascii ? piece.toString('latin1') : piece.toString('utf8');
    if (!text.includes('\\')) return plain(text, ordinal);
    return OTHER_THAN_NULL.test(text) ? escaped(text, ordinal) : nulls(text, ordinal);
  };
}

function notUtf8(ordinal: number) {
  return textErrors.invalid_utf8.query({ ordinal });
}

function compile(
  columns: readonly string[],
  field: (from: string, to: string) => string,
): (text: string, ordinal: number) => Row[] {
  const last = columns.length - 1;
  const parameters = columns.map((_, i) => `f${i}`);
  // An assignment to __proto__ would set the prototype.
  const assignments = columns.map((name, i) =>
    name === '__proto__'
      ? `Object.defineProperty(this, '__proto__', { value: f${i}, enumerable: true, configurable: true, writable: true });`
      : `this[${JSON.stringify(name)}] = f${i};`,
  );
  const fields = columns.map((_, i) =>
    i === last
      ? `to = text.indexOf('\\n', from); const f${i} = ${field('from', 'to')}; from = to + 1;`
      : `to = text.indexOf('\\t', from); const f${i} = ${field('from', 'to')}; from = to + 1;`,
  );
  const source = `'use strict';
function Row(${parameters.join(', ')}, origin) { ${assignments.join(' ')} this[ORIGIN] = origin; }
Row.prototype = Object.prototype;
return function parse(text, ordinal) {
  const rows = [];
  const length = text.length;
  let from = 0, to = 0;
  while (from < length) {
    ${fields.join('\n    ')}
    rows.push(new Row(${parameters.join(', ')}, ordinal++));
  }
  return rows;
};`;
  return new Function('ORIGIN', 'unescapeField', source)(ORIGIN, unescapeField);
}
