import { clusterErrors } from '../core/errors/catalogue/cluster.js';
import type { PgDatabase } from '../db/connect.js';

/** Of the package that keeps the queue, which is loaded by those alone who need it. Throws usage `no_queue_package`. */
export async function queuePackage(): Promise<typeof import('graphile-worker')> {
  return import('graphile-worker').catch((error: Error) => {
    throw clusterErrors.no_queue_package({ cause: error });
  });
}

/** A pool for the package: sessions with the settings of all of ours. Throws refused `queue_behind_pooler`. */
export async function queuePool(database: PgDatabase, size: number) {
  const pool = await database.pool('queue', size);
  if (pool === undefined) throw clusterErrors.queue_behind_pooler();
  return pool;
}

/** The package's own messages go nowhere: what matters is told by who uses it. */
export async function quiet() {
  const { Logger } = await queuePackage();
  return new Logger(() => () => {});
}
