import { schemasFor } from '../../../sinks/publish/replace/names.js';
import { mergedLocks, windowSql } from '../../../sinks/publish/window.js';
import type { PgDatabase } from '../../db/connect.js';
import { publishSql } from '../../db/ledger/publish-sql.js';
import { ledgerThere } from '../../db/ledger/trust.js';
import { lockHolders } from '../../db/locks/blockers.js';
import { compatibilityRecords } from '../changes/compat-views.js';
import type { Surveyed } from '../changes/survey.js';
import { type PlannedView, planViews } from '../changes/views.js';
import { guardedTables, guardOf } from '../changes/write-guard.js';
import type { Checked } from '../check/check.js';
import { planDisk } from '../check/disk.js';
import type { KeptCopy, PlannedLock, PublishPlan } from '../given/plan.js';
import { type Job, NO_BATCH } from '../job/job.js';
import type { Prepared } from './prepare.js';
import { partsOf, recordsOf, timesOf } from './publish.js';

/** Plans the publish from what the checks have surveyed. Reads only; where tables are refused, no statements. */
export async function planPublish(job: Job, { surveyed }: Pick<Checked, 'surveyed'>): Promise<PublishPlan> {
  const { database, guard: how = 'journal' } = job.options;
  const { refused } = surveyed;
  const tables = guardedTables(job);
  const guard = how === 'journal' && tables.length > 0 ? guardOf(NO_BATCH) : undefined;
  const prepared = planned(job, surveyed, await planViews(job));
  const parts = refused.length > 0 ? [] : partsOf(job, prepared, guard);
  const staging = new Set(
    [...schemasFor(surveyed.replace?.tables ?? [], job.names).values()].map((pair) => pair.staging),
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
          ledger: [
            ...publishSql('0', 'completed', recordsOf(job, prepared)),
            ...compatibilityRecords(job, surveyed.oldNames),
          ],
          held: how === 'lock' && tables.length > 0,
        });
  return {
    guard: { how, tables: how === 'off' ? [] : tables.map(({ schema, table }) => `${schema}.${table}`) },
    first: [
      ...parts.flatMap((part) => part.early).filter((statement) => statement.startsWith('LOCK TABLE ')),
      ...parts.flatMap((part) => part.dependents),
    ],
    locks,
    carried: surveyed.carried,
    refused,
    disk: await planDisk(job),
    kept: await keptCopies(database, job),
    statements,
  };
}

/** Staging as it would be when it is ready, with nothing known of its rows. */
function planned(job: Job, surveyed: Surveyed, views: readonly PlannedView[]): Prepared {
  const { replace, rows, oldNames } = surveyed;
  const loaded = new Map(job.tables.map(({ target }) => [target, 0]));
  if (replace === undefined) return { replace, rows, oldNames, loaded, views, records: [] };
  const schemas = schemasFor(replace.tables, job.names);
  const tables = replace.tables.map((live) => ({
    target: { schema: live.schema, table: live.table, oid: live.oid },
    schema: schemas.get(live.schema)?.staging ?? job.names.staging,
    table: live.table,
    oid: 0,
    columns: live.columns.filter((column) => column.generated === '').map((column) => column.name),
    rows: 0n,
    reached: {},
    writers: [],
    serverStart: null,
  }));
  return { replace: { survey: replace, tables }, rows, oldNames, loaded, views, records: [] };
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
