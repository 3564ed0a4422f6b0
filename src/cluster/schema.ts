import { clusterErrors } from '../core/errors/catalogue/cluster.js';
import type { PgDatabase } from '../db/connect.js';
import { strangersIn } from '../db/ledger/trust.js';

/** Where the queue is, and what Sluice notes of its parts beside it. */
export const QUEUE_SCHEMA = 'sluice_queue';

/**
 * What is told of parts and hosts, for whoever waits or looks on. What is loaded the ledger says, and nobody else: these
 * may be dropped while no batch loads.
 */
const TABLES = `
CREATE TABLE IF NOT EXISTS ${QUEUE_SCHEMA}.sluice_flow (
  target text NOT NULL, batch bigint NOT NULL, flow integer NOT NULL, task jsonb NOT NULL, PRIMARY KEY (target, batch, flow));
CREATE TABLE IF NOT EXISTS ${QUEUE_SCHEMA}.sluice_part (
  target text NOT NULL, batch bigint NOT NULL, flow integer NOT NULL, start bigint NOT NULL, place jsonb NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'taken', 'done', 'left', 'failed')),
  host text, pool text, tries integer NOT NULL DEFAULT 0, rows bigint, error jsonb,
  taken_at timestamptz, ended_at timestamptz, PRIMARY KEY (target, batch, flow, start));
CREATE TABLE IF NOT EXISTS ${QUEUE_SCHEMA}.sluice_host (
  pool text PRIMARY KEY, host text NOT NULL, lock integer NOT NULL,
  takes text[] NOT NULL, seen_at timestamptz NOT NULL)`;

/** That the queue's schema is ours: makes it where it is missing. Throws refused `queue_not_ours`. */
export async function ownQueueSchema(database: PgDatabase): Promise<void> {
  let strangers = await strangersIn(database, QUEUE_SCHEMA);
  if (strangers === undefined) {
    // Whoever is quicker has made it; whose it is then is asked below.
    await database.query(`CREATE SCHEMA ${QUEUE_SCHEMA}`).catch((error: { code?: string }) => {
      if (!['42P06', '23505'].includes(error.code ?? '')) throw error;
    });
    strangers = (await strangersIn(database, QUEUE_SCHEMA)) ?? [];
  }
  if (strangers.length === 0) return;
  const [{ role } = { role: '' }] = await database.query<{ role: string }>(
    'SELECT CURRENT_USER::text AS role',
  );
  throw clusterErrors.queue_not_ours({ schema: QUEUE_SCHEMA, role }, { details: [...strangers] });
}

/** Makes the tables beside the queue. */
export async function makeQueueTables(database: PgDatabase): Promise<void> {
  await database.query(`SELECT pg_advisory_lock(${0x51c1d5}, 0)`);
  try {
    await database.query(TABLES);
  } finally {
    await database.query(`SELECT pg_advisory_unlock(${0x51c1d5}, 0)`);
  }
}
