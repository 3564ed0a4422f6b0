import { ORIGIN, type Row } from '../../core/row.js';

/** Makes rows of one set of columns; all have one hidden class, whichever way they are made. */
export interface RowMaker {
  readonly columns: number;
  readonly names: readonly string[];
  /** From the values of a record, in the order of the header, and the line it starts on. */
  fromValues(values: readonly unknown[], line: number): Row;
  /**
   * From a record in `text` without quotes. `cuts` has one more entry than there are columns: field i lies
   * behind cut i and before cut i + 1; an empty one is null.
   */
  fromText(text: string, cuts: Int32Array, line: number): Row;
}

/** The columns of a wider header are not worth the generated code: it is past what V8 optimises. */
const MOST_CUTTING_COLUMNS = 500;

/**
 * A constructor generated for these columns, so that a field is set without a lookup by name. A header is
 * untrusted: names enter the code only through JSON.stringify, and `__proto__` becomes an ordinary
 * property of the row.
 */
export function rowMaker(columns: readonly string[]): RowMaker {
  const set = (name: string, value: string) =>
    name === '__proto__'
      ? `Object.defineProperty(this,"__proto__",{value:${value},writable:true,enumerable:true,configurable:true});`
      : `this[${sourceText(name)}]=${value};`;
  const fromValues = columns.map((name, i) => set(name, `v[${i}]`)).join('');
  const cut = (i: number) => `((s=c[${i}]+1)===(e=c[${i + 1}])?null:t.slice(s,e))`;
  const fromText =
    columns.length <= MOST_CUTTING_COLUMNS
      ? `let s=0,e=0;${columns.map((name, i) => set(name, cut(i))).join('')}`
      : `v=cutAll(t,c);${fromValues}`;
  // One constructor for both ways, or there would be two hidden classes. The prototype is that of plain
  // objects: a row is one, whatever made it.
  const code = `function Row(t,c,v,line){if(v===null){${fromText}}else{${fromValues}}this[ORIGIN]=line}
Row.prototype=Object.prototype;
return {columns:${columns.length},names,fromValues:(v,line)=>new Row('',null,v,line),fromText:(t,c,line)=>new Row(t,c,null,line)}`;
  return new Function('ORIGIN', 'cutAll', 'names', code)(ORIGIN, cutAll, columns) as RowMaker;
}

function cutAll(text: string, cuts: Int32Array): (string | null)[] {
  const values: (string | null)[] = [];
  for (let i = 1; i < cuts.length; i++) {
    const start = (cuts[i - 1] as number) + 1;
    const end = cuts[i] as number;
    values.push(start === end ? null : text.slice(start, end));
  }
  return values;
}

/** JSON is JavaScript but for two characters, which older engines take for line ends. */
const sourceText = (name: string) =>
  JSON.stringify(name).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
