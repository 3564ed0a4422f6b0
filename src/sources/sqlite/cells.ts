import { ident } from '../../db/quote.js';

/**
 * How a cell crosses from SQLite into JavaScript: as bytes, ended by a NUL. A character that no text is likely to begin
 * with says what is not plain text; text that does begin with one of them is marked as text. SQLite makes the bytes of
 * a whole row, which is cheaper than asking for every cell.
 */
export const END = 0;
export const MARK = { null: 1, blob: 2, real: 3, text: 4 } as const;
/** The first character that is no mark. */
export const PLAIN = 5;

/** SQL for the bytes of a row of these columns. `type` as declared: what it promises is asked first. */
export function rowBytes(columns: readonly { readonly name: string; readonly type: string }[]): string {
  return inRow(columns, (cell) => cell);
}

/** The same with each cell in hexadecimal, so that a NUL within a text ends none; see `cellsOf`. */
export function rowHex(columns: readonly { readonly name: string; readonly type: string }[]): string {
  return inRow(columns, (cell) => `hex(CAST(${cell} AS BLOB))`);
}

/** The bytes of every cell of a row of `rowHex`. */
export function cellsOf(row: Uint8Array): Buffer[] {
  const text = Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('latin1');
  return text
    .split(String.fromCharCode(END))
    .slice(0, -1)
    .map((cell) => Buffer.from(cell, 'hex'));
}

function inRow(
  columns: readonly { readonly name: string; readonly type: string }[],
  as: (cell: string) => string,
): string {
  const cells = columns.map(({ name, type }) => `${as(cellText(ident(name), type))}, char(${END})`);
  return `CAST(concat(${cells.join(', ')}) AS BLOB)`;
}

function cellText(column: string, type: string): string {
  const cases = {
    integer: `WHEN 'integer' THEN ${column}`,
    // The comparison is by bytes, whatever the column's collation.
    text: `WHEN 'text' THEN CASE WHEN ${column} < char(${PLAIN}) COLLATE BINARY THEN concat(char(${MARK.text}), ${column}) ELSE ${column} END`,
    null: `WHEN 'null' THEN char(${MARK.null})`,
    blob: `WHEN 'blob' THEN concat(char(${MARK.blob}), hex(${column}))`,
  };
  const first = /char|clob|text/i.test(type)
    ? `${cases.text} ${cases.integer}`
    : `${cases.integer} ${cases.text}`;
  // A double needs 17 digits; SQLite's own text of it has 15.
  return `CASE typeof(${column}) ${first} ${cases.null} ${cases.blob} ELSE concat(char(${MARK.real}), printf('%!.20g', ${column})) END`;
}
