import { ORIGIN, type Row } from '../../core/row.js';

/** Makes rows of an outer one and the inner ones that belong to it. */
export interface Joiner {
  /**
   * Appends to `out` a row for each of `inner` from `at` on that has the key of `outer`, their origins from `ordinal` on,
   * and gives the place of the first one that has another.
   */
  rows(outer: Row, inner: readonly Row[], at: number, ordinal: number, out: Row[]): number;
  /** The row of an outer one that has none. */
  alone(outer: Row, ordinal: number): Row;
}

/**
 * A joiner of rows with these columns, of which both have `on`: its rows have the outer columns, then the inner ones. Its
 * code is generated, so that all rows have one shape and what the outer row has is read once; names enter the code only
 * through JSON.stringify.
 */
export function joiner(outer: readonly string[], inner: readonly string[], on: string): Joiner {
  const more = inner.filter((name) => name !== on);
  const columns = [...outer, ...more];
  const parameters = columns.map((_, i) => `f${i}`);
  // An assignment to __proto__ would set the prototype.
  const assignments = columns.map((name, i) =>
    name === '__proto__'
      ? `Object.defineProperty(this, '__proto__', { value: f${i}, enumerable: true, configurable: true, writable: true });`
      : `this[${JSON.stringify(name)}] = f${i};`,
  );
  const read = outer.map((name, i) => `f${i} = outer[${JSON.stringify(name)}]`).join(', ');
  const own = parameters.slice(0, outer.length).join(', ');
  const of = more.map((name) => `row[${JSON.stringify(name)}]`);
  const key = JSON.stringify(on);
  const source = `'use strict';
function Row(${[...parameters, 'origin'].join(', ')}) { ${assignments.join(' ')} this[ORIGIN] = origin; }
Row.prototype = Object.prototype;
return {
  rows(outer, inner, at, ordinal, out) {
    const key = outer[${key}], ${read};
    for (; at < inner.length; at++) {
      const row = inner[at];
      if (row[${key}] !== key) break;
      out.push(new Row(${[own, ...of, 'ordinal++'].join(', ')}));
    }
    return at;
  },
  alone(outer, ordinal) {
    const ${read};
    return new Row(${[own, ...more.map(() => 'null'), 'ordinal'].join(', ')});
  },
};`;
  return new Function('ORIGIN', source)(ORIGIN) as Joiner;
}
