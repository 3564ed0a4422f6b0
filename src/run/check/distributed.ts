import { distributedErrors } from '../../core/errors/catalogue/distributed.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Finding } from '../../core/pipeline.js';
import { distributionOf, isWorkerNode } from '../../db/catalog/distribution.js';
import { tableOid } from '../../db/catalog/table.js';
import { guardedTables } from '../changes/write-guard/write-guard.js';
import type { Job } from '../job/job.js';
import { asFinding } from './findings.js';

/**
 * What Citus, where the database has it, stands in the way of whatever the mode: no schema can be made from a worker node,
 * and a distributed table has no triggers, which the guard's journal is made of. Read only.
 */
export async function distributedFindings(job: Job): Promise<Finding[]> {
  const { database, guard = 'journal' } = job.options;
  const client = await database.session();
  if (await isWorkerNode(client))
    return [asFinding(distributedErrors.worker_node({ at: database.address.described }))];
  if (guard !== 'journal') return [];
  const refusals: SluiceError[] = [];
  for (const { schema, table } of guardedTables(job)) {
    const oid = await tableOid(client, schema, table);
    if (oid === undefined || (await distributionOf(client, oid)) === null) continue;
    refusals.push(distributedErrors.distributed_table.guard({ table: `${schema}.${table}` }));
  }
  return refusals.map(asFinding);
}
