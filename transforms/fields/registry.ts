import { stageErrors } from '../../src/core/errors/catalogue/stages.js';
import { nearest } from '../../src/core/errors/nearest.js';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { concat } from './concat.js';
import { dateParse } from './date-parse.js';
import { type DecimalMark, money, number } from './decimal.js';
import { defaultTo } from './default-to.js';
import { enumOf } from './enum-of.js';
import { compose, type Field, type Note, present, type SplitField, type TextField } from './field.js';
import { type Call, parseTransforms } from './parse.js';
import { phoneFormat } from './phone-format.js';
import { speciesMap } from './species-map.js';
import { splitName } from './split-name.js';
import { collapseSpaces, emailLower, multiline, trim } from './text.js';
import { titleCase } from './title-case.js';
import { yesNo } from './yes-no.js';

/** A transform as mappings can name it. */
export interface Transform {
  readonly name: string;
  /** How it is written, with its arguments. */
  readonly usage: string;
  readonly summary: string;
  /** How many values it makes: more than one fill as many columns, and it must be the last. Default: 1. */
  readonly values?: number;
  /** Fields of the record that it looks at besides its own. */
  reads?(args: readonly string[]): readonly string[];
  /** Throws a sentence (Error or SluiceError) where the arguments cannot be used. */
  make(args: readonly string[], note: Note | undefined): Field | SplitField;
}

/** A field's transforms, made. */
export interface Transforming {
  readonly field: Field | SplitField;
  readonly values: number;
  readonly reads: readonly string[];
}

/** The transforms by their names. */
export type Registry = ReadonlyMap<string, Transform>;

const plainText = (name: string, summary: string, field: TextField): Transform => ({
  name,
  usage: name,
  summary,
  make(args) {
    if (args.length > 0) throw new Error(`${name} takes no arguments`);
    return present(field);
  },
});

function markOf(args: readonly string[], name: string): DecimalMark {
  const [mark = 'either', more] = args;
  if (more !== undefined || (mark !== '.' && mark !== ',' && mark !== 'either'))
    throw new Error(`${name} takes the decimal mark, . or ',': ${name}(.)`);
  return mark;
}

/** `a=b` pairs; `*=b` is what every other word becomes. */
function words(args: readonly string[]): { table: Record<string, string>; otherwise: string | undefined } {
  const pairs = args.map((arg) => {
    const at = arg.indexOf('=');
    if (at < 1) throw new Error(`${JSON.stringify(arg)} is not word=value: enum(cita=appointment, *=other)`);
    return [arg.slice(0, at).trim(), arg.slice(at + 1).trim()] as const;
  });
  if (pairs.length === 0) throw new Error('enum takes its words: enum(cita=appointment, *=other)');
  const table = Object.fromEntries(pairs.filter(([word]) => word !== '*'));
  return { table, otherwise: pairs.find(([word]) => word === '*')?.[1] };
}

