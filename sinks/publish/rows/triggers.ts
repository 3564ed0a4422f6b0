import type { RowTrigger } from '../../../src/db/catalog/row-tables.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { settleStatement } from '../deferred.js';
import { firing } from './sql.js';
import type { RowTableFacts } from './target.js';

/**
 * `statements` with the table's user triggers switched off around them, each back in the state it had.
 *
 * ALTER TABLE … DISABLE TRIGGER rather than session_replication_role = replica: the latter also switches off
 * foreign keys of every table and of everything that triggers write, so that orphans would get in unseen, and
 * it needs a superuser's or a granted right. Switching triggers off needs the owner and takes SHARE ROW
 * EXCLUSIVE, which the window holds anyway; a rollback switches them on again. Each trigger by name, since
 * ENABLE TRIGGER USER would also switch on what was off, and turn ALWAYS into ORIGIN. Each partition's for itself
 * (ONLY): a trigger of the whole table has a copy there that may be off while the table's own is on.
 */
export function withoutTriggers(facts: Pick<RowTableFacts, 'live'>, statements: readonly string[]): string[] {
  const triggers = firing(facts);
  if (triggers.length === 0 || statements.length === 0) return [...statements];
  // ALTER TABLE fails (55006) while deferred triggers or checks of the table are pending.
  const settle = facts.live.deferrable ? [settleStatement([facts.live])] : [];
  const alter = (trigger: RowTrigger) => `ALTER TABLE ONLY ${qualified(trigger.schema, trigger.table)}`;
  return [
    ...settle,
    ...triggers.map((trigger) => `${alter(trigger)} DISABLE TRIGGER ${ident(trigger.name)}`),
    ...statements,
    ...settle,
    ...triggers.map(
      (trigger) =>
        `${alter(trigger)} ENABLE${trigger.enabled === 'A' ? ' ALWAYS' : ''} TRIGGER ${ident(trigger.name)}`,
    ),
  ];
}

/** The bits of pg_trigger.tgtype. */
const ROW_BEFORE = 3;
const EVENTS = { append: 4, merge: 4 | 16, sync: 4 | 16, patch: 16, delete: 8, any: 4 | 8 | 16 } as const;

/**
 * A query for one json array of texts: the triggers of a table, or of its partitions, that fire and may keep a row from
 * being written (BEFORE ROW, for the events of a mode) or deleted; for `any`, all that may take one away again.
 */
export function suppressorsSql(
  { schema, table }: { readonly schema: string; readonly table: string },
  event: keyof typeof EVENTS,
): string {
  const live = `${literal(qualified(schema, table))}::pg_catalog.regclass`;
  const before = event === 'any' ? '' : ` AND t.tgtype & ${ROW_BEFORE} = ${ROW_BEFORE}`;
  return `SELECT coalesce(json_agg(format('trigger %s on %s, which calls %s', t.tgname, t.tgrelid::pg_catalog.regclass, t.tgfoid::pg_catalog.regproc) ORDER BY t.tgname, t.tgrelid), '[]'::json) FROM pg_catalog.pg_trigger t WHERE (t.tgrelid = ${live} OR t.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(${live}) p)) AND NOT t.tgisinternal${before} AND t.tgtype & ${EVENTS[event]} <> 0 AND t.tgenabled IN ('O', 'A') AND t.tgname NOT LIKE 'sluice\\_guard\\_%'`;
}
