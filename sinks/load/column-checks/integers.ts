import { digitBytes, type Guard, trimSpaces } from './column-check.js';

interface Range {
  /** The greatest value as text; numbers with fewer digits are always in range. */
  readonly greatest: string;
  readonly least: string;
}

const RANGES: Readonly<Record<string, Range>> = {
  int2: { greatest: '32767', least: '-32768' },
  int4: { greatest: '2147483647', least: '-2147483648' },
  int8: { greatest: '9223372036854775807', least: '-9223372036854775808' },
};

// From PostgreSQL 16 on: hexadecimal, octal and binary, and underscores between digits (numutils.c).
// On 15 the server refuses them itself.
const SYNTAX = /^([+-]?)(\d(?:_?\d)*|0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)$/;

const DIGITS = /^\d+$/;

/** The guard of smallint (`int2`), integer (`int4`) or bigint (`int8`): syntax and exact range. */
export function integerGuard(base: 'int2' | 'int4' | 'int8'): Guard {
  const { greatest, least } = RANGES[base] as Range;
  const width = greatest.length;
  const max = BigInt(greatest);
  const min = BigInt(least);

  function quick(bytes: Uint8Array, from: number, to: number): boolean {
    const negative = bytes[from] === 45;
    const first = negative ? from + 1 : from;
    const count = to - first;
    if (count <= 0 || count > width || !digitBytes(bytes, first, to)) return false;
    return count < width || !isAbove(bytes, first, negative ? least.slice(1) : greatest);
  }

  function accepts(text: string): boolean {
    // Digits of equal number compare as text does.
    if (text.length === width && DIGITS.test(text)) return text <= greatest;
    const value = parse(text);
    return value !== undefined && value <= max && value >= min;
  }

  return {
    expected: `integer from ${least} to ${greatest}`,
    quick,
    accepts,
    reason: (text) => (parse(text) === undefined ? 'not_an_integer' : 'out_of_range'),
  };
}

/** The value of `text` where it has the syntax of an integer. Only its first 200 digits tell: none fits. */
function parse(text: string): bigint | undefined {
  const match = SYNTAX.exec(trimSpaces(text));
  if (match === null) return undefined;
  const body = (match[2] as string).replaceAll('_', '').replace(/^0+(?=\d)/, '');
  const value = BigInt(body.slice(0, 200).toLowerCase());
  return match[1] === '-' ? -value : value;
}

/** Whether the digits from `from` on are those of a greater number than `limit`, which has as many. */
function isAbove(bytes: Uint8Array, from: number, limit: string): boolean {
  for (let i = 0; i < limit.length; i++) {
    const difference = (bytes[from + i] as number) - limit.charCodeAt(i);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
