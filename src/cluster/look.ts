import { strangersIn } from '../db/ledger/trust.js';
import { HELD } from './dead.js';
import type { Queue } from './queue.js';
import { QUEUE_SCHEMA as S } from './schema.js';

/** A worker says every second that it is there: one that has not for so long may be gone. */
const QUIET_S = 4;

/** Parts of a batch that a worker has under way. */
export interface UnderWay {
  readonly host: string;
  /** The worker: there may be several on a host. */
  readonly pool: string;
  readonly parts: readonly { readonly flow: number; readonly start: number }[];
  /** For how many seconds nothing has been heard of it; null where it is there. */
  readonly silent: number | null;
}

/** What the queue knows of the parts of a batch that are not loaded. */
export interface QueuedParts {
  readonly waiting: number;
  /** Left to others by workers that may not load them. */
  readonly left: number;
  /** Given up, of which the batch fails. */
  readonly failed: number;
  readonly underWay: readonly UnderWay[];
  /** How often parts were begun that are not loaded, but for the attempts under way. */
  readonly retries: number;
}

/** What the queue knows of a batch; undefined where there is no queue, or one that others have made. Writes nothing. */
export async function queuedParts(
  { database, target }: Queue,
  batch: string,
): Promise<QueuedParts | undefined> {
  if ((await strangersIn(database, S))?.length !== 0) return undefined;
  const [there] = await database.query<{ there: boolean }>(
    `SELECT to_regclass('${S}.sluice_host') IS NOT NULL AS there`,
  );
  if (there?.there !== true) return undefined;
  const [counts] = await database.query<Omit<QueuedParts, 'underWay'> & Record<string, unknown>>(
    `SELECT count(*) FILTER (WHERE state = 'waiting')::int AS waiting, count(*) FILTER (WHERE state = 'left')::int AS left,
            count(*) FILTER (WHERE state = 'failed')::int AS failed,
            coalesce(sum(greatest(tries - (state = 'taken')::int, 0)) FILTER (WHERE state <> 'done'), 0)::int AS retries
     FROM ${S}.sluice_part WHERE target = $1 AND batch = $2`,
    [target, batch],
  );
  const underWay = await database.query<UnderWay & Record<string, unknown>>(
    `SELECT p.host, p.pool, json_agg(json_build_object('flow', p.flow, 'start', p.start) ORDER BY p.flow, p.start) AS parts,
            CASE WHEN h.pool IS NULL OR NOT ${HELD} OR h.seen_at < clock_timestamp() - interval '${QUIET_S} s'
              THEN round(extract(epoch FROM clock_timestamp() - coalesce(h.seen_at, max(p.taken_at))))::int END AS silent
     FROM ${S}.sluice_part p LEFT JOIN ${S}.sluice_host h ON h.pool = p.pool
     WHERE p.target = $1 AND p.batch = $2 AND p.state = 'taken' GROUP BY p.host, p.pool, h.pool, h.lock, h.seen_at
     ORDER BY p.host, p.pool`,
    [target, batch],
  );
  return { waiting: 0, left: 0, failed: 0, retries: 0, ...counts, underWay };
}
