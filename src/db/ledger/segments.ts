import type { Client } from 'pg';
import type { Checkpoint } from '../../core/checkpoint.js';
import type { Database } from '../../core/run.js';
import { keepHosts } from './hosts.js';

/** One end of one flow of a batch: the flow counted from 0, and the branch, as in the accounting. */
export interface LoadEnd {
  readonly flow: number;
  readonly branch: string;
}

/** An end with the staging table that it fills. */
export interface StagedEnd extends LoadEnd {
  readonly schema: string;
  readonly table: string;
}

/** The committed segments of one end, in order. */
export interface Loaded extends StagedEnd {
  readonly checkpoints: readonly Checkpoint[];
}

/** Records a segment; call it inside the transaction that commits the segment's rows. */
export async function recordSegment(
  client: Client,
  batch: string,
  end: StagedEnd,
  segment: Checkpoint & {
    readonly number: number;
    readonly position: number | undefined;
  },
): Promise<void> {
  await client.query(
    `INSERT INTO sluice.migration_segment
       (batch_id, flow, branch, number, table_schema, table_name, handed, rows, hash, position, refused)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      batch,
      end.flow,
      end.branch,
      segment.number,
      end.schema,
      end.table,
      segment.handed,
      segment.rows,
      segment.hash,
      segment.position ?? null,
      JSON.stringify(segment.refused),
    ],
  );
}

/** What of a batch's load is committed, by end. */
export async function readSegments(database: Database, batch: string): Promise<Loaded[]> {
  return database.query<Loaded & Record<string, unknown>>(
    `SELECT flow, branch, table_schema AS schema, table_name AS "table",
            json_agg(json_build_object('handed', handed, 'rows', rows, 'hash', hash, 'refused', refused)
                     ORDER BY number) AS checkpoints
     FROM sluice.migration_segment WHERE batch_id = $1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2`,
    [batch],
  );
}

/** Whether anything of a batch's load is committed. */
export async function isLoaded(database: Database, batch: string): Promise<boolean> {
  const [found] = await database.query<{ loaded: boolean }>(
    `SELECT EXISTS (SELECT FROM sluice.migration_segment WHERE batch_id = $1)
         OR EXISTS (SELECT FROM sluice.migration_part WHERE batch_id = $1) AS loaded`,
    [batch],
  );
  return found?.loaded === true;
}

/** Forgets the segments and parts of a batch whose load is complete, or of which nothing is kept; who loaded them stays. */
export async function forgetLoaded(database: Database, batch: string): Promise<void> {
  await keepHosts(database, batch);
  await database.query('DELETE FROM sluice.migration_segment WHERE batch_id = $1', [batch]);
  await database.query('DELETE FROM sluice.migration_part WHERE batch_id = $1', [batch]);
}