/** The transforms that come with Sluice. */
export const TRANSFORMS: Registry = registry(
  plainText('trim', 'no spaces at both ends', trim),
  plainText('collapse_spaces', 'trimmed, and one space for each run of them', collapseSpaces),
  plainText('multiline', 'trimmed, with line feeds for ends of lines', multiline),
  plainText('title_case', 'JOSÉ DE LA CRUZ is José de la Cruz; mixed case stays', titleCase),
  plainText('email_lower', 'an email address in small letters', emailLower),
  plainText('phone_format', '+52 and ten digits where it is a Mexican number, else as it is', phoneFormat),
  plainText('species_map', 'perro, gato, ave, conejo, hamster in English; else other', speciesMap),
  plainText('yes_no', 'sí, no and the like as true and false', yesNo),
  {
    name: 'date_parse',
    usage: 'date_parse(format, …)',
    summary:
      'a date by the first format that fits; %Y-%m-%d, %d/%m/%Y, %d-%m-%Y, %m/%d/%Y where none is given',
    make: (args, note) =>
      present(
        dateParse({
          ...(args.length === 0 ? {} : { formats: args }),
          ...(note === undefined ? {} : { note }),
        }),
      ),
  },
  {
    name: 'money',
    usage: 'money(mark)',
    summary: '1.234,56 and 1,234.56 are 1234.56; the decimal mark may be given',
    make: (args) => present(money(markOf(args, 'money'))),
  },
  {
    name: 'number',
    usage: 'number(unit, …)',
    summary: 'a number as money, without the units named: number(kg)',
    make: (args) => {
      const mark = args.find((arg) => arg === '.' || arg === ',') as DecimalMark | undefined;
      const units = args.filter((arg) => arg !== mark);
      return present(number({ units, ...(mark === undefined ? {} : { mark }) }));
    },
  },
  {
    name: 'enum',
    usage: 'enum(word=value, …, *=other)',
    summary: 'one of the words; another is refused unless * says what it becomes',
    make: (args) => {
      const { table, otherwise } = words(args);
      return present(enumOf(table, otherwise));
    },
  },
  {
    name: 'default',
    usage: 'default(value)',
    summary: 'the value where there is none',
    make: (args) => {
      const [value] = args;
      if (value === undefined || args.length > 1) throw new Error('default takes one value: default(none)');
      return defaultTo(value);
    },
  },
  {
    name: 'concat',
    usage: 'concat(separator, field, …)',
    summary: 'the value and those of other fields of the record, joined',
    reads: (args) => args.slice(1),
    make: (args) => {
      const [separator, ...others] = args;
      if (separator === undefined || others.length === 0)
        throw new Error("concat takes a separator and fields: concat(' ', Apellidos)");
      return concat(separator, ...others);
    },
  },
  {
    name: 'split_name',
    usage: 'split_name',
    summary: 'a full name as given names and surnames, for two columns: first_name+last_name',
    values: 2,
    make(args) {
      if (args.length > 0) throw new Error('split_name takes no arguments');
      return splitName;
    },
  },
);

/** A registry of these. Throws the usage error `bad_transform` for a name that stands twice. */
export function registry(...transforms: readonly Transform[]): Registry {
  const made = new Map<string, Transform>();
  for (const transform of transforms) {
    if (made.has(transform.name)) throw stageErrors.bad_transform.twice({ name: transform.name });
    made.set(transform.name, transform);
  }
  return made;
}

/**
 * The transforms that `text` names (see parseTransforms), made into one function. `note` is told of values
 * worth counting. Throws the usage error `bad_transform` for a name that there is not and for arguments that
 * cannot be used.
 */
export function makeTransforms(text: string, among: Registry = TRANSFORMS, note?: Note): Transforming {
  const calls = parseTransforms(text);
  const made = calls.map((call) => make(call, among, note));
  const early = calls.findIndex(
    ({ name }, at) => at < calls.length - 1 && (among.get(name)?.values ?? 1) > 1,
  );
  if (early >= 0) throw stageErrors.bad_transform.notLast({ name: (calls[early] as Call).name });
  const last = calls.at(-1);
  const values = last === undefined ? 1 : (among.get(last.name)?.values ?? 1);
  const reads = calls.flatMap(({ name, args }) => among.get(name)?.reads?.(args) ?? []);
  if (values === 1) return { field: compose(...(made as Field[])), values, reads };
  const before = compose(...(made.slice(0, -1) as Field[]));
  const split = made.at(-1) as SplitField;
  return { field: (value, row) => split(before(value, row), row), values, reads };
}

/** What is wrong with the transforms that `text` names, as a sentence; undefined where nothing is. */
export function transformFault(text: string, among: Registry = TRANSFORMS): string | undefined {
  try {
    makeTransforms(text, among);
    return undefined;
  } catch (error) {
    return (error as SluiceError).message;
  }
}

function make({ name, args }: Call, among: Registry, note: Note | undefined): Field | SplitField {
  const transform = among.get(name);
  if (transform === undefined) {
    const names = [...among.keys()];
    throw stageErrors.bad_transform.unknown({ name, meant: nearest(name, names), names });
  }
  try {
    return transform.make(args, note);
  } catch (error) {
    throw stageErrors.bad_transform.argument({
      why: (error as Error).message,
      usage: `${transform.usage}: ${transform.summary}`,
    });
  }
}
