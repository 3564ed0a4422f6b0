/** A random source of the torture's kind: numbers from 0 up to but not including 1. */
export type Random = () => number;

export const pick = <T>(random: Random, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)] as T;
export const upTo = (random: Random, most: number) => Math.floor(random() * (most + 1));

const TEXTS = [
  '',
  ' ',
  'a',
  'é',
  '😀',
  '\u2028',
  'x"y',
  '1,2',
  "it's",
  '\\',
  '\t',
  'long '.repeat(60),
  '\ufeff',
  '__proto__',
];

/** CSV under the header p,q,r: mostly well-formed, sometimes soup. */
export function csvText(random: Random): string {
  const eol = pick(random, ['\n', '\n', '\r\n']);
  if (random() < 0.3) {
    const soup = ['a', '"', '""', ',', ',', '\n', '\r\n', '\r', ' ', 'é', '😀', '"x"', ',"y",', '\ufeff'];
    return `p,q,r\n${Array.from({ length: upTo(random, 40) }, () => pick(random, soup)).join('')}`;
  }
  const rows = Array.from({ length: upTo(random, 12) }, () =>
    ['p', 'q', 'r']
      .map(() => {
        const value = pick(random, [...TEXTS, '\n', '\r\n', '"', ',']);
        return /[",\r\n]/.test(value) || random() < 0.3 ? `"${value.replaceAll('"', '""')}"` : value;
      })
      .join(','),
  );
  return `p,q,r${eol}${rows.join(eol)}${random() < 0.5 ? eol : ''}`;
}

/** A JSON value, at most `depth` deep, as somebody might write it. */
function jsonValue(random: Random, depth: number): string {
  const space = () => pick(random, ['', '', '', ' ', '\n', '\t ']);
  const dice = depth <= 0 ? random() * 0.6 : random();
  if (dice < 0.2) return JSON.stringify(pick(random, [...TEXTS, '\u0000', '\ud800', '\n']));
  if (dice < 0.45)
    return pick(random, [
      '0',
      '-0',
      '1',
      '-1.5',
      '1e3',
      '1E-7',
      '12345678901234567890',
      '-9007199254740993',
      '4503599627370496',
      '0.1',
      '0.0000001',
      '-83.643987957933206',
      '1e400',
      '3.0',
      '-0.0',
      '12.50',
      '123456789.123456789123',
    ]);
  if (dice < 0.6) return pick(random, ['null', 'true', 'false', '{}', '[]', '"\\u00e9\\ud83d\\ude00"']);
  const items = Array.from({ length: upTo(random, 4) }, () => jsonValue(random, depth - 1));
  if (dice < 0.75) return `[${space()}${items.join(`${space()},${space()}`)}${space()}]`;
  return jsonObject(random, depth, items, space);
}

function jsonObject(random: Random, depth: number, items: readonly string[], space: () => string): string {
  const keys = [
    '"a"',
    '"b"',
    '"\\u0061"',
    '""',
    '"__proto__"',
    '"constructor"',
    '"é"',
    '"x y"',
    '"7"',
    '":"',
    '"k"',
  ];
  // Most objects have every key once.
  const left = random() < 0.9 ? [...keys] : undefined;
  const key = () =>
    left === undefined
      ? pick(random, keys)
      : (left.splice(Math.floor(random() * left.length), 1)[0] as string);
  const fields = items.map((item) => `${key()}${space()}:${space()}${item}`);
  return `{${space()}${fields.join(`${space()},${space()}`)}${depth > 90 ? '' : space()}}`;
}

const record = (random: Random) =>
  random() < 0.85
    ? jsonObject(
        random,
        3,
        Array.from({ length: upTo(random, 4) }, () => jsonValue(random, 3)),
        () => '',
      )
    : jsonValue(random, 3).replaceAll('\n', ' ');

/** JSON Lines. */
export function jsonlText(random: Random): string {
  const lines = Array.from({ length: upTo(random, 12) }, () =>
    random() < 0.1 ? pick(random, ['', ' ', '{', '}{', 'nul']) : record(random),
  );
  return lines.join(pick(random, ['\n', '\r\n'])) + pick(random, ['', '\n']);
}

/** A JSON document. */
export function jsonText(random: Random): string {
  if (random() < 0.1) return jsonValue(random, 4);
  return `[${Array.from({ length: upTo(random, 12) }, () => record(random)).join(random() < 0.9 ? ',' : ' ,\n')}]`;
}

/** The bytes of `text`, in one case of three with something spoilt. */
export function mutated(random: Random, text: string, keep = 0): Buffer {
  let bytes = Buffer.from(text);
  if (random() < 0.67) return bytes;
  for (let n = 1 + upTo(random, 3); n > 0 && bytes.length > keep; n--) {
    const at = keep + upTo(random, bytes.length - keep - 1);
    const to = Math.min(bytes.length, at + upTo(random, 8));
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(to)];
    const middle = pick(random, [
      Buffer.alloc(0),
      Buffer.from(pick(random, ['"', ',', '\n', '\r', '{', '}', '[', ']', ':', '\\', '\\u', 'é', '0', '-'])),
      Buffer.from([upTo(random, 255)]),
      Buffer.concat([bytes.subarray(at, to), bytes.subarray(at, to)]),
    ]);
    bytes = Buffer.concat([before, middle, after]);
  }
  return bytes;
}

/** `bytes` cut into pieces at random places. */
export function pieces(random: Random, bytes: Buffer): Buffer[] {
  const cuts = Array.from({ length: upTo(random, 6) }, () => upTo(random, bytes.length)).sort(
    (a, b) => a - b,
  );
  return [...cuts, bytes.length].map((cut, i) => bytes.subarray(cuts[i - 1] ?? 0, cut));
}
