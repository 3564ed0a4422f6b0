import type { TableFacts } from '../../../src/db/catalog/facts.js';
import type { Survey } from './surveyed.js';

/**
 * What differs between two surveys of the same tables, a line each: `public.t: index t_n is new`. Pure. For people, who
 * know what they have just altered; whether anything did differ is for the fingerprint to say.
 */
export function changesBetween(before: Survey, after: Survey): string[] {
  const [was, is] = [linesOf(before), linesOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) => {
    if (was.get(key) === is.get(key)) return [];
    if (!was.has(key)) return [`${key} is new`];
    return [is.has(key) ? `${key} was altered` : `${key} is gone`];
  });
}

/** Kinds of facts that are lists of things with names. */
const NAMED = {
  columns: 'column',
  constraints: 'constraint',
  indexes: 'index',
  triggers: 'trigger',
  rules: 'rule',
  policies: 'policy',
  statistics: 'statistics',
  sequences: 'sequence',
} as const satisfies Partial<Record<keyof TableFacts, string>>;

function linesOf(survey: Survey): Map<string, string> {
  const lines = new Map<string, string>();
  for (const facts of survey.tables) {
    const name = `${facts.schema}.${facts.table}`;
    for (const [key, value] of Object.entries(facts)) {
      const kind = NAMED[key as keyof typeof NAMED];
      if (kind === undefined) lines.set(`${name}: ${WORDS[key] ?? key}`, JSON.stringify(value));
      else
        for (const each of value as readonly { readonly name: string }[])
          lines.set(`${name}: ${kind} ${each.name}`, JSON.stringify(each));
    }
  }
  for (const each of survey.dependents) lines.set(each.label, JSON.stringify(each));
  return lines;
}

/** Facts whose names in code are no words. */
const WORDS: Readonly<Record<string, string>> = {
  oid: 'the table',
  grants: 'who has which privilege',
  ownerGrantsAreDefault: "the owner's privileges",
  rowSecurity: 'row-level security',
  forceRowSecurity: 'FORCE ROW LEVEL SECURITY',
  options: 'storage options',
  toastOptions: 'storage options of its TOAST table',
  replicaIdentity: 'replica identity',
  accessMethod: 'access method',
};
