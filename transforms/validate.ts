import { createRequire } from 'node:module';
import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import type formats from 'ajv-formats';
import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { hasExact } from '../src/core/json/write.js';
import { type AnyRow, anyColumns, type Column, type Row, type Rows } from '../src/core/row.js';
import type { Rejection, Run } from '../src/core/run.js';
import { named, type Stage, stateless } from '../src/core/types.js';
import { type Asked, compareExactly, type PlainNumbers, plainNumbers } from './exact-schema.js';
import { rowFailed } from './failure.js';
import { type JsonSchema, readText } from './schema-text.js';

/** A rule across the fields of a row. */
export interface Rule<R extends AnyRow = Row> {
  /** The reject's reason code, snake_case. */
  readonly name: string;
  /** True, or what is wrong as a sentence (false: the name alone must say it). */
  readonly test: (row: R) => boolean | string;
  /** The column that the reject shows. */
  readonly column?: Column<NoInfer<R>>;
}

export interface ValidateOptions<R extends AnyRow = Row> {
  readonly rules?: readonly Rule<R>[];
  /**
   * How text is seen by a schema that asks for a number or a boolean.
   * 'text' (default): values are text, as sources give them. Text that reads as the type that the schema
   * asks for counts as that type ('12' is an integer, 't' a boolean), and NULL counts as absent unless the
   * schema allows null: so `required` refuses NULL, and an optional column may be NULL. Only columns are
   * read so, not what is inside a nested value.
   * 'strict': JSON Schema to the letter, for rows with values of other types.
   */
  readonly types?: 'text' | 'strict';
  /** Sentences of your own, by column and reason: `{ email: { format: 'Invalid email format' } }`. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** For messages. Default: `validate`. */
  readonly name?: string;
}

/** All that is wrong with a row, in the order of the schema and then of the rules; none where it is right. */
export type Validator<R extends AnyRow = Row> = (row: R) => readonly Rejection[];

/**
 * Rejects rows that do not fit `schema` (JSON Schema draft 7, or 2019-09 / 2020-12 by its $schema; formats
 * from ajv-formats) or break a rule. Rows that pass are passed unchanged. A bad row gives one reject: all
 * errors in its message, reason, column and value of the first; the reason is the schema's keyword in
 * snake_case (required, type, pattern, format, min_length, …) or the rule's name. Rules are asked of rows
 * that do not fit the schema, too; an exception in one counts only if the schema fits.
 * Throws the usage error `bad_schema` when built, not when run.
 */
export function validate<R extends AnyRow = Row>(
  schema: JsonSchema,
  options: ValidateOptions<R> = {},
): Stage<R> {
  const { name = 'validate', rules = [] } = options;
  const judge = validator(schema, options);
  const stage = named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<R[]> {
    for await (const chunk of rows) {
      const out: R[] = [];
      for (const row of chunk) {
        let found: readonly Rejection[];
        try {
          found = judge(row);
        } catch (error) {
          rowFailed(name, row, error, run);
          continue;
        }
        if (found.length === 0) out.push(row);
        else run.reject(row, { ...(found[0] as Rejection), message: sentences(found) });
      }
      if (out.length > 0) yield out;
    }
  });
  // A rule may remember rows (that no id comes twice, say); a schema does not.
  return rules.length === 0 ? stateless(stage) : stage;
}

/**
 * What `validate` asks, as a function of one row: for a stage that does more with a row that does not fit. It
 * throws what a rule throws, if the schema fits. Throws the usage error `bad_schema` when built.
 */
export function validator<R extends AnyRow = Row>(
  schema: JsonSchema,
  options: ValidateOptions<R> = {},
): Validator<R> {
  const { name = 'validate', rules = [], types = 'text', messages = {} } = options;
  const plain = plainNumbers(schema);
  const check = compile(plain.value, name);
  const checkExactly = exactCheck(plain, name);
  const view = types === 'text' ? readText(plain.value) : (row: Row) => row;
  const errorsOf = (row: Row): readonly ErrorObject[] | null | undefined => {
    const seen = view(row);
    if (!hasExact(seen) && !plain.rounded) return check(seen) ? null : check.errors;
    const numbers = plainNumbers(seen);
    if (numbers.rounded || plain.rounded) return checkExactly(numbers);
    return check(numbers.value) ? null : check.errors;
  };
  return (row) => {
    const errors = errorsOf(anyColumns(row));
    const fits = errors === null;
    let found: Rejection[] | undefined;
    if (!fits)
      found = (errors ?? [])
        .filter(isCause)
        .map((error) => reworded(explain(error, anyColumns(row)), messages));
    for (const rule of rules) {
      try {
        const said = rule.test(row);
        if (said === true) continue;
        found ??= [];
        found.push(brokenRule(rule, said, row));
      } catch (error) {
        if (fits) throw error;
      }
    }
    return found ?? NONE;
  };
}

