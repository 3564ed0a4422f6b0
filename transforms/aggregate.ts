import { detachValue } from '../src/core/detach.js';
import type { AnyRow, Column, Row } from '../src/core/row.js';
import type { Stage } from '../src/core/types.js';
import { RowError } from './failure.js';
import { group } from './group.js';
import type { By } from './key.js';

/** What is made of a column of a group's rows: an empty state, a value taken into it, and what it comes to. */
export interface Measure<C extends string = string, V = unknown> {
  /** Left out: of the rows themselves. */
  readonly column?: C;
  readonly start: () => unknown;
  readonly add: (state: unknown, value: unknown) => unknown;
  readonly finish: (state: unknown) => V;
}

/** A measure that gives a value of the column as it is, or all of them. */
export interface Picked<C extends string, Gives extends 'value' | 'values'> extends Measure<C> {
  readonly column: C;
  readonly gives: Gives;
}

interface Steps<S, V> {
  readonly start: () => S;
  readonly add: (state: S, value: unknown) => S;
  readonly finish: (state: S) => V;
}

const steps = <S, V>({
  start,
  add,
  finish,
}: Steps<S, V>): Pick<Measure<string, V>, 'start' | 'add' | 'finish'> => ({
  start,
  add: (state, value) => add(state as S, value),
  finish: (state) => finish(state as S),
});

/** How many rows the group has; of a column how many values, without NULL. */
export function count<const C extends string = never>(column?: C): Measure<C, number> {
  return {
    ...(column === undefined ? {} : { column }),
    ...steps<number, number>({
      start: () => 0,
      add: (sum, value) => (value === null ? sum : sum + 1),
      finish: (sum) => sum,
    }),
  };
}

/** The exact sum of a column of decimal numbers, as text with as many decimals as the longest of them; NULL where none has a value. */
export function sum<const C extends string>(column: C): Measure<C, string | null> {
  return {
    column,
    ...steps<Decimal | undefined, string | null>({
      start: () => undefined,
      add(total, value) {
        if (value === null) return total;
        const next = decimalOf(String(value), column);
        return total === undefined ? next : plus(total, next);
      },
      finish: (total) => (total === undefined ? null : textOf(total)),
    }),
  };
}

/** The smallest value of a column: of text by code point, of decimal numbers with `'number'`; NULL is passed over. */
export function min<const C extends string>(
  column: C,
  as: 'text' | 'number' = 'text',
): Measure<C, string | null> {
  return extreme(column, as, -1);
}

/** The largest value of a column, as `min` compares them. */
export function max<const C extends string>(
  column: C,
  as: 'text' | 'number' = 'text',
): Measure<C, string | null> {
  return extreme(column, as, 1);
}

/** The value of a column in the group's first row. */
export function first<const C extends string>(column: C): Picked<C, 'value'> {
  const { start, add, finish } = steps<{ readonly value?: unknown }, unknown>({
    start: () => ({}),
    add: (held, value) => ('value' in held ? held : { value: detachValue(value) }),
    finish: ({ value }) => value,
  });
  return { gives: 'value', column, start, add, finish };
}

/** The values of a column as an array of JSON, in the order of the rows; NULL among them. */
export function collect<const C extends string>(column: C): Picked<C, 'values'> {
  const { start, add, finish } = steps<unknown[], unknown>({
    start: () => [],
    add(values, value) {
      values.push(detachValue(value));
      return values;
    },
    finish: (values) => values,
  });
  return { gives: 'values', column, start, add, finish };
}

export interface AggregateOptions<
  R extends AnyRow,
  K extends Column<R>,
  M extends Readonly<Record<string, Measure<Column<R>>>>,
> {
  /** The columns that a group has in common, which stay. */
  readonly by: readonly K[];
  /** New columns, each with what it is made of: `{ orders: count(), total: sum('amount') }`. */
  readonly columns: M;
  /** Rows of a group need not stand together: what is made of all groups is then held in memory. Default: false. */
  readonly unordered?: boolean;
}

