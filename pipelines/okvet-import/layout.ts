import { type FieldMapping, nearest, usage } from 'sluice';
import { INPUTS, type InputName, inputOf, RECORD_TYPES } from './record-types.js';

/** Tables and columns of a practice's database, where they are called otherwise than in samples/okvet-import. */
export interface Names {
  /** By input: `clients: 'customers'`, or `'crm.customers'`. */
  readonly tables?: Readonly<Partial<Record<InputName, string>>>;
  /** By input, from our name of a column to theirs: `clients: { first_name: 'given_name' }`. */
  readonly columns?: Readonly<Partial<Record<InputName, Readonly<Record<string, string>>>>>;
}

/** Columns that the import itself fills. */
const OWN_COLUMNS = ['id', 'source_system', 'source_id'] as const;

/** Stands before a column of theirs that is none of ours, where one of ours that is called otherwise has its name. */
const BESIDE = 'beside ';

/**
 * How the tables and columns are called. Within the import columns have our names, by which the validators know them;
 * field mappings, targets and all SQL have theirs.
 */
export class Layout {
  readonly #tables: NonNullable<Names['tables']>;
  readonly #theirs = new Map<InputName, ReadonlyMap<string, string>>();
  readonly #ours = new Map<InputName, ReadonlyMap<string, string>>();

  /** Throws usage `bad_names` for an input or a column that there is not, and for two columns under one name. */
  constructor({ tables = {}, columns = {} }: Names = {}) {
    for (const name of [...Object.keys(tables), ...Object.keys(columns)])
      if (!INPUTS.some((input) => input === name)) throw unknown('input', name, INPUTS);
    this.#tables = tables;
    for (const input of INPUTS) {
      const given = Object.entries(columns[input] ?? {});
      const known = knownColumns(input);
      for (const [ours] of given) if (!known.includes(ours)) throw unknown(`column of ${input}`, ours, known);
      const theirs = new Map(given);
      const names = known.map((ours) => theirs.get(ours) ?? ours);
      const twice = names.find((name, at) => names.indexOf(name) !== at);
      if (twice !== undefined)
        throw usage('bad_names', `two columns of ${input} are called ${twice}`, {
          next: 'give every column a name of its own',
        });
      this.#theirs.set(input, theirs);
      this.#ours.set(input, new Map(given.map(([ours, name]) => [name, ours])));
    }
  }

  /** What the table is called that an input fills. */
  table(input: InputName): string {
    return this.#tables[input] ?? input;
  }

  /** What they call a column. */
  theirs(input: InputName, column: string): string {
    if (column.startsWith(BESIDE)) return column.slice(BESIDE.length);
    return this.#theirs.get(input)?.get(column) ?? column;
  }

  /** What we call a column of theirs. */
  ours(input: InputName, column: string): string {
    const ours = this.#ours.get(input)?.get(column);
    if (ours !== undefined) return ours;
    return this.#theirs.get(input)?.has(column) === true ? `${BESIDE}${column}` : column;
  }

  /** A mapping whose columns have our names, with theirs. */
  inTheirs(mapping: FieldMapping): FieldMapping {
    return this.#renamed(mapping, (input, column) => this.theirs(input, column));
  }

  /** A mapping whose columns have their names, with ours. */
  inOurs(mapping: FieldMapping): FieldMapping {
    return this.#renamed(mapping, (input, column) => this.ours(input, column));
  }

  #renamed(mapping: FieldMapping, rename: (input: InputName, column: string) => string): FieldMapping {
    const input = inputOf(mapping.recordType);
    if (input === undefined) return mapping;
    const columns = mapping.targetField.split('+').map((column) => rename(input, column.trim()));
    return { ...mapping, targetField: columns.join('+') };
  }
}

function knownColumns(input: InputName): readonly string[] {
  return [...OWN_COLUMNS, ...RECORD_TYPES[input].columns];
}

function unknown(what: string, name: string, known: readonly string[]) {
  const meant = nearest(name, known);
  return usage('bad_names', `there is no ${what} "${name}"`, {
    next: meant === undefined ? `there are: ${known.join(', ')}` : `did you mean ${meant}?`,
  });
}
