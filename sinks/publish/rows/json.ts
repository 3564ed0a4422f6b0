import { jsonString, jsonText } from '../../../src/core/json/write.js';
import type { Row } from '../../../src/core/row.js';

/**
 * What `jsonText` gives for a row, in about a third of the time for rows that have the same columns, one after the
 * other. Columns enter the generated code only through JSON.stringify.
 */
export function rowJson(): (row: Row) => string {
  let columns: readonly string[] = [];
  let write: ((row: Row) => string | undefined) | undefined;
  return (row) => {
    let text = write?.(row);
    if (text !== undefined) return text;
    const keys = Object.keys(row);
    if (keys.length > 0 && (write === undefined || keys.join() !== columns.join())) {
      columns = keys;
      write = compile(keys);
      text = write(row);
    }
    return text ?? (jsonText(row) as string);
  };
}

/** A value as JSON, or undefined where its column is left out. */
function valueJson(value: unknown): string | undefined {
  if (typeof value === 'string') return jsonString(value);
  return value === null ? 'null' : jsonText(value);
}

/** Writes rows of just these columns; gives undefined for a row of others or with a column to leave out. */
function compile(columns: readonly string[]): (row: Row) => string | undefined {
  const values = columns.map(
    (name, i) =>
      `const v${i} = valueJson(row[${JSON.stringify(name)}]); if (v${i} === undefined) return undefined;`,
  );
  const parts = columns.map(
    (name, i) => `${JSON.stringify(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)} + v${i}`,
  );
  const source = `'use strict'; return function write(row) {
  let n = 0;
  for (const key in row) if (key !== columns[n++]) return undefined;
  if (n !== ${columns.length}) return undefined;
  ${values.join('\n  ')}
  return ${parts.join(' + ')} + '}';
};`;
  return new Function('columns', 'valueJson', source)(columns, valueJson);
}
