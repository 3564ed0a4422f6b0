import type { Ajv, FuncKeywordDefinition, SchemaValidateFunction } from 'ajv';
import {
  compareDecimals,
  type Decimal,
  decimalOf,
  doubleOf,
  isMultiple,
  isWhole,
} from '../src/core/json/decimal.js';
import { ExactNumber, isExactNumber } from '../src/core/json/exact-number.js';

/** A value with JavaScript numbers only, as ajv takes them. */
export interface PlainNumbers<T> {
  readonly value: T;
  /** Whether some number stands for another, since no double has its value. */
  readonly rounded: boolean;
  /** Of each array and object that is not the given one itself: which one of those given it stands for. */
  readonly given: ReadonlyMap<unknown, unknown>;
}

/** `value` itself where it has JavaScript numbers only, else a copy in which others stand for those that are none. */
export function plainNumbers<T>(value: T): PlainNumbers<T> {
  const given = new Map<unknown, unknown>();
  let rounded = false;
  const plain = (of: unknown): unknown => {
    if (typeof of === 'bigint' || isExactNumber(of)) {
      const literal = String(of);
      const double = doubleOf(literal);
      if (double !== undefined) return double;
      rounded = true;
      return standIn(literal);
    }
    if (typeof of !== 'object' || of === null || ArrayBuffer.isView(of)) return of;
    const items = Array.isArray(of) ? of : Object.values(of);
    const made = items.map(plain);
    if (made.every((item, i) => item === items[i])) return of;
    const copy = Array.isArray(of)
      ? made
      : Object.fromEntries(Object.keys(of).map((key, i) => [key, made[i]]));
    given.set(copy, of);
    return copy;
  };
  return { value: plain(value) as T, rounded, given };
}

/** A double that is whole where the number is, so that `type: integer` is answered for it. */
function standIn(literal: string): number {
  const whole = isWhole(decimalOf(literal) as Decimal);
  const double = Number(literal);
  if (whole) return Number.isFinite(double) ? double : Math.sign(double) * Number.MAX_VALUE;
  return Number.isInteger(double) ? 0.5 : double;
}

/** Text that reads as a number: the double of its value, or where there is none an ExactNumber. */
export function numberOfText(text: string): number | ExactNumber {
  // A double has every decimal of so many digits.
  if (text.length <= 15 && !/e/i.test(text)) return Number(text);
  return doubleOf(text) ?? new ExactNumber(text);
}

/** What is asked now: the row and the schema, as they are and as ajv sees them. */
export interface Asked {
  row: PlainNumbers<unknown>;
  readonly schema: PlainNumbers<unknown>;
}

type Context = Parameters<SchemaValidateFunction>[3];

/**
 * Gives `ajv` keywords that compare numbers by their value to the last digit, in the place of its own, which compare
 * doubles. They are functions and so slower: for rows with numbers that no double has.
 */
export function compareExactly(ajv: Ajv, asked: Asked): void {
  const limits = {
    minimum: ['>=', (order: number) => order >= 0],
    maximum: ['<=', (order: number) => order <= 0],
    exclusiveMinimum: ['>', (order: number) => order > 0],
    exclusiveMaximum: ['<', (order: number) => order < 0],
  } as const;
  const replace = (keyword: string, definition: Partial<FuncKeywordDefinition>, judge: Judge) => {
    ajv.removeKeyword(keyword);
    const validate: SchemaValidateFunction = (schema: unknown, data: unknown, parent, context) => {
      const wrong = judge(
        givenIn(asked.schema, parent, keyword, schema),
        givenIn(asked.row, (context as Context)?.parentData, (context as Context)?.parentDataProperty, data),
      );
      if (wrong !== undefined) validate.errors = [{ keyword, ...wrong }];
      return wrong === undefined;
    };
    ajv.addKeyword({ keyword, ...definition, validate, errors: true } as FuncKeywordDefinition);
  };
  for (const [keyword, [comparison, holds]] of Object.entries(limits))
    replace(keyword, { type: 'number', schemaType: 'number' }, (limit, value) =>
      holds(compareDecimals(decimal(value), decimal(limit)))
        ? undefined
        : { message: `must be ${comparison} ${limit}`, params: { comparison, limit } },
    );
  replace('multipleOf', { type: 'number', schemaType: 'number' }, (multipleOf, value) =>
    isMultiple(decimal(value), decimal(multipleOf))
      ? undefined
      : { message: `must be multiple of ${multipleOf}`, params: { multipleOf } },
  );
  replace('const', {}, (allowedValue, value) =>
    equal(allowedValue, value)
      ? undefined
      : { message: 'must be equal to constant', params: { allowedValue } },
  );
  replace('enum', { schemaType: 'array' }, (allowedValues, value) =>
    (allowedValues as unknown[]).some((allowed) => equal(allowed, value))
      ? undefined
      : { message: 'must be equal to one of the allowed values', params: { allowedValues } },
  );
  replace('uniqueItems', { type: 'array', schemaType: 'boolean' }, (wanted, value) => {
    const items = value as unknown[];
    const j =
      wanted === true
        ? items.findIndex((item, at) => items.findIndex((other) => equal(other, item)) < at)
        : -1;
    if (j < 0) return undefined;
    const i = items.findIndex((other) => equal(other, items[j]));
    return {
      message: `must NOT have duplicate items (items ## ${i} and ${j} are identical)`,
      params: { i, j },
    };
  });
}

type Judge = (
  schema: unknown,
  value: unknown,
) => { readonly message: string; readonly params: object } | undefined;

/** What was given where ajv sees `plain` as the property `name` of `holder`. */
function givenIn(all: PlainNumbers<unknown>, holder: unknown, name: unknown, plain: unknown): unknown {
  const given = all.given.get(holder);
  return given === undefined ? plain : (given as Record<string, unknown>)[name as string];
}

const decimal = (value: unknown) => decimalOf(String(value)) as Decimal;

const isNumber = (value: unknown) =>
  typeof value === 'number' || typeof value === 'bigint' || isExactNumber(value);

/** As JSON Schema has it: numbers by value, objects whatever the order of their keys. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return compareDecimals(decimal(a), decimal(b)) === 0;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isNumber(a) || isNumber(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}
