/**
 * Numbers of JSON without a loss: what JavaScript's numbers hold exactly is a number, anything else stays
 * the text it was. RFC 8259 sets no limit to the digits of a number; a double has about 15.
 */

/** A double holds every decimal of this many digits (DBL_DIG). */
const SAFE_DIGITS = 15;

/**
 * Whether some number in `json` may be one that a double does not hold: digits and a point of more than
 * SAFE_DIGITS characters, or an exponent far enough out to leave its range. Looks at one character in 16,
 * since a longer run cannot pass between two of them.
 */
function isSuspect(json: string): boolean {
  const stride = SAFE_DIGITS + 1;
  for (let i = SAFE_DIGITS; i < json.length; i += stride) {
    if (!isDigitOrPoint(json.charCodeAt(i))) continue;
    let from = i;
    let to = i + 1;
    while (from > 0 && isDigitOrPoint(json.charCodeAt(from - 1))) from--;
    while (to < json.length && isDigitOrPoint(json.charCodeAt(to))) to++;
    if (to - from > SAFE_DIGITS) return true;
  }
  return FAR_EXPONENT.test(json);
}

/** With at most 15 digits before it, an exponent of two digits stays in the range. */
const FAR_EXPONENT = /[eE][+-]?\d{3}/;

const isDigitOrPoint = (code: number) => (code >= 48 && code <= 57) || code === 46;

/** Strings, which are passed over, and numbers of valid JSON. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** `JSON.parse`, but numbers that would change are text. Throws SyntaxError. */
export function parseExact(json: string): unknown {
  const value: unknown = JSON.parse(json);
  if (!isSuspect(json)) return value;
  let inexact = false;
  const quoted = json.replace(TOKENS, (token) => {
    if (token.startsWith('"') || isExact(token)) return token;
    inexact = true;
    return `"${token}"`;
  });
  return inexact ? JSON.parse(quoted) : value;
}

/** The number that a literal of JSON stands for, or the literal itself where no number is the same. */
export function exactNumber(literal: string): number | string {
  return isExact(literal) ? Number(literal) : literal;
}

/** Whether the number made of `literal` has the same value, and an integer no neighbour it could be taken for. */
function isExact(literal: string): boolean {
  if (literal.length <= SAFE_DIGITS && !/[eE]/.test(literal)) return true;
  const number = Number(literal);
  if (!Number.isFinite(number)) return false;
  if (/^-?\d+$/.test(literal)) return Number.isSafeInteger(number);
  return canonical(literal) === canonical(String(number));
}

/** A decimal as its significant digits and the power of ten of the last one: `1.50e3` is `15e2`. */
function canonical(literal: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(
    literal,
  ) as RegExpExecArray & string[];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}
