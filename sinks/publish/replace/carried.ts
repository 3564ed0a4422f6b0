import type { CompiledFunction, Dependent } from '../../../src/db/catalog/dependents.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';

/** One thing that survives the swap, for the plan. */
export interface Carried {
  readonly kind: string;
  readonly name: string;
  readonly how: string;
}

const HOW = {
  view: 'replaced in place by CREATE OR REPLACE VIEW with its options; its grants and comments stay',
  'materialized view': 'not carried',
  function: 'created anew in place from its definition (BEGIN ATOMIC body)',
  'foreign key': 'a second key to the staged table is validated before the swap and takes its name in it',
  policy: 'ALTER POLICY with the same expression',
  rule: 'CREATE OR REPLACE RULE',
  other: 'not carried',
} as const;

/** Everything the new tables get or that is pointed at them, in the order in which people look for it. */
export function carriedBy(
  tables: readonly TableFacts[],
  dependents: readonly Dependent[],
  compiled: readonly CompiledFunction[],
  refresh: readonly { readonly schema: string; readonly name: string }[],
): Carried[] {
  const carried: Carried[] = [];
  for (const table of tables) {
    const add = (kind: string, names: readonly { readonly name: string }[], how: string) => {
      for (const { name } of names)
        carried.push({ kind, name: `${table.schema}.${table.table}: ${name}`, how });
    };
    const keys = table.constraints.filter((key) => key.type === 'f');
    add('column', table.columns, 'same name, type, default, storage, statistics target, comment');
    add('index', table.indexes, 'built on staging under the same name');
    const others = table.constraints.filter((key) => !'fn'.includes(key.type));
    add('constraint', others, 'built on staging under the same name');
    add('foreign key', keys, 'added to staging and validated before the swap');
    add('trigger', table.triggers, 'created after the move, enabled as before');
    add('rule', table.rules, 'created after the move, enabled as before');
    add('policy', table.policies, 'created after the move, before anybody can see the table');
    add('statistics', table.statistics, 'built and analysed on staging');
    add(
      'sequence',
      table.sequences.filter((sequence) => sequence.kind !== 'used'),
      'keeps its position or is moved past the loaded rows',
    );
    const grants = table.grants.filter((grant) => grant.grantee !== table.owner);
    const grantees = [...new Set(grants.map((grant) => grant.grantee ?? 'PUBLIC'))];
    add(
      'grants',
      grantees.map((name) => ({ name })),
      'granted again by the same grantor',
    );
  }
  for (const each of dependents) carried.push({ kind: each.kind, name: each.label, how: HOW[each.kind] });
  for (const each of compiled) {
    const how = 'recompiled by every session (ALTER … with the same attributes)';
    carried.push({ kind: 'plpgsql function', name: each.signature, how });
  }
  for (const { schema, name } of refresh) {
    const how = 'reads through a view; must be REFRESHed after the swap';
    carried.push({ kind: 'materialized view', name: `${schema}.${name}`, how });
  }
  return carried.filter((each) => each.how !== 'not carried');
}