const NONE: readonly Rejection[] = [];

function reworded(rejection: Rejection, messages: NonNullable<ValidateOptions<Row>['messages']>): Rejection {
  const message = messages[rejection.column ?? '']?.[rejection.reason];
  return message === undefined ? rejection : { ...rejection, message };
}

/** Asks a schema of rows with numbers that no double has; compiled when the first one comes. */
function exactCheck(schema: PlainNumbers<JsonSchema>, name: string) {
  let check: ValidateFunction | undefined;
  const asked: Asked = { row: schema, schema };
  return (row: PlainNumbers<Row>) => {
    check ??= compile(schema.value, name, asked);
    asked.row = row;
    return check(row.value) ? null : check.errors;
  };
}

function compile(schema: JsonSchema, name: string, exactly?: Asked): ValidateFunction {
  const options: Options = {
    allErrors: true,
    coerceTypes: false,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
    multipleOfPrecision: 9,
  };
  const draft = String(schema.$schema ?? '');
  // Its hundred files would be half of the time that `sluice list` takes, so who validates loads them.
  const load = createRequire(import.meta.url);
  const module = draft.includes('2020-12')
    ? 'ajv/dist/2020'
    : draft.includes('2019-09')
      ? 'ajv/dist/2019'
      : 'ajv';
  const { default: Draft } = load(module) as { readonly default: typeof Ajv };
  const { default: addFormats } = load('ajv-formats') as typeof formats;
  try {
    const ajv = new Draft(options);
    addFormats(ajv);
    if (exactly !== undefined) compareExactly(ajv, exactly);
    return ajv.compile(schema);
  } catch (cause) {
    throw stageErrors.bad_schema.stage({ stage: name, why: (cause as Error).message }, { cause });
  }
}

/** `if` only says that `then` or `else` failed, whose own errors stand beside it. */
const isCause = (error: ErrorObject) => error.keyword !== 'if';

function explain(error: ErrorObject, row: Row): Rejection {
  const params = error.params as Record<string, unknown>;
  const property = params.missingProperty ?? params.additionalProperty ?? params.propertyName;
  const segments = error.instancePath.split('/').slice(1).map(unescapePointer);
  const column = segments[0] ?? (typeof property === 'string' ? property : undefined);
  const reason = error.keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const where = segments.length > 0 ? segments.join('.') : '';
  let message = `${where === '' ? 'the row' : where} ${error.message ?? 'does not fit'}`;
  if (error.keyword === 'required' && typeof property === 'string') {
    message = `${[...segments, property].join('.')} is missing`;
  } else if (error.keyword === 'additionalProperties') message = `${String(property)} is not a known column`;
  else if (error.keyword === 'enum')
    message += `: ${(params.allowedValues as unknown[]).map(String).join(', ')}`;
  const expected =
    error.keyword === 'required' ? 'a value' : (error.message ?? '').replace(/^must (be |match )?/, '');
  return {
    reason,
    message,
    ...(expected === '' ? {} : { expected }),
    ...(column === undefined ? {} : { column, value: row[column] ?? null }),
  };
}

function brokenRule<R extends AnyRow = Row>(rule: Rule<R>, said: boolean | string, row: R): Rejection {
  const message = typeof said === 'string' ? said : `the row breaks the rule ${rule.name}`;
  if (rule.column === undefined) return { reason: rule.name, message };
  return { reason: rule.name, message, column: rule.column, value: row[rule.column] ?? null };
}

/** All sentences in one, each once. */
export function sentences(found: readonly Rejection[]): string {
  return [...new Set(found.map(({ message }) => message))].join('; ');
}

// JSON Pointer, RFC 6901: ~1 is a slash, ~0 a tilde, in this order.
const unescapePointer = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~');
