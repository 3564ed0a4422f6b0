import { countKeys } from '../../../src/core/json/parse.js';
import { keysIn } from '../../../src/core/json/scan.js';
import { type Guard, trimSpaces } from './column-check.js';

const WORDS = ['true', 'false', 'yes', 'no', 'on', 'off', '1', '0'];

/** Every beginning of a boolean word that the server takes for it (bool.c): `o` alone is ambiguous. */
const BOOLEANS = new Set(
  WORDS.flatMap((word) => Array.from(word, (_, i) => word.slice(0, i + 1))).filter((word) => word !== 'o'),
);

/** The guard of boolean. */
export function booleanGuard(): Guard {
  return {
    quick: isBooleanWord,
    expected: 'true or false (also t, f, yes, no, y, n, on, off, 1, 0)',
    accepts: (text) => text === 'false' || BOOLEANS.has(trimSpaces(text).toLowerCase()),
    reason: () => 'not_a_boolean',
  };
}

/** The words as a whole, in either case. */
function isBooleanWord(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length === 1) return SHORT[bytes[from] as number] === 1;
  const word = length < LONG.length ? LONG[length] : undefined;
  return word?.some((each) => each.every((byte, i) => ((bytes[from + i] as number) | 32) === byte)) === true;
}

/** By byte, 1 for what programs write: t, f, y, n in either case, 1 and 0. */
const SHORT = new Uint8Array(256);
for (const byte of Buffer.from('tfynTFYN10')) SHORT[byte] = 1;
/** Words by their length. */
const LONG = [2, 3, 4, 5].reduce<Buffer[][]>((by, length) => {
  by[length] = WORDS.filter((word) => word.length === length).map((word) => Buffer.from(word));
  return by;
}, []);

// uuid.c: a hyphen may follow any group of four digits, and braces may stand around.
const UUID =
  /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(\{)?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}-?(\})?)$/i;

/** The guard of uuid. */
export function uuidGuard(): Guard {
  return {
    quick: isUsualUuid,
    expected: 'uuid such as a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    accepts(text) {
      const match = UUID.exec(text);
      return match !== null && (match[1] === undefined) === (match[2] === undefined);
    },
    reason: () => 'not_a_uuid',
  };
}

/** By byte, 1 for hexadecimal digits. */
const HEX = new Uint8Array(256);
for (const digit of Buffer.from('0123456789abcdefABCDEF')) HEX[digit] = 1;

/** Five groups of hexadecimal digits with hyphens between. */
function isUsualUuid(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[from + i] as number;
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (byte !== 45) return false;
    } else if (HEX[byte] !== 1) return false;
  }
  return true;
}

/** An escape of U+0000 that is itself not escaped: jsonb cannot hold it. */
const NUL_ESCAPE = /(?:^|[^\\])(?:\\\\)*\\u0000/;

/**
 * The guard of json and jsonb: valid JSON; in jsonb no \u0000, and no key twice in an object: the server would keep one
 * of the values without a word. json keeps the text.
 */
export function jsonGuard(base: 'json' | 'jsonb'): Guard {
  function judge(text: string): string | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'not_json';
    }
    if (base === 'json') return undefined;
    if (NUL_ESCAPE.test(text)) return 'nul_byte';
    return typeof value === 'object' && countKeys(value) !== keysIn(text) ? 'duplicate_key' : undefined;
  }
  return {
    expected: base === 'jsonb' ? 'valid JSON without \\u0000 and with every key once' : 'valid JSON',
    accepts: (text) => judge(text) === undefined,
    reason: (text) => judge(text) ?? 'not_json',
  };
}

const HEX_PAIRS = /^\\x(?:[0-9a-fA-F]{2})*$/;
const HEX_SPACED = /^\\x[0-9a-fA-F \t\n\v\f\r]*$/;

/** The guard of bytea: \x and hexadecimal pairs; the escape format is left to the server. */
export function byteaGuard(): Guard {
  return {
    expected: 'bytes as \\x and pairs of hexadecimal digits',
    accepts: (text) => !text.startsWith('\\x') || HEX_PAIRS.test(text) || HEX_SPACED.test(text),
    reason: () => 'not_bytes',
  };
}

const ARRAY_START = /^[ \t\n\v\f\r]*[{[]/;

/** The guard of an array as text: it must start as one; its elements are left to the server. */
export function arrayGuard(): Guard {
  return {
    expected: 'array such as {1,2,3}',
    accepts: (text) => ARRAY_START.test(text),
    reason: () => 'not_an_array',
  };
}
