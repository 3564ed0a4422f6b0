import { type AnyRow, ORIGIN, type Row } from '../src/core/row.js';

type Make = (row: AnyRow, added: AnyRow) => AnyRow | undefined;

/** Rows of more different sets of columns than this are spread. */
const MOST_SHAPES = 16;

/**
 * A function that gives `{ ...row, ...added }` with the row's origin, `added` having just the columns
 * `names`. It is generated for the rows' columns: spreading a row of more than about a dozen columns gives
 * an object that V8 keeps as a hash table, which takes many times the time and memory here and wherever it
 * is read. Symbols other than the origin are not copied.
 */
export function extend<Added extends AnyRow = Row>(
  ...names: readonly (keyof Added & string)[]
): <R extends AnyRow>(row: R, added: Added) => R & Added {
  const shapes: Make[] = [];
  return <R extends AnyRow>(row: R, added: Added) => {
    for (let i = 0; i < shapes.length; i++) {
      const made = (shapes[i] as Make)(row, added);
      if (made !== undefined) return made as R & Added;
    }
    if (shapes.length < MOST_SHAPES) shapes.push(compile(Object.keys(row), names));
    return { ...row, ...added };
  };
}

/**
 * Makes a row of those with `columns`, in their order, and undefined of any other. Names are untrusted:
 * they enter the code only through JSON.stringify, and an assignment to `__proto__` would set a prototype.
 */
function compile(columns: readonly string[], names: readonly string[]): Make {
  const set = (name: string, from: string) =>
    name === '__proto__'
      ? `Object.defineProperty(this, '__proto__', { value: ${from}, enumerable: true, configurable: true, writable: true });`
      : `this[${JSON.stringify(name)}] = ${from};`;
  const all = [...columns, ...names.filter((name) => !columns.includes(name))];
  const sets = all.map((name) =>
    set(name, `${names.includes(name) ? 'added' : 'row'}[${JSON.stringify(name)}]`),
  );
  const source = `'use strict';
function Row(row, added) { ${sets.join(' ')} const origin = row[ORIGIN]; if (origin !== undefined) this[ORIGIN] = origin; }
Row.prototype = Object.prototype;
return function make(row, added) {
  let n = 0;
  for (const key in row) if (key !== columns[n++]) return undefined;
  return n === ${columns.length} ? new Row(row, added) : undefined;
};`;
  return new Function('ORIGIN', 'columns', source)(ORIGIN, columns) as Make;
}
