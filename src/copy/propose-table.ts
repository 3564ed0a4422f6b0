import { ident, idents, qualified } from '../db/quote.js';
import { type Display, OWN_TEXT, type OwnText, type OwnType, type ReadAs } from './own-text.js';

const SCALARS = ['bool', 'int4', 'int8', 'numeric', 'date', 'timestamp', 'timestamptz', 'uuid'] as const;

/** The types that a column's first value may call for, the narrowest first. */
const FIRST_OF_TEXT: readonly OwnType[] = [...SCALARS, 'json', 'text'];
/** A string of JSON is text, though it may hold JSON; an object is kept by jsonb, but for what that cannot store. */
const FIRST_OF_JSON: readonly OwnType[] = [...SCALARS, 'text', 'jsonb', 'json'];

/** The next type that keeps whatever the type kept, where a value comes that it does not keep. */
const WIDER: Readonly<Partial<Record<OwnType, OwnType>>> = {
  bool: 'text',
  int4: 'int8',
  int8: 'numeric',
  numeric: 'text',
  date: 'text',
  timestamp: 'text',
  timestamptz: 'text',
  uuid: 'text',
};

/** Types as a CREATE TABLE statement has them, where that is another name. */
const SQL_NAMES: Readonly<Partial<Record<OwnType, string>>> = {
  bool: 'boolean',
  int4: 'integer',
  int8: 'bigint',
};

/** The digits that JavaScript writes are those of one double, and PostgreSQL reads them as that. */
const DOUBLE: Pick<OwnText, 'keeps'> = {
  keeps: (value) => typeof value === 'string' && String(Number(value)) === value,
};

/** What is known of a type as SQL has it; undefined where all is left to who says that values are of it. */
function ownType(sql: string): Pick<OwnText, 'keeps'> | undefined {
  if (sql === 'double precision') return DOUBLE;
  // numeric(10,2)
  const base = sql.split('(', 1)[0] as string;
  const own = Object.entries(SQL_NAMES).find(([, name]) => name === base)?.[0] ?? base;
  return Object.hasOwn(OWN_TEXT, own) ? OWN_TEXT[own as OwnType] : undefined;
}

/** Finds the narrowest type that gives back all values of a column as they were read. */
export class TypeTally {
  readonly #display: Display;
  #type: OwnType | undefined;
  /** Text that is no value of JSON has been among the values. */
  #text = false;
  /** What the inputs themselves say that the type is: null once they do not agree, or a value is none of it. */
  #said: string | null | undefined;

  constructor(display: Display) {
    this.#display = display;
  }

  /** An input with a column of this name says that its type is `type`, or nothing. */
  said(type: string | undefined): void {
    this.#said = this.#said === undefined || this.#said === type ? (type ?? null) : null;
  }

  /** Takes one value into account; null and undefined fit everything. */
  add(value: unknown, as: ReadAs): void {
    if (value === null || value === undefined) return;
    if (as === 'text') this.#text = true;
    if (this.#said != null && ownType(this.#said)?.keeps(value, as) === false) this.#said = null;
    if (this.#type === undefined) {
      const first = as === 'json' ? FIRST_OF_JSON : FIRST_OF_TEXT;
      this.#type = first.find((type) => this.#shows(type) && OWN_TEXT[type].keeps(value, as));
      return;
    }
    // Most columns are what they are after a few rows.
    while (!OWN_TEXT[this.#type].keeps(value, as)) {
      const wider = this.#widerThan(this.#type, as);
      if (wider === undefined) return;
      this.#type = wider;
    }
  }

  /** The type; text where there was no value at all. */
  type(): string {
    if (this.#said != null) return this.#said;
    const type = this.#type ?? 'text';
    return SQL_NAMES[type] ?? type;
  }

  #widerThan(type: OwnType, as: ReadAs): OwnType | undefined {
    if (type === 'json') return this.#text ? 'text' : undefined;
    if (type === 'jsonb') return 'json';
    // Only where every value is one of JSON; of others text keeps the most.
    if (type === 'text') return this.#text || as === 'text' ? undefined : 'jsonb';
    return WIDER[type];
  }

  /** Whether the database would show what it stores in this type as it was read. */
  #shows(type: OwnType): boolean {
    const { iso, utc } = this.#display;
    if (type === 'timestamptz') return iso && utc;
    return iso || (type !== 'date' && type !== 'timestamp');
  }
}

/** A table as it is proposed. */
export interface ProposedTable {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Becomes the primary key; may be empty. Nothing else is NOT NULL: a sample proves no such thing. */
  readonly key: readonly string[];
}

/** The CREATE TABLE statement of a proposal. Pure. */
export function createTableSql({ schema, table, columns, key }: ProposedTable): string {
  const lines = columns.map(({ name, type }) => `  ${ident(name)} ${type}`);
  if (key.length > 0) lines.push(`  PRIMARY KEY (${idents(key)})`);
  return `CREATE TABLE ${qualified(schema, table)} (\n${lines.join(',\n')}\n)`;
}
