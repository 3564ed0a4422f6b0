import { isExactNumber } from '../../src/core/json/exact-number.js';

/** JSON as it was written: without white space, strings as JSON.stringify writes them, keys of an object in order. */
export interface Written {
  readonly kind: 'object' | 'array' | 'other';
  readonly text: string;
  /** Whether an object in it has a key twice. */
  readonly twice: boolean;
  /** Of an array. */
  readonly items: readonly Written[];
}

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+)/y;

/** What `json` says, read token by token and slowly; undefined where JSON.parse finds that it is none. */
export function oracle(json: string): Written | undefined {
  try {
    JSON.parse(json);
  } catch {
    return undefined;
  }
  let at = 0;
  const next = () => {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(json)?.[1] as string;
    at = TOKEN.lastIndex;
    return token;
  };
  const value = (token: string): Written => {
    if (token === '[') {
      const items: Written[] = [];
      for (let each = next(); each !== ']'; each = next()) if (each !== ',') items.push(value(each));
      const text = `[${items.map((item) => item.text).join(',')}]`;
      return { kind: 'array', text, twice: items.some(({ twice }) => twice), items };
    }
    if (token !== '{')
      return { kind: 'other', text: token.startsWith('"') ? plain(token) : token, twice: false, items: [] };
    const fields: [string, Written][] = [];
    for (let key = next(); key !== '}'; key = next()) {
      if (key === ',') continue;
      next();
      fields.push([plain(key), value(next())]);
    }
    const twice =
      new Set(fields.map(([key]) => key)).size < fields.length || fields.some(([, item]) => item.twice);
    const text = inOrder(fields.map(([key, item]) => [key, item.text]));
    return { kind: 'object', text, twice, items: [] };
  };
  return value(next());
}

const plain = (quoted: string) => JSON.stringify(JSON.parse(quoted));

const inOrder = (fields: readonly (readonly [string, string])[]) =>
  `{${fields
    .map(([key, item]) => `${key}:${item}`)
    .sort()
    .join(',')}}`;

/** A value that a reader gave, as the oracle writes it. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'bigint' || isExactNumber(value)) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return inOrder(
    Object.keys(value).map((key) => [
      JSON.stringify(key),
      canonical(Object.getOwnPropertyDescriptor(value, key)?.value),
    ]),
  );
}
