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
    quick(bytes, from, to) {
      const length = to - from;
      const first = bytes[from];
      // t, f, 1, 0
      if (length === 1) return first === 116 || first === 102 || first === 49 || first === 48;
      if (length === 4) {
        return first === 116 && bytes[from + 1] === 114 && bytes[from + 2] === 117 && bytes[from + 3] === 101;
      }
      return false;
    },
    expected: 'true or false (also t, f, yes, no, y, n, on, off, 1, 0)',
    accepts: (text) => text === 'false' || BOOLEANS.has(trimSpaces(text).toLowerCase()),
    reason: () => 'not_a_boolean',
  };
}

// uuid.c: a hyphen may follow any group of four digits, and braces may stand around.
const UUID =
  /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(\{)?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}-?(\})?)$/i;

/** The guard of uuid. */
export function uuidGuard(): Guard {
  return {
    expected: 'uuid such as a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    accepts(text) {
      const match = UUID.exec(text);
      return match !== null && (match[1] === undefined) === (match[2] === undefined);
    },
    reason: () => 'not_a_uuid',
  };
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
