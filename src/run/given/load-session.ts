import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import type { PgDatabase } from '../../db/connect.js';
import { advisoryHolders, blockerLine } from '../../db/locks/blockers.js';
import type { Settings } from '../../db/pinned.js';

/** The class of the advisory locks that sessions writing to a batch's staging share; the object is the batch. */
const WRITER_LOCK = 0x51c1d0;
/** How long sessions that an attempt left behind may take to end by themselves, and when they are made to. */
const GRACE_MS = 3_000;
const PATIENCE_MS = 20_000;
const POLL_MS = 50;

/** A session of the run's own that writes to the staging of `batch`, or its rejects; `awaitWriters` knows of it. */
export async function writerSession(
  database: Pick<PgDatabase, 'connect'>,
  batch: string,
  purpose: string,
  pinned?: Settings,
): Promise<Client> {
  return writing(await database.connect(`batch ${batch} ${purpose}`, pinned), batch);
}

/** The same for work that can do without one; undefined where there is none left. */
export async function spareWriterSession(
  database: Pick<PgDatabase, 'spare'>,
  batch: string,
  purpose: string,
  pinned?: Settings,
): Promise<Client | undefined> {
  const client = await database.spare(`batch ${batch} ${purpose}`, pinned);
  return client === undefined ? undefined : writing(client, batch);
}

async function writing(client: Client, batch: string): Promise<Client> {
  await client.query(`SELECT pg_advisory_lock_shared(${WRITER_LOCK}, ($1::bigint % 2147483647)::int)`, [
    batch,
  ]);
  return client;
}

/**
 * Waits until no session of an earlier attempt can write to the batch's staging any more: the server may not
 * have noticed yet that the process is gone, and still be committing its last segment. Sessions that stay
 * (their machine is gone, say) are ended. Throws `batch_busy` where they cannot be.
 */
export async function awaitWriters(database: PgDatabase, batch: string): Promise<void> {
  const since = performance.now();
  for (;;) {
    const writers = await advisoryHolders(database, WRITER_LOCK, Number(BigInt(batch) % 2_147_483_647n));
    if (writers.length === 0) return;
    const waited = performance.now() - since;
    const pids = writers.map(({ pid }) => pid);
    if (waited > PATIENCE_MS)
      throw ledgerErrors.batch_busy.sessions({ batch }, { details: writers.map(blockerLine) });
    if (waited > GRACE_MS)
      await database.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [pids]);
    await sleep(POLL_MS);
  }
}
