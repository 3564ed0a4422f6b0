import { tableErrors } from '../core/errors/catalogue/tables.js';
import { ident } from './quote.js';

/** A table by its parts, as the catalog has them; without a schema the search path decides. */
export interface TableName {
  readonly schema: string | null;
  readonly table: string;
}

interface Part {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * What a name may mean, the likeliest first: whoever looks for a table takes the first that there is. In SQL's quotes a
 * part is what stands in them; without, it is what is written, else what SQL folds that to (`Foo`: "Foo", else foo). A
 * dot outside quotes divides schema and table, else it belongs to a name (`a.b`: table b in schema a, else "a.b"). Throws
 * usage `bad_table_name`.
 */
export function readings(text: string): TableName[] {
  const parts = partsOf(text);
  const exact = divided(parts, ({ text: part }) => part);
  const folded = divided(parts, (part) => (part.quoted ? part.text : fold(part.text)));
  const all = [...exact, ...folded];
  const same = (a: TableName, b: TableName) => a.schema === b.schema && a.table === b.table;
  return all.filter((one, at) => all.findIndex((each) => same(each, one)) === at);
}

/** What SQL takes the name for, where a table is to be made. Throws usage `bad_table_name`. */
export function readAsSql(text: string): TableName {
  const [first, second, ...more] = partsOf(text).map((part) => (part.quoted ? part.text : fold(part.text)));
  if (more.length > 0) throw badName(text, 'it has more than a schema and a table');
  return second === undefined
    ? { schema: null, table: first as string }
    : { schema: first as string, table: second };
}

/** `schema.table` as it is typed, in SQL's quotes where it needs them: its first reading is the table. */
export function tableText({ schema, table }: TableName): string {
  return [...(schema === null ? [] : [schema]), table].map(partText).join('.');
}

/** Upper case, a dot, a blank, … mean something else without quotes. */
const partText = (part: string) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : ident(part));

/** As PostgreSQL folds names: ASCII alone. */
const fold = (part: string) => part.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** All ways to divide the parts into a schema and a table; dots that divide neither belong to a name. */
function divided(parts: readonly Part[], read: (part: Part) => string): TableName[] {
  const join = (some: readonly Part[]) => some.map(read).join('.');
  // A quoted part is a name of its own.
  const whole = (some: readonly Part[]) => some.length === 1 || some.every(({ quoted }) => !quoted);
  const names: TableName[] = [];
  for (let at = 1; at < parts.length; at++) {
    const [schema, table] = [parts.slice(0, at), parts.slice(at)];
    if (whole(schema) && whole(table)) names.push({ schema: join(schema), table: join(table) });
  }
  if (whole(parts)) names.push({ schema: null, table: join(parts) });
  return names;
}

function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  // Each part with what ends it: a quoted one, or one without a quote in it.
  const part = /(?:"((?:[^"]|"")*)"|([^".]*))(\.|$)/y;
  for (;;) {
    const found = part.exec(text);
    if (found === null) throw badName(text, 'its quotes do not pair');
    const [, quoted, plain, end] = found;
    const name = quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"');
    if (name === '') throw badName(text, 'a part of it is empty');
    if (name.includes('\0')) throw badName(text, 'it holds a NUL');
    parts.push({ text: name, quoted: quoted !== undefined });
    if (end === '') break;
  }
  const all: readonly Part[] = parts;
  if (all.length > 2 && all.filter(({ quoted }) => quoted).length === all.length)
    throw badName(text, 'it has more than a schema and a table');
  return parts;
}

function badName(text: string, why: string) {
  return tableErrors.bad_table_name({ name: text, why });
}
