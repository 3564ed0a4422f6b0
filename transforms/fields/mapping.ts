import { stageErrors } from '../../src/core/errors/catalogue/stages.js';
import { jsonText } from '../../src/core/json/write.js';
import { plural } from '../../src/core/plural.js';
import { ORIGIN, type Row } from '../../src/core/row.js';
import { type Field, FieldError, type Note, type SplitField } from './field.js';
import { makeTransforms, type Registry, TRANSFORMS } from './registry.js';

/** How a field of a record fills a column: the part of a field mapping that concerns one record. */
export interface MappedField {
  readonly sourceField: string;
  /** A column; several, joined by +, where the transform makes as many values. */
  readonly targetField: string;
  /** See parseTransforms; '' for the value as it is. */
  readonly transform: string;
  /** A record without a value is an error. Of a field that fills several columns one value is enough. */
  readonly isRequired: boolean;
  /** What stands in for a missing value, untransformed; '' for none. Of several columns in each that lacks one. */
  readonly defaultValue: string;
}

/** What is wrong with one value of a record. */
export interface FieldProblem {
  readonly reason: string;
  readonly message: string;
  /** The field of the record, as its file calls it. */
  readonly field: string;
  readonly value: unknown;
  readonly expected: string;
}

export interface MappingOptions {
  /** The columns of the rows made, in order; those that no field fills are NULL. Default: those filled. */
  readonly columns?: readonly string[];
  readonly transforms?: Registry;
  /** Told of values worth counting, with the field: an ambiguous date, say. */
  readonly note?: (field: string, reason: string, value: string) => void;
}

/** Field mappings of one type of record, compiled. */
export interface RecordMapping {
  /** The fields of the record that are looked at. */
  readonly fields: readonly string[];
  /** The columns that are filled. */
  readonly columns: readonly string[];
  /** The field behind a column. */
  fieldOf(column: string): string | undefined;
  /**
   * A row of `columns` made of a record, with the record's origin; the caller's own to change. What cannot be
   * made is NULL, and told in `problems`. Empty text is NULL.
   */
  make(record: Row, problems: FieldProblem[]): Record<string, unknown>;
}

/**
 * Compiles mappings into one function of a record: all rows made are of one shape, and a field costs a call.
 * Throws the usage errors `bad_transform` (naming the mapping) and `bad_mapping` for a column that is filled
 * twice, that is not in `columns`, or for as many columns as the transform does not make.
 */
export function compileMapping(
  mappings: readonly MappedField[],
  options: MappingOptions = {},
): RecordMapping {
  const { transforms = TRANSFORMS, note } = options;
  const filled = new Map<string, string>();
  const fields = mappings.map((mapping) => {
    const { sourceField, targetField, transform } = mapping;
    const noted: Note | undefined = note && ((reason, value) => note(sourceField, reason, value));
    const columns = targetField.split('+').map((column) => column.trim());
    for (const column of columns) {
      const before = filled.get(column);
      if (before !== undefined)
        throw wrong(mapping, `${column} is filled by ${before} already; join fields with concat`);
      if (options.columns?.includes(column) === false) throw wrong(mapping, `there is no column ${column}`);
      filled.set(column, sourceField);
    }
    const made = named(mapping, () => makeTransforms(transform, transforms, noted));
    if (made.values !== columns.length)
      throw wrong(
        mapping,
        `the transform makes ${plural(made.values, 'value')}, for ${plural(columns.length, 'column')}`,
      );
    return { ...mapping, columns, ...made };
  });
  const columns = options.columns ?? [...filled.keys()];
  return {
    fields: [...new Set(fields.flatMap(({ sourceField, reads }) => [sourceField, ...reads]))],
    columns: [...filled.keys()],
    fieldOf: (column) => filled.get(column),
    make: compile(fields, columns),
  };
}

type Compiled = MappedField & { readonly columns: readonly string[]; readonly field: Field | SplitField };

/** Names are untrusted: they enter the code only through JSON.stringify. */
function compile(fields: readonly Compiled[], columns: readonly string[]): RecordMapping['make'] {
  const text = (name: string) => JSON.stringify(name);
  const set = (column: string, value: string) =>
    column === '__proto__'
      ? `Object.defineProperty(made, '__proto__', { value: ${value}, enumerable: true, configurable: true, writable: true });`
      : `made[${text(column)}] = ${value};`;
  const steps = fields.map((field, i) => {
    const take =
      field.columns.length === 1
        ? set(field.columns[0] as string, `finish(value, ${i}, record, problems, true)`)
        : `const none = value.every(missing); ${field.columns
            .map((column, n) =>
              set(column, `finish(value[${n}], ${i}, record, problems, none && ${n === 0})`),
            )
            .join(' ')}`;
    const guarded = `value = input(record[${text(field.sourceField)}]); try { value = fields[${i}](value, record); } catch (error) { value = failed(error, ${i}, record, problems); }`;
    return `${guarded} if (value !== bad) { ${take} }`;
  });
  const source = `'use strict';
function Made(origin) { ${columns.map((column) => (column === '__proto__' ? set(column, 'null').replace('made', 'this') : `this[${text(column)}] = null;`)).join(' ')} if (origin !== undefined) this[ORIGIN] = origin; }
Made.prototype = Object.prototype;
return function make(record, problems) {
  const made = new Made(record[ORIGIN]);
  let value;
  ${steps.join('\n  ')}
  return made;
};`;
  const bad = Symbol('bad');
  const missing = (value: string | null) => value === null || value === '';
  /** `lacks`: whether the field is without a value where this one is missing, and nothing has said so yet. */
  const finish = (value: string | null, i: number, record: Row, problems: FieldProblem[], lacks: boolean) => {
    const { sourceField, targetField, defaultValue, isRequired } = fields[i] as Compiled;
    if (value !== null && value !== '') {
      if (value.indexOf('\0') < 0) return value;
      problems.push({
        reason: 'nul_character',
        message: `${sourceField} holds a NUL character, which PostgreSQL's text cannot`,
        field: sourceField,
        value: record[sourceField],
        expected: 'text without NUL characters',
      });
      return null;
    }
    if (defaultValue !== '') return defaultValue;
    if (isRequired && lacks) {
      const also = sourceField === targetField ? '' : ` (${targetField})`;
      problems.push({
        reason: 'required',
        message: `${sourceField}${also} is missing`,
        field: sourceField,
        value: record[sourceField] ?? null,
        expected: 'a value',
      });
    }
    return null;
  };
  const failed = (error: unknown, i: number, record: Row, problems: FieldProblem[]) => {
    if (!(error instanceof FieldError)) throw error;
    const { sourceField } = fields[i] as Compiled;
    const { reason, message, expected } = error;
    problems.push({
      reason,
      message: `${sourceField}: ${message}`,
      field: sourceField,
      value: record[sourceField],
      expected,
    });
    return bad;
  };
  return new Function('ORIGIN', 'fields', 'input', 'missing', 'finish', 'failed', 'bad', source)(
    ORIGIN,
    fields.map(({ field }) => field),
    input,
    missing,
    finish,
    failed,
    bad,
  ) as RecordMapping['make'];
}

/** A value of a record as transforms take it: text, or NULL. */
function input(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? (jsonText(value) as string) : String(value);
}

function wrong({ sourceField, targetField }: MappedField, why: string) {
  return stageErrors.bad_mapping({ source: sourceField, target: targetField, why });
}

function named<T>(mapping: MappedField, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw wrong(mapping, (error as Error).message);
  }
}
