import type { Client } from 'pg';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { withCatalog } from '../../../src/db/catalog/session.js';
import { readTable, tableOid } from '../../../src/db/catalog/table.js';
import { patiently } from '../../../src/db/locks/patiently.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { identities } from './definitions.js';
import { alone } from './distributed.js';
import { revokeStatements } from './grants.js';
import { type StagingNames, schemasFor } from './names.js';
import type { Survey } from './surveyed.js';

/**
 * What takes a retained table out of everybody's way: its defaults on live sequences, triggers (the write
 * guard's too: `triggers`), policies, rules and grants. Rows, indexes, checks and keys stay for the undo.
 * Foreign keys come apart, since each locks its parent. Pure.
 */
function stripStatements(old: TableFacts, triggers: readonly string[]): { own: string[]; keys: string[] } {
  const table = qualified(old.schema, old.table);
  const alter = `ALTER TABLE ${table}`;
  const each = (statements: readonly string[]) => statements.map((sql) => alone(old, sql));
  const used = old.sequences.filter((sequence) => sequence.kind !== 'identity');
  return {
    keys: each(
      old.constraints
        .filter((key) => key.type === 'f')
        .map((key) => `${alter} DROP CONSTRAINT ${ident(key.name)}`),
    ),
    own: each([
      ...used.map((sequence) => `${alter} ALTER COLUMN ${ident(sequence.column)} DROP DEFAULT`),
      ...triggers.map((name) => `DROP TRIGGER ${ident(name)} ON ${table}`),
      ...old.rules.map((rule) => `DROP RULE ${ident(rule.name)} ON ${table}`),
      ...old.policies.map((policy) => `DROP POLICY ${ident(policy.name)} ON ${table}`),
      ...(old.forceRowSecurity ? [`${alter} NO FORCE ROW LEVEL SECURITY`] : []),
      ...(old.rowSecurity ? [`${alter} DISABLE ROW LEVEL SECURITY`] : []),
      ...revokeStatements(`TABLE ${table}`, old.owner, old.grants),
      ...identities(old).flatMap((sequence) =>
        revokeStatements(`SEQUENCE ${qualified(sequence.schema, sequence.name)}`, old.owner, sequence.grants),
      ),
    ]),
  };
}

/** Strips one table that is no longer live; passed over where another table has its name, or none. */
export async function stripTable(
  client: Client,
  table: { readonly schema: string; readonly table: string; readonly oid: number },
  patience: Patience,
): Promise<void> {
  const facts = await withCatalog(client, async () => {
    const oid = await tableOid(client, table.schema, table.table);
    return oid === table.oid ? readTable(client, oid) : undefined;
  });
  if (facts === undefined) return;
  const triggers = await client.query<{ tgname: string }>(
    'SELECT tgname FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal ORDER BY tgname',
    [facts.oid],
  );
  const strip = stripStatements(
    facts,
    triggers.rows.map((row) => row.tgname),
  );
  for (const key of strip.keys) await patiently(client, patience, [key]);
  if (strip.own.length > 0)
    await patiently(client, patience, strip.own, { tables: [table], readersToo: true });
}

/**
 * Strips the tables that a publish moved out, so that they block nobody: until then their foreign keys
 * stop deletes in parents. Waits for locks with retries; may be repeated; a table that is gone is passed
 * over. `survey` is the one the publish ran with.
 */
export async function stripOld(
  client: Client,
  survey: Survey,
  names: StagingNames,
  patience: Patience,
): Promise<void> {
  const schemas = schemasFor(survey.tables, names);
  for (const live of survey.tables) {
    const { old } = schemas.get(live.schema) as StagingNames;
    await stripTable(client, { schema: old, table: live.table, oid: live.oid }, patience);
  }
}
