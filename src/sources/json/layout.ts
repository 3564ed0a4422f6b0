import { withoutEnd } from '../../core/ends.js';

/**
 * How rows are laid out in a text of JSON: an object a line (`lines`); values of several lines, one behind the
 * other, or an array of them (`values`); one object, as far as can be seen (`one`).
 */
export type JsonLayout = 'lines' | 'values' | 'one';

/** Objects, or an array of them, and nothing that a header of CSV might be: SQL Server writes `[id],[name]`. */
const ROWS = /^(?:\{\s*["}]|\[\s*(?:\{|\]\s*$))/;

/**
 * What the first bytes of a text (8 KiB, if it has as many) say of the layout of JSON in it; undefined where it
 * does not begin as rows in JSON do. A line that is torn off makes no other layout of it.
 */
export function layoutOf(head: Buffer): JsonLayout | undefined {
  // What is looked for is ASCII, whatever stands between it.
  const text = head
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  if (!ROWS.test(text)) return undefined;
  if (text.startsWith('[')) return 'values';
  const end = endOfObject(text);
  if (end === undefined) return layoutOfPart(text);
  const object = text.slice(0, end);
  if (!isValid(object)) return 'lines';
  if (/[\r\n]/.test(object)) return 'values';
  const rest = text.slice(end);
  if (rest.trim() === '') return 'one';
  return /^[ \t]*\r?\n/.test(rest) || !/^\s*\{/.test(rest) ? 'lines' : 'values';
}

/** Behind the object at the beginning of `text`; undefined where it does not end in there. */
function endOfObject(text: string): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i++;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return i + 1;
  }
  return undefined;
}

/** Of a text that ends within its first object. */
function layoutOfPart(text: string): JsonLayout {
  const end = text.search(/[\r\n]/);
  if (end < 0) return 'one';
  const first = withoutEnd(text.slice(0, end), /[ \t]/);
  const next = text.slice(end).trimStart().charAt(0);
  // In the middle of an object a key or an end comes next; a line that is torn off is followed by the next object.
  return /[{[,]$/.test(first) && /^["}\]]?$/.test(next) ? 'values' : 'lines';
}

function isValid(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