/** The row of a group. */
export type Aggregated<R extends AnyRow, K extends Column<R>, M> = Pick<R, K> & {
  readonly [New in keyof M]: M[New] extends Picked<infer C extends Column<R>, infer Gives>
    ? Gives extends 'value'
      ? R[C]
      : readonly R[C][]
    : M[New] extends Measure<string, infer V>
      ? V
      : never;
};

/**
 * One row for each group: the columns `by`, and new ones with counts, sums and the like. Rows of a group must stand
 * together, unless `unordered`; it is a `group` with its functions written for it, and counts as that does (`grouped`). A value
 * that is no number where one is added ends the batch with `stage_failed`: reject such rows before.
 */
export function aggregate<
  R extends AnyRow = Row,
  const K extends Column<R> = Column<R>,
  const M extends Readonly<Record<string, Measure<Column<R>>>> = Readonly<Record<string, Measure<Column<R>>>>,
>(options: AggregateOptions<R, K, M>): Stage<R, Aggregated<R, K, M>> {
  type Out = Aggregated<R, K, M>;
  const { by, columns, unordered = false } = options;
  const measures = Object.entries<Measure<Column<R>>>(columns);
  interface Held {
    readonly keys: Row;
    readonly states: unknown[];
  }
  const keys: By<R> = by;
  return group<R, Held, Out>({
    by: keys,
    unordered,
    name: `aggregate(${by.join(', ')})`,
    start: (row) => ({
      keys: Object.fromEntries(by.map((column) => [column, detachValue(row[column])])),
      states: measures.map(([, { start }]) => start()),
    }),
    add: ({ states }, row) => {
      for (const [at, [, { column, add }]] of measures.entries())
        states[at] = add(states[at], column === undefined ? undefined : (row[column] ?? null));
    },
    finish: ({ keys, states }) => {
      const made = measures.map(([name, { finish }], at) => [name, finish(states[at])] as const);
      return { ...keys, ...Object.fromEntries(made) } as AnyRow as Out;
    },
  });
}

function extreme<C extends string>(
  column: C,
  as: 'text' | 'number',
  sign: -1 | 1,
): Measure<C, string | null> {
  const compare = (a: string, b: string) =>
    as === 'text' ? byCodePoint(a, b) : signOf(difference(decimalOf(a, column), decimalOf(b, column)));
  return {
    column,
    ...steps<string | null, string | null>({
      start: () => null,
      add(held, value) {
        if (value === null) return held;
        const text = detachValue(String(value));
        if (as === 'number') decimalOf(text, column);
        return held === null || compare(text, held) * sign > 0 ? text : held;
      },
      finish: (held) => held,
    }),
  };
}

const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const signOf = (of: bigint) => (of < 0n ? -1 : of > 0n ? 1 : 0);

/** A decimal number: `digits` over ten to the power of `scale`. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** More decimals than this are taken for a mistake. */
const MOST_SCALE = 1000;

function decimalOf(text: string, column: string): Decimal {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text.trim());
  const [, sign = '', whole = '', fraction = ''] = found ?? [];
  if (found === null || `${whole}${fraction}` === '' || fraction.length > MOST_SCALE)
    throw new RowError('not_a_number', `${column} is no decimal number: ${JSON.stringify(text)}`, {
      ...{ column, value: text, expected: 'a decimal number' },
    });
  const digits = BigInt(`${whole}${fraction}`);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}

function plus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: scaled(a, scale) + scaled(b, scale), scale };
}

function difference(a: Decimal, b: Decimal): bigint {
  const scale = Math.max(a.scale, b.scale);
  return scaled(a, scale) - scaled(b, scale);
}

const scaled = ({ digits, scale }: Decimal, to: number) => digits * 10n ** BigInt(to - scale);

function textOf({ digits, scale }: Decimal): string {
  const all = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const sign = digits < 0n ? '-' : '';
  return scale === 0 ? `${sign}${all}` : `${sign}${all.slice(0, -scale)}.${all.slice(-scale)}`;
}
