import { FieldError, type TextField } from './field.js';

/** Which mark stands before the fraction; `either` tells it from the text. */
export type DecimalMark = '.' | ',' | 'either';

export interface NumberOptions {
  readonly mark?: DecimalMark;
  /** What may stand before or after the number: `kg`. Case does not matter. */
  readonly units?: readonly string[];
  /** The most digits behind the mark; unbounded where left out. */
  readonly fraction?: number;
}

/** Digits in groups of three, or without groups; then a fraction. The first groups by commas, the second by points. */
const FORMS = [
  /^(-?)([1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.(\d+))?$/,
  /^(-?)([1-9]\d{0,2}(?:\.\d{3})+|\d+)(?:,(\d+))?$/,
] as const;

/** Without groups, and with so few decimals that they are no group. */
const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d{1,2})?$/;

/**
 * A number as plain decimal text, digit for digit: `1.234,56` and `1,234.56` are `1234.56`. Where `mark` does
 * not say it, the last of two different marks stands before the fraction, a mark that comes more than once
 * groups thousands, and `1.234` or `1,234` alone could be either, and is refused: taken wrongly it would be a
 * thousand times too much or too little. Throws FieldError `not_a_number`, `ambiguous_number`,
 * `too_many_decimals`.
 */
export function number(options: NumberOptions = {}): TextField {
  const { mark = 'either', units = [], fraction } = options;
  const known = units.map((unit) => unit.toLowerCase());
  const forms = mark === '.' ? [FORMS[0]] : mark === ',' ? [FORMS[1]] : FORMS;
  return (value) => {
    // What most numbers are, and cannot be read otherwise.
    if (mark !== ',' && (fraction ?? 2) >= 2 && PLAIN.test(value)) return value;
    const text = withoutUnits(value.trim(), known);
    const readings = [...new Set(forms.flatMap((form) => reading(form.exec(text))))];
    const [made, other] = readings;
    if (made === undefined)
      throw new FieldError('not_a_number', `not a number: ${JSON.stringify(value)}`, 'a number');
    if (other !== undefined)
      throw new FieldError(
        'ambiguous_number',
        `${JSON.stringify(value)} may be ${made} or ${other}`,
        'a number whose decimal mark can be told, or number(.) or number(,) in the mapping',
      );
    const decimals = made.length - 1 - made.indexOf('.');
    if (fraction !== undefined && made.includes('.') && decimals > fraction)
      throw new FieldError(
        'too_many_decimals',
        `${JSON.stringify(value)} has ${decimals} decimals`,
        `at most ${fraction} decimals`,
      );
    return made;
  };
}

/** An amount of money: a number of at most two decimals, with or without a peso sign. */
export function money(mark: DecimalMark = 'either'): TextField {
  return number({ mark, units: ['$', 'mxn', 'm.n.', 'mn'], fraction: 2 });
}

function reading(match: RegExpExecArray | null): string[] {
  if (match === null) return [];
  const [, sign = '', whole = '', fraction] = match;
  const digits = whole.replace(/[.,]/g, '').replace(/^0+(?=\d)/, '');
  return [`${sign}${digits}${fraction === undefined ? '' : `.${fraction}`}`];
}

/** Without the units that stand around: `$ 350.00 MXN` has one on both sides, and nobody writes more than four. */
function withoutUnits(text: string, units: readonly string[]): string {
  let bare = text;
  for (let left = 4; left > 0; left--) {
    const less = withoutUnit(bare, units);
    if (less === undefined) break;
    bare = less;
  }
  return bare;
}

function withoutUnit(text: string, units: readonly string[]): string | undefined {
  const lower = text.toLowerCase();
  for (const unit of units) {
    if (lower.startsWith(unit)) return text.slice(unit.length).trim();
    if (lower.startsWith(`-${unit}`)) return `-${text.slice(unit.length + 1).trim()}`;
    if (lower.endsWith(unit)) return text.slice(0, -unit.length).trim();
  }
  return undefined;
}
