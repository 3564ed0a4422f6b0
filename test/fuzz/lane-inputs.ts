import { pick, type Random, upTo } from './inputs.js';

/** Tables that the texts are for; every type that has a check of its own, or none. */
export const TABLES = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy "hour"');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN code AS varchar(5) NOT NULL;
CREATE TABLE orders (id bigint NOT NULL, customer int, ordered date, amount numeric(8,2), status text, note varchar(12),
  placed timestamp, paid boolean);
CREATE TABLE things (n smallint, ratio double precision, seen timestamptz, at time, for_ interval, mood mood, key uuid,
  doc jsonb, raw json, bytes bytea, list int[], host inet, code code, few positive, fixed char(3), any_ numeric);
CREATE TABLE pairs (a int, b text);
CREATE TABLE words (word text);
`;

/** The tables by name: the more often a name stands here, the more texts there are for it. */
const NAMES = ['orders', 'orders', 'orders', 'things', 'pairs', 'pairs', 'words'];

/** Texts that a column of the type takes, and some that it does not, or that the gate is not sure of. */
const VALUES: Readonly<
  Record<string, { readonly good: readonly string[]; readonly odd: readonly string[] }>
> = {
  smallint: { good: ['0', '7', '-12', '32767', '-32768'], odd: ['32768', ' 7', '+7', '1_0', '0x1F', '1.0'] },
  integer: {
    good: ['0', '42', '-1', '2147483647', '100000', '0012'],
    odd: ['2147483648', '', ' 12 ', '1e3', '1_000', 'NaN', '7\u00a0'],
  },
  bigint: {
    good: ['1', '9223372036854775807', '-9223372036854775808', '123456789012'],
    odd: ['9223372036854775808', '12.', 'x', '0b11'],
  },
  numeric: {
    good: ['1.50', '-3', '.5', '7.', '123456789.000001'],
    odd: ['NaN', 'Infinity', '1e5', '1,5', '.'],
  },
  'numeric(8,2)': {
    good: ['12.34', '999999.99', '-0.5', '0', '00012.50'],
    odd: ['999999.995', '1000000', '1e3', 'NaN', '12,5', '-'],
  },
  'double precision': {
    good: ['1.5', '-2e-7', '1E+10', '0', '.25'],
    odd: ['Infinity', 'nan', '1e400', '1e-400', '0x1p3', '1e'],
  },
  boolean: { good: ['t', 'false', 'Yes', '0', 'OFF', 'n'], odd: ['tru', ' t', '2', ''] },
  date: {
    good: ['2024-02-29', '1999-12-31', '0001-01-01', '20240131', '2024/3/1', 'infinity'],
    odd: ['2023-02-29', '01/02/2024', 'today', '2024-13-01', ' 2024-01-01', '0044-03-15 BC', '12024-01-01'],
  },
  'timestamp without time zone': {
    good: ['2024-01-31 10:30', '2024-12-31T23:59:59.123456', '2024-05-05', '2024-01-01 00:00:00'],
    odd: [
      '2024-01-01 24:00:00',
      '2024-01-01 10:61',
      'now',
      '2024-01-01 10:00 AM',
      '2024-01-01  9:00',
      'epoch',
    ],
  },
  'timestamp with time zone': {
    good: ['2024-01-31 10:30+02', '2024-12-31T23:59:59Z', '2024-01-31 10:30:00-05:30'],
    odd: ['2024-01-31 10:30 Mars/Base', 'tomorrow', '2024-01-31 10:30 UTC'],
  },
  'time without time zone': {
    good: ['10:30', '23:59:59.5', '00:00:00'],
    odd: ['now', '24:00', '10:30 PM', '1030'],
  },
  interval: { good: ['1 day', 'P1Y2M', '02:03:04'], odd: ['a while', '1 flight', ''] },
  mood: { good: ['sad', 'ok', 'happy "hour"'], odd: ['Ok', 'ok ', ''] },
  uuid: {
    good: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
    odd: ['a0eebc999c0b4ef8bb6d6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', 'x'],
  },
  jsonb: {
    good: ['{"a":1,"b":{"a":[1,"x"]}}', '[]', '"\\u00e9"', '{"k":"a\\"b"}', '1.50'],
    odd: ['{"a":1,"a":2}', '{"\\u0061":1,"a":2}', '{', '"\\u0000"', ''],
  },
  json: { good: ['{"a":1,"a":2}', 'null', ' [1]'], odd: ['{', "{'a':1}", '01'] },
  bytea: { good: ['\\x00ff', 'abc', ''], odd: ['\\x0', '\\9', '\\xzz'] },
  'integer[]': { good: ['{1,2}', '{}', '{NULL,3}', '[0:1]={1,2}'], odd: ['1,2', ' {1}', '{1', '{x}'] },
  inet: { good: ['127.0.0.1', '::1'], odd: ['localhost', '300.1.1.1'] },
  positive: { good: ['1', '77'], odd: ['0', '-1', 'x'] },
  code: { good: ['a', 'ab cd', 'éàüöß'], odd: ['toolong', 'abcde   '] },
  'character varying(12)': {
    good: ['', 'a note', 'twelve chars', '😀'.repeat(12)],
    odd: ['thirteen char', 'é'.repeat(13), 'twelve chars '],
  },
  'character(3)': { good: ['abc', 'é', ''], odd: ['abcd', 'abc '] },
  text: {
    good: [
      'plain words',
      'é😀',
      ' spaces ',
      'it says "no"',
      'a,b;c|d',
      'two\nlines',
      'cr\rlf\r\n',
      '\\N',
      'NULL',
      '\\.',
      '7',
    ],
    odd: ['', '\ufeff', '\u2028', '\\', '\t'],
  },
};

/** A table's column. */
export interface LaneColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
}

/** How a text is written, and what its fields are. */
export interface LaneText {
  readonly table: string;
  readonly columns: readonly LaneColumn[];
  readonly delimiter: string;
  readonly null: string;
  /** A header and records. */
  readonly bytes: Buffer;
}

/** A text for one of the tables with some `rows` of it, nearly valid. */
export function laneText(
  random: Random,
  tables: Readonly<Record<string, readonly LaneColumn[]>>,
  rows: number,
): LaneText {
  const table = pick(random, NAMES);
  const columns = [...(tables[table] as readonly LaneColumn[])].sort(() => random() - 0.5);
  const delimiter = pick(random, [',', ',', ',', ';', '\t', '|', '~', '7', '\\']);
  const nullText = pick(
    random,
    ['', '', '', '\\N', 'NULL', '12'].filter((text) => !text.includes(delimiter)),
  );
  const lineEnd = pick(random, ['\n', '\n', '\r\n']);
  const must = (value: string) =>
    value === nullText || value.includes(delimiter) || value.includes('"') || /[\r\n]/.test(value);
  // Most texts have values that every column takes, and faults at a few places.
  const odds = pick(random, rows < 100 ? [0, 0.01, 0.05] : [0, 0.0003, 0.0003, 0.002]);
  const often = pick(random, [0, 0.05, 0.5]);
  const pools = columns.map(({ type, notNull }) => {
    const pool = VALUES[type];
    if (pool === undefined) throw new Error(`no values for ${type}`);
    return { ...pool, nulls: notNull ? odds : 0.1 };
  });
  const lines = [columns.map(({ name }) => name).join(delimiter)];
  for (let row = 0; row < rows; row++) {
    let line = '';
    for (let i = 0; i < pools.length; i++) {
      const pool = pools[i] as (typeof pools)[number];
      if (i > 0) line += delimiter;
      if (random() < pool.nulls) {
        line += nullText;
        continue;
      }
      const value = pick(random, random() < odds ? pool.odd : pool.good);
      line += must(value) || random() < often ? `"${value.replaceAll('"', '""')}"` : value;
    }
    lines.push(line);
  }
  const text = lines.join(lineEnd) + (random() < 0.9 ? lineEnd : '');
  const head = (lines[0] as string).length + lineEnd.length;
  return {
    table,
    columns,
    delimiter,
    null: nullText,
    bytes: spoilt(random, Buffer.from(text), head, delimiter),
  };
}

/** The bytes behind `head` with some places spoilt. */
function spoilt(random: Random, bytes: Buffer, head: number, delimiter: string): Buffer {
  if (bytes.length <= head || random() < 0.2) return bytes;
  const soup = [
    '"',
    '"',
    '""',
    '"x"',
    ' "y" ',
    `"${delimiter}`,
    delimiter,
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\\.',
    '\n\\.\n',
    '\0',
    '\xff',
    '\xc3',
    ' ',
    '0',
    '-',
    'e',
    'x',
    'é',
  ];
  const places = Array.from(
    { length: 1 + upTo(random, 4) },
    () => head + upTo(random, bytes.length - head - 1),
  );
  const parts: Buffer[] = [];
  let at = 0;
  for (const place of places.sort((a, b) => a - b)) {
    if (place < at) continue;
    const put = pick(random, soup);
    parts.push(bytes.subarray(at, place), Buffer.from(put, /[\xff\xc3]/.test(put) ? 'latin1' : 'utf8'));
    // Put in between, in the place of a few bytes, or a piece of the text twice.
    at = Math.min(bytes.length, place + pick(random, [0, 1, 1, upTo(random, 20)]));
    if (random() < 0.1) parts.push(bytes.subarray(Math.max(head, place - 30), place));
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}
