import type { SchemaElement, SchemaTree } from 'hyparquet';
import { parquetErrors } from '../../core/errors/catalogue/parquet.js';
import { ExactNumber } from '../../core/json/exact-number.js';
import { jsonText } from '../../core/json/write.js';
import { type Leaf, leafOf, UnfitText } from './values.js';

/** A column of a file: a leaf of the schema's root, or a list, map or struct, whose values are JSON. */
export interface ParquetColumn {
  readonly name: string;
  /** As for `Leaf.type`. */
  readonly type: string | undefined;
  /** Never called with null. Throws failed `parquet_type` at once where a type is not known, by whoever reads the column. */
  reader(): (value: unknown) => string | UnfitText;
}

/** The columns of the root `tree`, in the order of the file. */
export function columnsOf(tree: SchemaTree, input: string): ParquetColumn[] {
  return tree.children.map((child) => {
    const { name } = child.element;
    const unknown = (of: SchemaTree) =>
      parquetErrors.parquet_type({
        input,
        column: name,
        type: of.element.logical_type?.type ?? of.element.converted_type ?? of.element.type ?? 'unknown',
      });
    if (child.children.length === 0 && child.element.repetition_type !== 'REPEATED') {
      const leaf = leafOf(child.element);
      return {
        name,
        type: leaf?.type,
        reader() {
          if (leaf === undefined) throw unknown(child);
          return leaf.text;
        },
      };
    }
    return {
      name,
      type: 'json',
      reader() {
        const json = nested(child, unknown);
        return (value) => {
          try {
            return jsonText(json(value)) as string;
          } catch (error) {
            if (error instanceof Unfit) return error.text;
            throw error;
          }
        };
      },
    };
  });
}

/** A text within a list, map or struct. */
class Unfit extends Error {
  constructor(readonly text: UnfitText) {
    super(text.reason);
  }
}

type ToJson = (value: unknown) => unknown;

const orNull =
  (json: ToJson): ToJson =>
  (value) =>
    value === null || value === undefined ? null : json(value);

/** How a value of this part of the schema is read as one of JSON. */
function nested(tree: SchemaTree, unknown: (of: SchemaTree) => Error): ToJson {
  const { element, children } = tree;
  const one = children.length === 0 ? leafJson(tree, unknown) : group(tree, unknown);
  // A list by its repetition alone, as the first writers had it.
  return element.repetition_type === 'REPEATED'
    ? orNull((value) => (value as unknown[]).map(orNull(one)))
    : orNull(one);
}

function leafJson(tree: SchemaTree, unknown: (of: SchemaTree) => Error): ToJson {
  const leaf = leafOf(tree.element);
  if (leaf === undefined) throw unknown(tree);
  return (value) => jsonOf(leaf, value);
}

function jsonOf(leaf: Leaf, value: unknown): unknown {
  if (leaf.json === 'boolean') return value;
  const text = leaf.text(value);
  if (text instanceof UnfitText) throw new Unfit(text);
  // What is no number of JSON (NaN) is its word.
  return leaf.json === 'number' && /\d$/.test(text) ? new ExactNumber(text) : text;
}

function group(tree: SchemaTree, unknown: (of: SchemaTree) => Error): ToJson {
  const { element, children } = tree;
  const [first] = children as [SchemaTree];
  if (element.logical_type?.type === 'VARIANT') throw unknown(tree);
  if (isList(tree)) {
    // The package leaves out a group that stands for nothing but the repetition.
    const [only] = first.children;
    const item =
      first.children.length === 1 && only !== undefined ? nested(only, unknown) : once(first, unknown);
    return (value) => (value as unknown[]).map(item);
  }
  if (isMap(tree)) {
    const [key, entry] = first.children as [SchemaTree, SchemaTree];
    const keyOf = mapKey(key, unknown);
    const valueJson = nested(entry, unknown);
    return (value) =>
      Object.fromEntries(
        Object.entries(value as Record<string, unknown>).map(([name, each]) => [
          keyOf(name),
          valueJson(each),
        ]),
      );
  }
  const fields = children.map((child) => [child.element.name, nested(child, unknown)] as const);
  return (value) =>
    Object.fromEntries(fields.map(([name, json]) => [name, json((value as Record<string, unknown>)[name])]));
}

/** The repeated part of a list, of which the package gives one at a time. */
function once(tree: SchemaTree, unknown: (of: SchemaTree) => Error): ToJson {
  return nested({ ...tree, element: { ...tree.element, repetition_type: 'OPTIONAL' } }, unknown);
}

/** The keys of a map, which the package gives as names of properties. */
function mapKey(tree: SchemaTree, unknown: (of: SchemaTree) => Error): (name: string) => string {
  const { type } = tree.element;
  const leaf = leafOf(tree.element);
  if (leaf === undefined || (type === 'BYTE_ARRAY' && !isText(tree.element))) throw unknown(tree);
  const raw = (name: string): unknown =>
    type === 'INT32' ? Number(name) : type === 'INT64' ? BigInt(name) : name;
  if (type !== 'INT32' && type !== 'INT64' && type !== 'BYTE_ARRAY') throw unknown(tree);
  return (name) => {
    // The package has read it as UTF-8, and puts this in the place of what is none.
    const text = name.includes('\ufffd') ? new UnfitText('invalid_utf8', name) : leaf.text(raw(name));
    if (text instanceof UnfitText) throw new Unfit(text);
    return text;
  };
}

/** As the package tells lists and maps from structs. */
const isList = ({ element, children: [first, ...others] }: SchemaTree) =>
  element.converted_type === 'LIST' &&
  first !== undefined &&
  others.length === 0 &&
  first.children.length <= 1 &&
  first.element.repetition_type === 'REPEATED';

const isMap = ({ element, children: [first, ...others] }: SchemaTree) =>
  element.converted_type === 'MAP' &&
  others.length === 0 &&
  first?.children.length === 2 &&
  first.element.repetition_type === 'REPEATED' &&
  first.children.every((child) => child.element.repetition_type !== 'REPEATED') &&
  first.children[0]?.element.name === 'key';

const isText = ({ logical_type: logical, converted_type: converted }: SchemaElement) =>
  logical?.type === 'STRING' || logical?.type === 'ENUM' || converted === 'UTF8' || converted === 'ENUM';

/**
 * The elements of a schema as the package is told of them: without what leaves mean, so that it gives numbers and bytes as
 * they are stored and makes no double of a decimal. The keys of maps stay texts: they become names of properties.
 */
export function withoutMeaning(schema: readonly SchemaElement[]): SchemaElement[] {
  return schema.map((element, at) => {
    const isKey = element.name === 'key' && schema[at - 2]?.converted_type === 'MAP';
    if (element.type === undefined || (isKey && isText(element))) return element;
    const { converted_type: _, logical_type: __, scale: ___, precision: ____, ...plain } = element;
    return plain;
  });
}
