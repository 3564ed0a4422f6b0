import { sameKey } from '../../../sinks/publish/rows/sql.js';
import { rowObjects } from '../../../sinks/publish/rows/target.js';
import { plural } from '../../core/plural.js';
import type { Surveyed } from '../changes/survey.js';
import type { Job } from '../job/job.js';

/**
 * Tells of each table that is published by differences, and of which rows were rejected, how many rows stay that the load
 * lacks: a row of live that a reject stands for is one of them, and is not gone. `rows` as staged.
 */
export async function tellKept(job: Job, rows: Surveyed['rows']): Promise<void> {
  const { database, events, log } = job.options;
  for (const { target, key } of rows.values()) {
    if (target.mode !== 'sync' || target.keepGone !== true) continue;
    const { live, staging } = rowObjects(target, { staging: job.names.staging, undo: job.names.old });
    const [found] = await database.query<{ rows: number }>(
      `SELECT pg_catalog.count(*)::pg_catalog.float8 AS rows FROM ${live} l WHERE NOT EXISTS (SELECT FROM ${staging} s WHERE ${sameKey(key, 'l', 's')})`,
    );
    const kept = found?.rows ?? 0;
    if (kept === 0) continue;
    log.warn('rows that the load lacks are kept, since rows were rejected', { table: target.table, kept });
    events?.warn?.(
      `${target.schema}.${target.table}: ${plural(kept, 'row')} that the load lacks ${kept === 1 ? 'stays' : 'stay'}: with rejects a sync deletes nothing, for they may be rows that were rejected; once those are fed back, corrected, it deletes what is gone`,
    );
  }
}
