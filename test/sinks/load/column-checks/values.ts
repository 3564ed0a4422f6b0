import fc from 'fast-check';
import type { TestDatabase } from '../../../support/database.js';

const digits = (most: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: most });
const space = fc.constantFrom('', '', '', '', ' ', '\t', '\n', '\v', '  ');
const sign = fc.constantFrom('', '', '-', '+');
const join = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''));
const number = (most: number) => join(sign, digits(most));
const pad = (width: number, least: number, greatest: number) =>
  fc.integer({ min: least, max: greatest }).map((n) => String(n).padStart(width, '0'));

const integers = fc.oneof(
  number(21),
  join(space, number(12), space),
  fc.constantFrom('32767', '32768', '-32768', '-32769', '2147483647', '2147483648', '-2147483648'),
  fc.constantFrom('-2147483649', '9223372036854775807', '9223372036854775808', '-9223372036854775808'),
  fc.constantFrom('-9223372036854775809', '-0', '00000000000000000000007', '0x1F', '0b101', '0o17', '1_000'),
  fc.constantFrom(
    '',
    '-',
    '1.0',
    '1e3',
    'abc',
    '1 2',
    '1_',
    '_1',
    '0x',
    '- 1',
    '１',
    'NaN',
    '0x7FFF',
    '0xFFFFFFFF',
  ),
  join(fc.constantFrom('0x', '0X', '-0x', '0b', '0o', '0_'), digits(5)),
);
const decimals = fc.oneof(
  join(sign, digits(9), fc.constantFrom('', '.'), digits(6)),
  join(
    space,
    sign,
    digits(5),
    fc.constantFrom('', '.'),
    digits(3),
    fc.constantFrom('e', 'E'),
    number(2),
    space,
  ),
  join(
    sign,
    fc.constantFrom('9', '99', '999', '9999'),
    fc.constantFrom('.994', '.995', '.4', '.5', '.9949999'),
  ),
  fc.constantFrom(
    'NaN',
    'nan',
    '+nan',
    '-NaN',
    'Infinity',
    '-inf',
    '+INF',
    ' infinity ',
    'infinit',
    'nan(1)',
  ),
  fc.constantFrom(
    '',
    '.',
    '-',
    '1.',
    '.5',
    '1e',
    'e5',
    '1,5',
    '1 000',
    '0x1F',
    '1_000.5',
    '1__0',
    '1e400',
    '1e-400',
  ),
  fc.constantFrom(
    '3.4e38',
    '3.5e38',
    '3.4028236e38',
    '1e39',
    '-1e39',
    '1.7976931348623159e308',
    '1e-50',
    '0e999',
  ),
  fc.constantFrom(
    '0.00000000001',
    '0.994',
    '0.995',
    '0.0049',
    '0.005',
    '-0.05',
    '50',
    '49',
    '149',
    '150',
    '950',
  ),
);
const date = fc.oneof(
  join(pad(4, 0, 2400), fc.constant('-'), pad(2, 0, 13), fc.constant('-'), pad(2, 0, 32)),
  join(fc.constantFrom('1900', '2000', '2023', '2024', '2100', '0004'), fc.constant('-02-'), pad(2, 27, 31)),
  join(
    pad(4, 1, 9999),
    fc.constantFrom('/', '.', ' ', ''),
    pad(2, 1, 12),
    fc.constantFrom('/', '.', ' ', '', '-'),
    pad(2, 1, 31),
  ),
);
const zone = fc.constantFrom(
  '',
  '',
  '',
  'Z',
  'z',
  '+02',
  '-05:30',
  '+0530',
  ' UTC',
  ' Europe/Berlin',
  ' BC',
  ' AM',
  ' PM',
  '+15:59:59',
  ' bc',
);
const clock = join(
  pad(2, 0, 25),
  fc.constant(':'),
  pad(2, 0, 61),
  fc.constantFrom('', '', ':'),
  pad(2, 0, 62),
  fc.constantFrom('', '.5', '.123456789', ',5'),
  zone,
);
const moments = fc.oneof(
  date,
  join(space, date, zone, space),
  join(date, fc.constantFrom(' ', 'T', 't', '  ', ''), clock),
  fc.constantFrom(
    'infinity',
    '-infinity',
    ' Infinity ',
    '+infinity',
    '',
    'x',
    '2024-02-30',
    '20240229',
    '2024-1-5',
  ),
  fc.constantFrom(
    '12024-01-01',
    '294276-12-31',
    '5874897-12-31',
    '2024-01-01 24:00:00',
    '2024-01-01 24:00:01',
  ),
  fc.constantFrom(
    '0001-02-29 BC',
    '0005-02-29 BC',
    '2024-01-01 23:59:60',
    '2024-060',
    '2024.060',
    '2024-Jan-05',
  ),
  fc.constantFrom(
    '2024-01-01 10',
    '2024-01-01 1030',
    '2024-01-01 10:3',
    '2024-01-01T10:30:15.5+02:00',
    '99999999',
  ),
);
const letters = (set: string, most: number) => fc.string({ unit: fc.constantFrom(...set), maxLength: most });
const hex = letters('0123456789abcdefABCDEF', 8);
/** Texts of the kind that files have for a column of each type, good and bad. */
export const types: Record<string, fc.Arbitrary<string>> = {
  smallint: integers,
  integer: integers,
  bigint: integers,
  numeric: decimals,
  'numeric(5,2)': decimals,
  'numeric(3,0)': decimals,
  'numeric(2,2)': decimals,
  'numeric(3,-2)': decimals,
  'numeric(2,4)': decimals,
  real: decimals,
  'double precision': decimals,
  boolean: fc.oneof(
    letters('tTrueyYesonOffFalse01 ', 5),
    fc.constantFrom(
      't',
      'TRUE',
      'tr',
      'o',
      'on',
      'of',
      'off',
      'o ',
      ' yes ',
      '1',
      '0',
      '2',
      '',
      'n',
      'truee',
      '\vtrue',
    ),
  ),
  date: moments,
  timestamp: moments,
  timestamptz: moments,
  'timestamp(3)': moments,
  time: fc.oneof(
    clock,
    join(date, fc.constant(' '), clock),
    fc.constantFrom('040506', '4 PM', 'allballs', '24:00', '', 'x'),
  ),
  timetz: fc.oneof(
    clock,
    fc.constantFrom('040506+02', 'allballs', '12:00 America/New_York', '2024-01-01 12:00 America/New_York'),
  ),
  interval: fc.oneof(
    join(
      number(3),
      fc.constantFrom(' day', ' days ', 'h', ' mon', ':00', ' year ago'),
      fc.constantFrom('', ' 02:03'),
    ),
    fc.constantFrom(
      'P1Y2M3DT4H5M6S',
      'P',
      'PT',
      '',
      '@',
      '@ 1 day',
      'infinity',
      '-infinity',
      '1-2',
      'x',
      'ago',
      'day',
    ),
  ),
  uuid: fc.oneof(
    fc.uuid(),
    fc.uuid().map((text) => `{${text.toUpperCase()}}`),
    fc.uuid().map((text) => text.replaceAll('-', '')),
    fc.uuid().map((text) =>
      text
        .replaceAll('-', '')
        .replace(/(.{4})/g, '$1-')
        .slice(0, 39),
    ),
    fc.uuid().map((text) => text.replaceAll('-', '').replace(/(.{4})/g, '$1-')),
    fc
      .tuple(fc.uuid(), fc.nat(36), fc.constantFrom('', '-', ' ', '{', '}', 'g', '0'))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1)),
  ),
  json: fc.oneof(
    fc.json(),
    fc
      .tuple(fc.json(), fc.nat(20), letters('{}[]",:\\u0 1e.-tn\t\n', 3))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at)),
    fc.constantFrom(
      '',
      ' 1 ',
      '01',
      '-',
      '1.',
      '"\\u0000"',
      '"\\\\u0000"',
      '"\\ud800"',
      '\u00a01',
      '"\t"',
      'nul',
      '{"a":1,}',
      '"\u007f"',
      '1e400',
    ),
  ),
  jsonb: fc.oneof(
    fc.json(),
    fc.constantFrom(
      '',
      '"\\u0000"',
      '"\\\\u0000"',
      '"\\\\\\u0000"',
      '"\\ud800"',
      '"\\ud83d\\ude00"',
      '1e400',
      '{"\\u0000":1}',
      '{"__proto__":1}',
    ),
  ),
  'varchar(3)': fc.oneof(
    letters('ab é😀', 6),
    fc.constantFrom('abc   ', 'abc  x', '😀😀😀', '😀😀😀😀', 'abc\t', 'ab\u00a0 '),
  ),
  'char(3)': fc.oneof(letters('ab é😀', 6), fc.constantFrom('abc   ', 'abc  x', '😀😀😀', '😀😀😀😀', '')),
  mood: fc.constantFrom('sad', 'ok', 'Ok', ' ok', 'ok ', '', "it's", 'happy\\', 'sa'),
  bytea: fc.oneof(
    hex.map((text) => `\\x${text}`),
    join(fc.constant('\\x'), hex, space, hex),
    letters('\\x01aé7', 6),
  ),
  'integer[]': fc.constantFrom(
    '{1,2}',
    ' {1}',
    '[0:1]={1,2}',
    '1,2',
    '',
    '{',
    '{1',
    '\v{}',
    '{{1},{2}}',
    ' [1:1]={3} ',
  ),
  short_code: letters('ab ', 6),
  positive: integers,
};

/** Makes the types among them that are not the server's own, and what asks the server about values. */
export async function makeTypes(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s', 'happy\\');
    CREATE DOMAIN short_code AS varchar(3);
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE FUNCTION accepts(target text, v text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
      EXECUTE format('INSERT INTO %I (v) VALUES (%L)', target, v);
      RETURN true;
    EXCEPTION WHEN OTHERS THEN RETURN false;
    END $$`);
}

/** Whether the server takes each of the values for the column v of a table. */
export async function accepted(
  database: TestDatabase,
  table: string,
  values: readonly string[],
): Promise<boolean[]> {
  const rows = await database.query<{ ok: boolean }>(
    'SELECT accepts($1, v) AS ok FROM unnest($2::text[]) WITH ORDINALITY AS u (v, n) ORDER BY n',
    [table, values],
  );
  return rows.map((row) => row.ok);
}

/** Whether a text can be in a UTF-8 file that PostgreSQL takes. */
export const wellFormed = (text: string) => !text.includes('\0') && Buffer.from(text).toString() === text;
