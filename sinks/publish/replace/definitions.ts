import type { IndexFacts, StatisticsFacts, TableFacts } from '../../../src/db/catalog/facts.js';
import { ident, qualified } from '../../../src/db/quote.js';

/**
 * An identifier as the server's quote_ident writes it: bare where that is safe. Definitions that the
 * server deparses are compared and changed with it, so both spellings must be looked for.
 */
const spellings = (schema: string, name: string): string[] => {
  const forms = (one: string) => (/^[a-z_][a-z0-9_$]*$/.test(one) ? [one, ident(one)] : [ident(one)]);
  return forms(schema).flatMap((left) => forms(name).map((right) => `${left}.${right}`));
};

/** `text` with the first `before + <from> + after` (however spelt) turned into the same with `to`. */
function exchange(
  text: string,
  from: { schema: string; table: string },
  to: { schema: string; table: string },
  before: string,
  after: string,
  last = false,
): string {
  for (const spelling of spellings(from.schema, from.table)) {
    const whole = before + spelling + after;
    const at = last ? text.lastIndexOf(whole) : text.indexOf(whole);
    if (at < 0) continue;
    return (
      text.slice(0, at) + before + qualified(to.schema, to.table) + after + text.slice(at + whole.length)
    );
  }
  throw new Error(`definition does not name ${from.schema}.${from.table}: ${text}`);
}

type Place = { readonly schema: string; readonly table: string };

/** The index's definition on `to` instead of `from`, under the same name. */
export const indexOn = (index: IndexFacts, from: Place, to: Place): string =>
  exchange(index.definition, from, to, ' ON ', ' USING ');

/** A foreign key's definition, referencing `to` instead of `from`, without NOT VALID. */
export const referencing = (definition: string, from: Place, to: Place): string =>
  exchange(withoutNotValid(definition), from, to, ' REFERENCES ', '(');

/** A foreign key's definition that names no columns of the table it references: then it goes by that one's primary key. */
export function withoutColumns(definition: string): string {
  const name = '(?:"(?:[^"]|"")*"|[^"(])';
  const parts = new RegExp(`^(.* REFERENCES ${name}+)\\((?:"(?:[^"]|"")*"|[^")])*\\)`, 's').exec(definition);
  return parts === null ? definition : `${parts[1]}${definition.slice(parts[0].length)}`;
}

/** A constraint's definition without its NOT VALID. */
export const withoutNotValid = (definition: string): string => definition.replace(/ NOT VALID$/, '');

/** The statistics object's definition in schema `inSchema` on `to` instead of `from`. */
export function statisticsOn(object: StatisticsFacts, from: Place, to: Place, inSchema: string): string {
  const here = { schema: object.schema, table: object.name };
  const there = { schema: inSchema, table: object.name };
  const onTable = `${exchange(`${object.definition};`, from, to, ' FROM ', ';', true)}`.slice(0, -1);
  return exchange(onTable, here, there, 'CREATE STATISTICS ', onTable.includes(') ON ') ? ' (' : ' ON ');
}

/** The sequences that belong to the table itself. */
export const identities = (table: TableFacts): TableFacts['sequences'] =>
  table.sequences.filter((each) => each.kind === 'identity');
