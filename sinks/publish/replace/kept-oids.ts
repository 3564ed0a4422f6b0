import { again, type NextStep } from '../../../src/core/next.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { columnName, type KeptOids, keepsOid, rewriteOids } from '../../../src/db/catalog/kept-oids.js';
import { qualified } from '../../../src/db/quote.js';
import type { Refusal } from './refusals.js';
import type { ReplaceTarget, Survey } from './surveyed.js';

const rewritten = (targets: readonly ReplaceTarget[], { schema, table }: TableFacts) =>
  targets.some((each) => each.schema === schema && each.table === table && each.rewriteOids === true);

/** Why tables cannot be replaced whose OIDs rows of other tables keep: those rows would name the old ones. Pure. */
export function keptOidRefusals(
  targets: readonly ReplaceTarget[],
  tables: readonly TableFacts[],
  { found }: KeptOids,
): Refusal[] {
  return found.flatMap(({ target, ...column }) => {
    const table = tables.find(({ oid }) => oid === target);
    if (table === undefined) return [];
    const refuse = (reason: string, ...next: NextStep[]) => [
      { table: `${table.schema}.${table.table}`, object: columnName(column), reason, next, stays: true },
    ];
    if (!rewritten(targets, table))
      return refuse(
        `rows there keep the OID of the table, or of a part of it, as data (${column.type}${column.array ? '[]' : ''}), and would name the old one`,
        again(
          { flags: { rewriteOids: true } },
          {
            lead: 'have them rewritten in the publishing transaction',
            otherwise: 'have them rewritten in the publishing transaction: rewriteOids: true of replace(…)',
          },
        ),
        'or take those rows out for the run',
      );
    return column.writable
      ? []
      : refuse(
          'the connected role may not rewrite the OIDs that are kept there',
          `GRANT UPDATE ON ${qualified(column.schema, column.table)} TO CURRENT_USER   (as its owner; put the role's name in)`,
        );
  });
}

/** Statements that make what is kept of `live`'s OIDs those of the table `staged`. Pure. */
export function rewriteStatements({ targets, keptOids }: Survey, live: TableFacts, staged: number): string[] {
  if (!rewritten(targets, live)) return [];
  return keptOids.found
    .filter(({ target }) => target === live.oid)
    .map((column) => rewriteOids(column, live.oid, staged));
}

/** For each column that is looked through quickly the condition that it keeps an OID of `live` now, and its name. Pure. */
export function stillKept({ keptOids }: Survey, live: TableFacts): { condition: string; column: string }[] {
  return keptOids.columns
    .filter(({ quick }) => quick)
    .map((column) => ({ condition: keepsOid(column, live.oid), column: columnName(column) }));
}
