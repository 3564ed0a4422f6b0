import { createStaging, type StagedTable } from '../../sinks/replace/staging.js';
import { createRowStaging } from '../../sinks/rows/staging.js';
import type { Target } from '../core/target.js';
import { ident } from '../db/quote.js';
import type { Job } from './job.js';
import type { Surveyed } from './survey.js';

/** Where a target's rows go: its staging table. */
export interface StagingTable {
  readonly schema: string;
  readonly table: string;
}

/** The staging of a batch, made and still empty. */
export interface Staged {
  /** Where every target's rows go. */
  readonly places: ReadonlyMap<Target, StagingTable>;
  /** The tables of the replaced targets, in the survey's order. */
  readonly replaced: readonly StagedTable[];
}

/** Makes the batch's schemas and an empty staging table for every target. */
export async function makeStaging(job: Job, surveyed: Surveyed): Promise<Staged> {
  const client = await job.options.database.session();
  const places = new Map<Target, StagingTable>();
  let replaced: readonly StagedTable[] = [];
  if (surveyed.replace !== undefined) {
    replaced = await createStaging(client, surveyed.replace, job.names);
    for (const staged of replaced) {
      const table = job.tables.find(
        (each) => each.schema === staged.target.schema && each.table === staged.target.table,
      );
      if (table !== undefined) places.set(table.target, { schema: staged.schema, table: staged.table });
    }
  }
  if (surveyed.rows.size > 0) {
    const { staging, old: undo } = job.names;
    for (const schema of [staging, undo]) await client.query(`CREATE SCHEMA IF NOT EXISTS ${ident(schema)}`);
    for (const [target, facts] of surveyed.rows)
      places.set(target, await createRowStaging(client, facts, { staging, undo }));
  }
  return { places, replaced };
}
