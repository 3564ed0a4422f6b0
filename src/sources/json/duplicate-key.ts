import type { Rejection } from '../../core/run.js';

/** A key of an object, or a place in an array (0-based). */
export type PathPart = string | number;

/** One level of what is open. */
interface Open {
  /** Undefined of an array. */
  readonly keys: Set<string> | undefined;
  /** The key or the place of the value that comes now. */
  at: PathPart;
}

/** The path to the first key in `text`, which is JSON, that its object has already; undefined where there is none. */
export function duplicateKey(text: string): PathPart[] | undefined {
  const open: Open[] = [];
  let isKey = false;
  for (let i = 0; i < text.length; i++) {
    const top = open.at(-1);
    switch (text[i]) {
      case '{':
        open.push({ keys: new Set(), at: '' });
        isKey = true;
        break;
      case '[':
        open.push({ keys: undefined, at: 0 });
        isKey = false;
        break;
      case '}':
      case ']':
        open.pop();
        isKey = false;
        break;
      case ',':
        isKey = top?.keys !== undefined;
        if (typeof top?.at === 'number') top.at += 1;
        break;
      case '"': {
        const from = i++;
        while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
        if (!isKey || top?.keys === undefined) break;
        isKey = false;
        const key = JSON.parse(text.slice(from, i + 1)) as string;
        top.at = key;
        if (top.keys.has(key)) return open.map(({ at }) => at);
        top.keys.add(key);
      }
    }
  }
  return undefined;
}

/** The rejection of a row in which the key that `path` leads to stands twice in its object. */
export function twice(path: readonly PathPart[]): Rejection {
  const [column, ...inner] = path;
  const key = JSON.stringify(path.at(-1));
  const where = inner.length === 0 ? '' : ` in ${pathText(path.slice(0, -1))}`;
  return {
    reason: 'duplicate_key',
    column: String(column),
    expected: 'every key once in its object',
    message: `the key ${key} stands twice${where}: JSON readers keep one of the values, and not all the same`,
  };
}

/** `doc.items[2]` */
function pathText(path: readonly PathPart[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');
}
