import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { indexOn, referencing, statisticsOn, withoutNotValid } from './definitions.js';
import type { StagedTable } from './staging.js';

/**
 * Every fact in which a finished staged table still differs from live, of those that it must have before
 * the swap (triggers, rules, policies and grants come in it). Empty: none. Pure. This is what makes a kind
 * of fact that a new server version brings show up as a refusal instead of a loss.
 */
export function differences(
  live: TableFacts,
  have: TableFacts,
  table: StagedTable,
  staged: readonly StagedTable[],
): string[] {
  const parents = (key: 'target' | 'self') => (oid: number) =>
    staged.find((each) => (key === 'target' ? each.target.oid : each.oid) === oid);
  const wanted = flat(live, (definition, of) => onStaging(definition, of, parents('target')), live, table);
  const is = flat(have, (definition, of) => onStaging(definition, of, parents('self')), have, table);
  const differing: string[] = [];
  for (const key of [...new Set([...wanted.keys(), ...is.keys()])].sort()) {
    const [a, b] = [wanted.get(key), is.get(key)];
    if (a !== b) differing.push(`${key}: live has ${a ?? 'nothing'}, staging ${b ?? 'nothing'}`);
  }
  return differing;
}

type Rewrite = (definition: string, references: TableFacts['constraints'][number]['references']) => string;

function flat(facts: TableFacts, rewrite: Rewrite, from: TableFacts, to: StagedTable): Map<string, string> {
  const map = new Map<string, string>();
  const { oid, schema, table, grants, columns, sequences, constraints, indexes, statistics, ...rest } = facts;
  const { triggers, rules, policies, rowSecurity, forceRowSecurity, ownerGrantsAreDefault, ...others } = rest;
  const { typeGrants, ...plain } = others;
  for (const [key, value] of Object.entries(plain)) {
    map.set(key, JSON.stringify(Array.isArray(value) ? [...value].sort() : value));
  }
  columns.forEach((column, at) => {
    // What generated columns are computed from cannot be declared again.
    const dimensions = column.feeds || column.generated !== '' ? 0 : column.dimensions;
    const options = [...column.options].sort();
    map.set(`column ${column.name}`, JSON.stringify({ at, ...column, options, dimensions }));
  });
  for (const key of constraints) {
    const definition = key.type === 'f' ? rewrite(key.definition, key.references) : key.definition;
    const { validated, enforced, deferrable, deferred } = key;
    const comment = key.type === 'f' ? null : key.comment;
    map.set(
      `constraint ${key.name}`,
      JSON.stringify({
        definition,
        validated,
        enforced,
        deferrable,
        deferred,
        comment,
        by: key.references?.key,
      }),
    );
  }
  for (const index of indexes) {
    map.set(`index ${index.name}`, JSON.stringify({ ...index, definition: indexOn(index, from, to) }));
  }
  for (const object of statistics) {
    const { name, target, owner, comment } = object;
    const definition = statisticsOn(object, from, to, to.schema);
    map.set(`statistics ${name}`, JSON.stringify({ definition, target, owner, comment }));
  }
  for (const sequence of sequences.filter((each) => each.kind === 'identity')) {
    const { oid: _oid, schema: _schema, grants: _grants, grantsAreDefault: _default, ...settings } = sequence;
    map.set(`sequence ${sequence.name}`, JSON.stringify(settings));
  }
  return map;
}

function onStaging(
  definition: string,
  references: TableFacts['constraints'][number]['references'],
  parentOf: (oid: number) => StagedTable | undefined,
): string {
  const parent = references && parentOf(references.oid);
  if (!references || !parent) return definition;
  const notValid = definition === withoutNotValid(definition) ? '' : ' NOT VALID';
  return referencing(definition, references, parent) + notValid;
}
