import { distributedErrors } from '../../../src/core/errors/catalogue/distributed.js';
import type { Dependent } from '../../../src/db/catalog/dependents.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { literal, qualified } from '../../../src/db/quote.js';
import { anonymousBlock } from '../window.js';

/**
 * Statements that distribute a staged `table` (quoted) as live is: the same column, and its rows on the nodes where live's
 * are, so that joins and foreign keys between tables stay within a node. None for an ordinary table. Pure.
 */
export function distributeStatements(
  live: Pick<TableFacts, 'schema' | 'table' | 'distribution'>,
  table: string,
): string[] {
  const { distribution } = live;
  if (distribution?.kind === 'hash') {
    const like = literal(qualified(live.schema, live.table));
    return [
      `SELECT pg_catalog.create_distributed_table(${literal(table)}::pg_catalog.regclass, ${literal(distribution.column)}, colocate_with => ${like})`,
    ];
  }
  if (distribution?.kind === 'reference')
    return [`SELECT pg_catalog.create_reference_table(${literal(table)}::pg_catalog.regclass)`];
  return [];
}

/** What tells whether a statement is Citus's to carry out. */
type Distributed = Pick<TableFacts, 'distribution'>;

/**
 * `sql` as a statement that may stand in one message with others: of some statements Citus hands the message on to its
 * nodes whole, which take one command each. Its shards are altered one after the other, as Citus demands in a transaction
 * that also touches a table with a key to a reference table. As it is for an ordinary table. Pure.
 */
export function alone({ distribution }: Distributed, sql: string): string {
  return distribution === null
    ? sql
    : anonymousBlock(
        `PERFORM pg_catalog.set_config('citus.multi_shard_modify_mode', 'sequential', true); EXECUTE ${literal(sql)};`,
      );
}

/** The same, of a statement that is long, and a transaction by itself: its shards are worked on side by side. Pure. */
export function aloneInParallel({ distribution }: Distributed, sql: string): string {
  return distribution === null ? sql : anonymousBlock(`EXECUTE ${literal(sql)};`);
}

/**
 * Throws refused `distributed_table` where Citus has one of the tables in a way that a new table cannot be given, or where
 * what depends on it cannot be moved to one: by name, since the server would say it of a statement of ours.
 */
export function assertDistributable(tables: readonly TableFacts[], dependents: readonly Dependent[]): void {
  for (const { oid, schema, table: name, distribution, triggers, sequences } of tables) {
    if (distribution === null) continue;
    const table = `${schema}.${name}`;
    if (distribution.kind === 'single_shard')
      throw distributedErrors.distributed_table.singleShard({ table });
    if (distribution.kind === 'managed_local')
      throw distributedErrors.distributed_table.managedLocal({ table });
    if (distribution.kind === 'range_or_append')
      throw distributedErrors.distributed_table.rangeOrAppend({ table });
    const [trigger] = triggers;
    if (trigger !== undefined)
      throw distributedErrors.distributed_table.dependent({ table, what: `trigger ${trigger.name}` });
    const serial = sequences.find(({ kind }) => kind === 'serial');
    if (serial !== undefined)
      throw distributedErrors.distributed_table.serial({
        table,
        sequence: `${serial.schema}.${serial.name}`,
      });
    for (const dependent of dependents.filter(({ targets }) => targets.includes(oid))) {
      if (dependent.kind === 'foreign key')
        throw distributedErrors.distributed_table.key({
          table,
          key: dependent.name,
          child: `${dependent.schema}.${dependent.table}`,
        });
    }
  }
}
