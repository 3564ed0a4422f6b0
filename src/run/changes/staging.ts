import type { Client } from 'pg';
import { createStaging, type StagedTable } from '../../../sinks/publish/replace/staging.js';
import { createRowStaging } from '../../../sinks/publish/rows/staging.js';
import type { Target } from '../../core/target.js';
import { type RowCheck, readRowConstraints } from '../../db/catalog/row-constraints.js';
import { inTransaction } from '../../db/catalog/session.js';
import { makeSchemas, noteSchemasSql } from '../../db/own-schemas.js';
import type { Job } from '../job/job.js';
import { assertNoOwnersCode } from './owners-code.js';
import type { Surveyed } from './survey.js';

/** Where a target's rows go: its staging table. */
export interface StagingTable {
  readonly schema: string;
  readonly table: string;
  /** Whether it has columns that say where its rows came from. */
  readonly numbered: boolean;
  /** The CHECKs that it has of live's, which COPY asks. */
  readonly checks: readonly RowCheck[];
}

/** The staging of a batch, made and still empty. */
export interface Staged {
  /** Where every target's rows go. */
  readonly places: ReadonlyMap<Target, StagingTable>;
  /** The tables of the replaced targets, in the survey's order. */
  readonly replaced: readonly StagedTable[];
}

/** Makes the batch's schemas and an empty staging table for every target. Throws refused `schema_taken`. */
export async function makeStaging(job: Job, surveyed: Surveyed): Promise<Staged> {
  const client = await job.options.database.session();
  const places = new Map<Target, StagingTable>();
  let replaced: readonly StagedTable[] = [];
  if (surveyed.replace !== undefined) {
    replaced = await createStaging(client, surveyed.replace, job.names);
    await assertStagedPlain(job, replaced);
    for (const staged of replaced) {
      const table = job.tables.find(
        (each) => each.schema === staged.target.schema && each.table === staged.target.table,
      );
      if (table !== undefined) places.set(table.target, await replacedPlace(client, staged));
    }
  }
  if (surveyed.rows.size > 0) {
    const { staging, old: undo, batch } = job.names;
    await inTransaction(client, [], async () => {
      await makeSchemas(client, [staging, undo], { batch });
      await client.query(noteSchemasSql(batch, [staging, undo]));
    });
    for (const [target, facts] of surveyed.rows) {
      const { schema, table } = await createRowStaging(client, facts, { staging, undo, batch });
      places.set(target, { schema, table, numbered: facts.numbered, checks: [] });
    }
  }
  return { places, replaced };
}

/** Throws refused `owners_code` where the load would run code of others: what live got since the check, staging has. */
export async function assertStagedPlain(job: Job, staged: readonly StagedTable[]): Promise<void> {
  if (job.options.runOwnersCode === true) return;
  await assertNoOwnersCode(
    job.options.database,
    staged.map(({ schema, table }) => ({ schema, table, how: 'written', triggers: true })),
  );
}

/** Where the rows of a table that is replaced go. */
export async function replacedPlace(
  client: Client,
  { schema, table, oid }: StagedTable,
): Promise<StagingTable> {
  const { checks } = await readRowConstraints(client, oid);
  return { schema, table, numbered: false, checks };
}
