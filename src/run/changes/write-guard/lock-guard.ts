import type { Survey } from '../../../../sinks/publish/replace/surveyed.js';
import type { GuardedTable } from '../../../../sinks/publish/write-guard/names.js';
import { again } from '../../../core/next.js';
import type { Finding } from '../../../core/pipeline.js';

/**
 * Under --guard lock one session holds the guarded tables for the whole load. A foreign key between a table
 * that is replaced and a guarded one that is not is made before the window, in another session, and needs
 * the very lock that is held; so that is refused.
 */
export function lockGuardFindings(
  guarded: readonly GuardedTable[],
  { tables, dependents }: Survey,
): Finding[] {
  const replaced = new Set(tables.map(({ schema, table }) => `${schema}.${table}`));
  const held = new Set(
    guarded.map(({ schema, table }) => `${schema}.${table}`).filter((name) => !replaced.has(name)),
  );
  const keys = [
    ...tables.flatMap(({ schema, table, constraints }) =>
      constraints.flatMap(({ name, references }) =>
        references !== null && held.has(`${references.schema}.${references.table}`)
          ? [`${name} of ${schema}.${table}, to ${references.schema}.${references.table}`]
          : [],
      ),
    ),
    ...dependents.flatMap((each) =>
      each.kind === 'foreign key' && held.has(`${each.schema}.${each.table}`)
        ? [`${each.name} of ${each.schema}.${each.table}`]
        : [],
    ),
  ];
  if (keys.length === 0) return [];
  return [
    {
      severity: 'error',
      message: '--guard lock cannot be used: foreign keys link replaced tables with others that it locks',
      details: keys,
      next: [again({ flags: { guard: 'journal' } }), 'or replace those tables, too'],
    },
  ];
}
