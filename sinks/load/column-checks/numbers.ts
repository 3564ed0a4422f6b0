import { digitBytes, type Guard, trimSpaces, twoDigits } from './column-check.js';

// Of texts without spaces around: spaces at both ends of an expression would be divided between them in every way.
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const SPECIAL = /^[+-]?(?:inf(?:inity)?|nan)$/i;
const INFINITE = /inf/i;
// Hexadecimal, octal and binary, and underscores between digits: numeric from PostgreSQL 16 on; floats
// as far as the server's strtod goes. Rare, so the server judges.
const UNUSUAL = /^[+-]?(?:0[xXoObB]|[\d.]+_\d|nan\()/i;

/**
 * The guard of numeric, and of numeric(p,s) where `precision` is given. As numeric.c does, digits beyond
 * the scale are rounded (half away from zero) without a word, and digits before it that do not fit then
 * are an error.
 */
export function numericGuard(precision?: number, scale = 0): Guard {
  const places = precision === undefined ? Number.POSITIVE_INFINITY : precision - scale;

  function quick(bytes: Uint8Array, from: number, to: number): boolean {
    const first = bytes[from] === 45 ? from + 1 : from;
    const point = pointIn(bytes, first, to);
    const fraction = point === to ? 0 : to - point - 1;
    if (point - first + fraction === 0 || !digitBytes(bytes, first, point)) return false;
    if (fraction > 0 && !digitBytes(bytes, point + 1, to)) return false;
    let significant = first;
    while (significant < point && bytes[significant] === 48) significant++;
    const whole = point - significant;
    // With fewer digits in front than there is room for, rounding up cannot run over.
    return whole < places || (whole === places && fraction <= scale);
  }

  function judge(given: string): string | undefined {
    const text = trimSpaces(given);
    if (SPECIAL.test(text)) {
      return precision !== undefined && INFINITE.test(text) ? 'out_of_range' : undefined;
    }
    if (UNUSUAL.test(text)) return undefined;
    const match = DECIMAL.exec(text);
    if (match === null) return 'not_a_number';
    const whole = match[2] ?? '';
    const fraction = match[3] ?? '';
    if (whole.length + fraction.length === 0) return 'not_a_number';
    return fits(whole + fraction, Number(match[4] ?? 0) - fraction.length) ? undefined : 'out_of_range';
  }

  /** Whether `coefficient` × 10^`exponent` rounds to fewer than `places` digits before the scale. */
  function fits(coefficient: string, exponent: number): boolean {
    if (precision === undefined) return true;
    const significant = coefficient.replace(/^0+/, '');
    if (significant === '') return true;
    // 10^(leading-1) <= the value < 10^leading
    const leading = significant.length + exponent;
    if (leading > places) return false;
    if (leading < places) return true;
    // Only 99…9 followed by a digit of 5 or more rounds up to 10^places.
    const kept = places + scale;
    if (kept === 0) return significant.charCodeAt(0) < 53;
    const head = significant.slice(0, kept);
    return head.length < kept || !/^9+$/.test(head) || (significant.charCodeAt(kept) || 48) < 53;
  }

  return {
    expected: precision === undefined ? 'number' : `number that fits numeric(${precision},${scale})`,
    quick,
    accepts: (text) => judge(text) === undefined,
    reason: (text) => judge(text) ?? 'not_a_number',
  };
}

/** The guard of real (`float4`) and double precision (`float8`). What is too small is left to the server. */
export function floatGuard(base: 'float4' | 'float8'): Guard {
  // Above the greatest float4 there is a zone that rounds down to it; 3.5e38 is beyond it.
  const limit = base === 'float4' ? 3.5e38 : Number.POSITIVE_INFINITY;

  function judge(given: string): string | undefined {
    const text = trimSpaces(given);
    const match = DECIMAL.exec(text);
    if (match !== null && (match[2] ?? '').length + (match[3] ?? '').length > 0) {
      return Math.abs(Number(text)) < limit ? undefined : 'out_of_range';
    }
    return SPECIAL.test(text) || UNUSUAL.test(text) ? undefined : 'not_a_number';
  }

  // What the exponent adds to thirty digits, or takes from them, stays far from any limit.
  const mostExponent = base === 'float4' ? 8 : 99;

  function quick(bytes: Uint8Array, from: number, to: number): boolean {
    const first = bytes[from] === 45 ? from + 1 : from;
    let mantissa = first;
    while (mantissa < to && ((bytes[mantissa] as number) | 32) !== 101) mantissa++;
    const point = pointIn(bytes, first, mantissa);
    const fraction = point === mantissa ? 0 : mantissa - point - 1;
    return (
      mantissa - first <= 29 &&
      point - first + fraction > 0 &&
      digitBytes(bytes, first, point) &&
      (fraction === 0 || digitBytes(bytes, point + 1, mantissa)) &&
      (mantissa === to || isExponent(bytes, mantissa + 1, to, mostExponent))
    );
  }

  return {
    expected: base === 'float4' ? 'number within the range of real' : 'number within the range of double',
    quick,
    accepts: (text) => judge(text) === undefined,
    reason: (text) => judge(text) ?? 'not_a_number',
  };
}

/** Where the first point stands; `to` where there is none. */
function pointIn(bytes: Uint8Array, from: number, to: number): number {
  let point = from;
  while (point < to && bytes[point] !== 46) point++;
  return point;
}

/** Whether what stands behind the e is a number of one or two digits, at most `most`. */
function isExponent(bytes: Uint8Array, from: number, to: number, most: number): boolean {
  const first = bytes[from] === 45 || bytes[from] === 43 ? from + 1 : from;
  if (to - first === 1) return digitBytes(bytes, first, to) && (bytes[first] as number) - 48 <= most;
  const value = to - first === 2 ? twoDigits(bytes, first) : -1;
  return value >= 0 && value <= most;
}
