import { schemasFor } from '../../../sinks/publish/replace/names.js';
import { mergedLocks, windowSql } from '../../../sinks/publish/window.js';
import type { PgDatabase } from '../../db/connect.js';
import { ledgerThere } from '../../db/ledger/trust.js';
import { lockHolders } from '../../db/locks/blockers.js';
import type { JobChanges } from '../changes/job-changes.js';
import { partsOf } from '../changes/sequence.js';
import { planDisk } from '../check/disk.js';
import type { KeptCopy, PlannedLock, PublishPlan } from '../given/publish-plan.js';
import type { Job } from '../job/job.js';
import { publishLedger, timesOf } from './window.js';

/** Plans the publish from what the checks have surveyed. Reads only; where tables are refused, no statements. */
export async function planPublish(job: Job, changes: JobChanges): Promise<PublishPlan> {
  const { database, guard: how = 'journal' } = job.options;
  const { refused, surveyed } = changes.replace;
  const { tables } = changes.guard;
  const parts = refused.length > 0 ? [] : partsOf(changes.all);
  const staging = new Set(
    [...schemasFor(surveyed?.tables ?? [], job.names).values()].map((pair) => pair.staging),
  );
  const client = await database.session();
  const locks: PlannedLock[] = [];
  for (const lock of mergedLocks(parts)) {
    const holders = staging.has(lock.schema)
      ? []
      : await lockHolders(client, [lock], lock.mode === 'ACCESS EXCLUSIVE');
    locks.push({ ...lock, holders });
  }
  const statements =
    refused.length > 0
      ? ''
      : windowSql(parts, {
          ...timesOf(parts),
          ledger: publishLedger(job, changes),
          held: how === 'lock' && tables.length > 0,
        });
  return {
    guard: { how, tables: how === 'off' ? [] : tables.map(({ schema, table }) => `${schema}.${table}`) },
    first: [
      ...parts.flatMap((part) => part.early).filter((statement) => statement.startsWith('LOCK TABLE ')),
      ...parts.flatMap((part) => part.dependents),
    ],
    locks,
    carried: surveyed?.carried ?? [],
    refused,
    disk: await planDisk(job),
    kept: await keptCopies(database, job),
    statements,
  };
}

async function keptCopies(database: PgDatabase, job: Job): Promise<KeptCopy[]> {
  if (!(await ledgerThere(database))) return [];
  const [ledger] = await database.query<{ there: boolean }>(
    `SELECT coalesce((SELECT has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'sluice' AND c.relname = 'migration_publish'), false) AS there`,
  );
  if (ledger?.there !== true) return [];
  return database.query<KeptCopy & Record<string, unknown>>(
    `SELECT p.batch_id::text AS batch, p.table_schema || '.' || p.table_name AS table,
            p.retained_schema || '.' || p.table_name AS kept, pg_total_relation_size(c.oid)::float8 AS bytes
     FROM sluice.migration_publish p JOIN pg_class c ON c.oid = p.retained_oid
     WHERE p.dropped_at IS NULL AND p.table_schema || '.' || p.table_name = ANY ($1) ORDER BY p.batch_id, 2`,
    [job.tables.map(({ schema, table }) => `${schema}.${table}`)],
  );
}
