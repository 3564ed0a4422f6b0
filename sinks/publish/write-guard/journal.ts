import type { ClientBase } from 'pg';
import { rowErrors } from '../../../src/core/errors/catalogue/rows.js';
import { takeOffAdditions } from '../../../src/db/catalog/additions.js';
import { membersOf } from '../../../src/db/catalog/members.js';
import { inTransaction } from '../../../src/db/catalog/session.js';
import { closeSchemas } from '../../../src/db/close.js';
import { patiently } from '../../../src/db/locks/patiently.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import type { WindowPart } from '../window.js';
import {
  guardChecks,
  journalStatements,
  memberStatement,
  membersQuery,
  sealStatement,
  triggerStatements,
} from './journal-sql.js';
import {
  FUNCTIONS,
  GUARD_PREFIX,
  type Guard,
  type GuardedTable,
  guardTables,
  journalFunction,
} from './names.js';
import { GUARD_ATTEMPTS, type Waiting } from './waiting.js';

/**
 * Arms the journal guard on `tables` and their members (partitions, tables that inherit); must be done before the first
 * row of the source is read. Each in a transaction of its own: CREATE TRIGGER waits until transactions that have written to it are over, in
 * bounded attempts, so that every write that the journal misses is one that the source's snapshot shows.
 * The guard's schema must exist. Needs the owner of each, refused()
 * otherwise. Throws what `patiently` throws; what was armed until then stays, for disarmGuard.
 */
export async function armGuard(
  client: ClientBase,
  guard: Guard,
  tables: readonly GuardedTable[],
  patience: Patience,
  waiting: Waiting = {},
): Promise<void> {
  await refuseUnowned(client, tables);
  await inTransaction(client, [], async () => {
    await client.query(journalStatements(guard).join(';\n'));
    // A row that is noted must not go astray, nor what notes it fail the statement that is noted.
    await takeOffAdditions(client, { schemas: [guard.schema] });
    const noted = [sealStatement(guard), ...tables.map((table) => memberStatement(guard, table))];
    await client.query([...noted, closeSchemas([guard.schema])].join(';\n'));
  });
  const members = await client.query(membersQuery(guard));
  for (const { triggers, ...table } of members.rows as (GuardedTable & { triggers: string[] })[])
    await patiently(client, patience, triggerStatements(guard, table, triggers), {
      ...GUARD_ATTEMPTS,
      ...waiting,
      tables: [table],
    });
}

async function refuseUnowned(client: ClientBase, tables: readonly GuardedTable[]): Promise<void> {
  const names = tables.map((table) => qualified(table.schema, table.table));
  const result = await client.query(
    `SELECT coalesce(json_agg(DISTINCT coalesce(c.oid::regclass::text, n.name) || CASE c.relkind WHEN 'f' THEN ' (a foreign table)' ELSE '' END), '[]') AS unowned
     FROM unnest($1::text[]) n(name) CROSS JOIN LATERAL (${membersOf('to_regclass(n.name)')} UNION ALL SELECT NULL WHERE to_regclass(n.name) IS NULL) m(oid)
     LEFT JOIN pg_class c ON c.oid = m.oid
     WHERE c.oid IS NULL OR c.relkind NOT IN ('r', 'p') OR NOT pg_has_role(c.relowner, 'USAGE')`,
    [names],
  );
  const unowned = result.rows[0]?.unowned as string[];
  if (unowned.length === 0) return;
  throw rowErrors.guard_not_possible({ details: unowned });
}

/**
 * A window's part for tables that are only watched, not published (timers that must not start during the
 * run, say): locked against writers, then checked. Published tables take guardChecks into their own part.
 */
export function guardPart(guard: Guard, table: GuardedTable): WindowPart {
  return {
    table: `${table.schema}.${table.table}`,
    early: [],
    dependents: [],
    locks: [{ schema: table.schema, table: table.table, mode: 'SHARE ROW EXCLUSIVE', members: true }],
    rechecks: guardChecks(guard, table),
    out: [],
    in: [],
    after: [],
    late: [],
  };
}

/** A guard trigger that is in the database, whoever left it. */
export interface GuardTrigger extends GuardedTable {
  readonly batch: string;
  readonly trigger: string;
  /** The schema of the journal. */
  readonly guardSchema: string;
}

/** All guard triggers of this database, or those of `batch`: found by name, not by what a run remembers. */
export async function findGuards(client: ClientBase, batch?: string): Promise<GuardTrigger[]> {
  const result = await client.query(
    `SELECT n.nspname AS schema, c.relname AS "table", t.tgname AS trigger, pn.nspname AS "guardSchema",
            substr(t.tgname, ${GUARD_PREFIX.length + 1}, length(t.tgname) - ${GUARD_PREFIX.length + 4}) AS batch
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
     WHERE NOT t.tgisinternal AND t.tgname ~ '^${GUARD_PREFIX}.+_(ins|upd|del|trn|row)$'
     ORDER BY 1, 2, 3`,
  );
  const found = result.rows as GuardTrigger[];
  return batch === undefined ? found : found.filter((one) => one.batch === batch);
}

/**
 * Removes a guard: its triggers wherever its tables are now (a swap may have moved them), then journal and
 * functions. Idempotent, and the same after a crash. DROP TRIGGER takes ACCESS EXCLUSIVE for a moment, so it
 * waits in bounded attempts.
 */
export async function disarmGuard(
  client: ClientBase,
  guard: Guard,
  patience: Patience,
  waiting: Waiting = {},
): Promise<void> {
  // A trigger of such a name that calls something else is somebody else's.
  const triggers = (await findGuards(client, guard.batch)).filter((one) => one.guardSchema === guard.schema);
  const tables = new Map(triggers.map((one) => [qualified(one.schema, one.table), one]));
  for (const [name, table] of tables) {
    const drops = triggers
      .filter((one) => qualified(one.schema, one.table) === name)
      .map((one) => `DROP TRIGGER IF EXISTS ${ident(one.trigger)} ON ${name}`);
    await patiently(client, patience, drops, {
      ...GUARD_ATTEMPTS,
      ...waiting,
      tables: [table],
      readersToo: true,
    });
  }
  const there = await client.query('SELECT to_regnamespace($1) IS NOT NULL AS there', [ident(guard.schema)]);
  if (there.rows[0]?.there !== true) return;
  const functions = FUNCTIONS.map((kind) => `${journalFunction(guard, kind)}()`);
  // The tables first: their triggers call one of the functions.
  await client.query(
    `DROP TABLE IF EXISTS ${guardTables(guard).join(', ')}; DROP FUNCTION IF EXISTS ${functions.join(', ')}`,
  );
}
