import type { Row } from '../src/core/row.js';
import { numberOfText } from './exact-schema.js';

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

interface Column {
  readonly name: string;
  readonly allowsNull: boolean;
  readonly read: ((text: string) => unknown) | undefined;
}

/**
 * A function that shows a row of text to `schema` with the types that the schema asks for: text that reads
 * as a number or boolean as such, NULL as absent where the schema does not allow it. The row itself is
 * given where there is nothing to change.
 */
export function readText(schema: JsonSchema): (row: Row) => Row {
  const columns = [...collect(schema, schema)].map(([name, schemas]): Column => {
    const types = new Set(schemas.flatMap((one) => [...typesOf(one, schema)]));
    return { name, allowsNull: types.has('null'), read: readerOf(types) };
  });
  return (row) => {
    let view: Record<string, unknown> | undefined;
    for (const { name, allowsNull, read } of columns) {
      const value = row[name];
      let seen: unknown = value;
      // ajv takes undefined for absent, and setting it keeps the row's hidden class, which deleting does not.
      if (value === null && !allowsNull) seen = undefined;
      else if (read !== undefined && typeof value === 'string') seen = read(value);
      if (seen === value) continue;
      view ??= { ...row };
      view[name] = seen;
    }
    return view ?? row;
  };
}

/** All schemas that speak of a column, wherever in the row's schema they stand. */
function collect(
  of: unknown,
  root: JsonSchema,
  found = new Map<string, JsonSchema[]>(),
  seen = new Set<unknown>(),
): Map<string, JsonSchema[]> {
  const schema = resolve(of, root);
  if (schema === undefined || seen.has(schema)) return found;
  seen.add(schema);
  const add = (name: string) => {
    const list = found.get(name) ?? [];
    found.set(name, list);
    return list;
  };
  for (const [name, inner] of Object.entries(objectOf(schema.properties))) {
    const resolved = resolve(inner, root);
    if (resolved === undefined) add(name);
    else add(name).push(resolved);
  }
  for (const name of listOf(schema.required)) if (typeof name === 'string') add(name);
  for (const word of ['dependentRequired', 'dependencies']) {
    for (const [name, others] of Object.entries(objectOf(schema[word]))) {
      for (const other of [name, ...listOf(others)]) if (typeof other === 'string') add(other);
    }
  }
  for (const word of ['allOf', 'anyOf', 'oneOf'])
    for (const inner of listOf(schema[word])) collect(inner, root, found, seen);
  for (const word of ['if', 'then', 'else', 'not']) collect(schema[word], root, found, seen);
  for (const word of ['dependentSchemas', 'dependencies']) {
    for (const inner of Object.values(objectOf(schema[word]))) collect(inner, root, found, seen);
  }
  return found;
}

/** The JSON types that `schema` admits by name; none where it does not say. */
function typesOf(of: unknown, root: JsonSchema, depth = 0): Set<string> {
  const schema = resolve(of, root);
  const types = new Set<string>();
  if (schema === undefined || depth > 16) return types;
  for (const type of Array.isArray(schema.type) ? schema.type : [schema.type]) {
    if (typeof type === 'string') types.add(type);
  }
  if (schema.nullable === true) types.add('null');
  if (schema.type === undefined) {
    const values = [...listOf(schema.enum), ...('const' in schema ? [schema.const] : [])];
    for (const value of values) types.add(value === null ? 'null' : typeof value);
  }
  for (const word of ['allOf', 'anyOf', 'oneOf']) {
    for (const inner of listOf(schema[word]))
      for (const type of typesOf(inner, root, depth + 1)) types.add(type);
  }
  return types;
}

/** Text stays text where the schema admits text. */
function readerOf(types: ReadonlySet<string>): Column['read'] {
  if (types.has('string')) return undefined;
  const number = types.has('number') || types.has('integer');
  const boolean = types.has('boolean');
  if (!number && !boolean) return undefined;
  return (text) => {
    if (number && /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text))
      return numberOfText(text);
    return boolean ? (BOOLEANS.get(text.toLowerCase()) ?? text) : text;
  };
}

/** The words of PostgreSQL's boolean input, without its abbreviations of more than one letter. */
const BOOLEANS = new Map([
  ...['t', 'true', 'y', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['f', 'false', 'n', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

/** A schema as an object, through a $ref into the same document; undefined for true and false. */
function resolve(of: unknown, root: JsonSchema): JsonSchema | undefined {
  let schema = of;
  for (let hops = 0; hops < 16; hops++) {
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return undefined;
    const ref = (schema as JsonSchema).$ref;
    if (typeof ref !== 'string' || !ref.startsWith('#')) return schema as JsonSchema;
    let target: unknown = root;
    for (const part of ref.slice(1).split('/').slice(1)) {
      target = objectOf(target)[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')];
    }
    schema = target;
  }
  return undefined;
}

function objectOf(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
