import type { ClientBase } from 'pg';
import { takeOffAdditions } from '../../../src/db/catalog/additions.js';
import { closeSchemas } from '../../../src/db/close.js';
import { noteSchemasSql } from '../../../src/db/own-schemas.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { beforeImageTables } from './before-images.js';
import { namesOf } from './sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * Creates the staging table (the loaded columns, typed as in live, no constraint, no default; where they are
 * `numbered` also where rows came from) and the
 * undo tables of one target, all in one transaction, in schemas that exist and belong to the batch. Returns
 * where COPY is to write and the columns in its order. A table can be published once per batch: a second
 * target for it fails with 42P07.
 */
export async function createRowStaging(
  client: ClientBase,
  facts: RowTableFacts,
  names: RowNames,
): Promise<{ schema: string; table: string; columns: readonly string[] }> {
  const statements = [
    rowStagingTable(facts, names),
    // Rows that break a constraint are deleted from it: see beforeImageTables.
    `ALTER TABLE ${rowObjects(facts.target, names).staging} REPLICA IDENTITY FULL`,
    ...beforeImageTables(facts, names),
    closeSchemas([names.staging, names.undo], ['relations']),
    ...(names.batch === undefined ? [] : [noteSchemasSql(names.batch, [names.staging, names.undo])]),
  ];
  await client.query(['BEGIN', ...statements, 'COMMIT'].join(';\n')).catch(async (error: unknown) => {
    await client.query('ROLLBACK');
    throw error;
  });
  await takeOffAdditions(client, { schemas: [names.staging, names.undo] });
  return { schema: names.staging, table: facts.target.table, columns: facts.target.columns };
}

/**
 * The statement that creates the staging table. From a query rather than a list of types: that copies
 * modifiers, domains and collations exactly, also of types that the search_path does not show. Logged, since
 * an unlogged table is emptied by a crash of the server, and a merge of nothing would go unnoticed.
 */
export function rowStagingTable(facts: RowTableFacts, names: RowNames): string {
  const { live, staging } = rowObjects(facts.target, names);
  const { row, line } = ORIGIN_COLUMNS;
  const origin = facts.numbered ? `, NULL::bigint AS ${row}, NULL::bigint AS ${line}` : '';
  return `CREATE TABLE ${staging} AS SELECT ${namesOf(facts.loaded)}${origin} FROM ${live} WITH NO DATA`;
}
