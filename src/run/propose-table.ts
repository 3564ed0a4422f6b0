import { guardFor } from '../../sinks/guards/compile.js';
import { isExactNumber } from '../core/json/exact-number.js';
import { ident, idents, qualified } from '../db/quote.js';

/** A type that a column may get, the narrowest first. */
interface Candidate {
  readonly type: string;
  fits(value: unknown): boolean;
}

// Text that the server would accept and give back changed (007, +1, yes, 1e3) does not fit: what looks like
// a number may be a telephone number, a zip code or the code of a product.
const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)?\.\d+$/;
const BOOLEAN = /^(?:t|f|true|false)$/i;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?$/;
const TIMESTAMPTZ = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)? ?(?:Z|[+-]\d\d(?::?\d\d)?)$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the columns' own guards say of text, so that no type is proposed whose rows would be rejects. */
const accepted = (base: string) => {
  const guard = guardFor({
    name: '',
    position: 1,
    type: base,
    base,
    baseOid: 0,
    kind: 'scalar',
    notNull: false,
    hasDefault: false,
  });
  return (text: string) => guard?.accepts(text) !== false;
};

const shaped = (base: string, shape: RegExp) => {
  const accepts = accepted(base);
  return (value: unknown) => typeof value === 'string' && shape.test(value) && accepts(value);
};

function integer(base: 'int4' | 'int8'): (value: unknown) => boolean {
  const text = shaped(base, INTEGER);
  return (value) => text(typeof value === 'number' || typeof value === 'bigint' ? String(value) : value);
}

const isDate = shaped('date', DATE);
const isTimestamp = shaped('timestamp', TIMESTAMP);

const CANDIDATES: readonly Candidate[] = [
  {
    type: 'boolean',
    fits: (value) => typeof value === 'boolean' || (typeof value === 'string' && BOOLEAN.test(value)),
  },
  { type: 'integer', fits: integer('int4') },
  { type: 'bigint', fits: integer('int8') },
  {
    type: 'numeric',
    fits: (value) =>
      typeof value === 'number' ||
      typeof value === 'bigint' ||
      isExactNumber(value) ||
      (typeof value === 'string' && (INTEGER.test(value) || DECIMAL.test(value))),
  },
  { type: 'date', fits: isDate },
  { type: 'timestamp', fits: isTimestamp },
  { type: 'timestamptz', fits: shaped('timestamptz', TIMESTAMPTZ) },
  { type: 'uuid', fits: shaped('uuid', UUID) },
  { type: 'jsonb', fits: isJson },
  { type: 'text', fits: (value) => typeof value !== 'object' || isExactNumber(value) },
];

function isJson(value: unknown): boolean {
  if (typeof value === 'object') return !isExactNumber(value);
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return false;
  return accepted('jsonb')(value);
}

/** Finds the narrowest type that all values of a column fit. */
export class TypeTally {
  #left: readonly Candidate[] = CANDIDATES;
  #values = 0;

  /** Takes one value into account; null and undefined fit everything. */
  add(value: unknown): void {
    if (value === null || value === undefined) return;
    this.#values += 1;
    // Most columns are down to what they are after a few rows.
    if (this.#left.every((candidate) => candidate.fits(value))) return;
    this.#left = this.#left.filter((candidate) => candidate.fits(value));
  }

  /** The type; text where there was no value at all, jsonb where objects and text stand side by side. */
  type(): string {
    if (this.#values === 0) return 'text';
    return this.#left[0]?.type ?? 'jsonb';
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
