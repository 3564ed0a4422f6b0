import { membersOf } from '../../src/db/catalog/members.js';
import { literal, qualified } from '../../src/db/quote.js';
import { alongUsersPathInBlock } from '../../src/db/users-path.js';

/** Runs now, and from here on at once, whatever triggers and foreign keys of any table have put off until COMMIT. */
export const SETTLE_ALL = 'SET CONSTRAINTS ALL IMMEDIATE';

/**
 * A statement that runs now what constraints of `tables` or their members (foreign keys both ways, constraint triggers)
 * have put off until COMMIT; what comes after is put off as before. PostgreSQL alters no table while events of it are
 * pending (55006), and would refuse each time anew. Not SETTLE_ALL: keys of other tables may wait for rows that are
 * still to come. Pure.
 */
export function settleStatement(
  tables: readonly { readonly schema: string; readonly table: string }[],
): string {
  const members = tables
    .map(
      ({ schema, table }) => `(${membersOf(`pg_catalog.to_regclass(${literal(qualified(schema, table))})`)})`,
    )
    .join(' UNION ');
  const found = `SELECT pg_catalog.format('%I.%I', n.nspname, k.conname) AS name, pg_catalog.bool_or(k.condeferred) AS later FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace WHERE k.condeferrable AND (k.conrelid IN (${members}) OR k.confrelid IN (${members})) GROUP BY 1 ORDER BY 1`;
  const body = `DECLARE sluice_each record; BEGIN FOR sluice_each IN ${found} LOOP ${alongUsersPathInBlock("EXECUTE 'SET CONSTRAINTS ' OPERATOR(pg_catalog.||) sluice_each.name OPERATOR(pg_catalog.||) ' IMMEDIATE'")}; IF sluice_each.later THEN EXECUTE 'SET CONSTRAINTS ' || sluice_each.name || ' DEFERRED'; END IF; END LOOP; END`;
  return `DO ${literal(body)}`;
}
