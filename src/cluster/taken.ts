import type { ErrorData } from '../core/errors/as-data.js';
import type { Queue, QueuedPart } from './queue.js';
import { QUEUE_SCHEMA as S } from './schema.js';
import type { TakenPart } from './works.js';

/** What becomes of a part that its worker has done with. */
type PartEnd = 'done' | 'left' | 'waiting' | 'failed';

/** The part that a job is about. What stands in a queue is data that somebody else may have written. */
export function queuedPart(payload: unknown): QueuedPart {
  const { batch, flow, start } = (payload ?? {}) as Record<string, unknown>;
  if (typeof batch !== 'string' || !/^\d{1,18}$/.test(batch)) throw new Error('no batch');
  if (!Number.isSafeInteger(flow) || !Number.isSafeInteger(start)) throw new Error('no part');
  return { batch, flow: Number(flow), start: Number(start) };
}

/** Notes that a worker has the part, and gives what it is; undefined where its batch has ended. */
export async function take(
  { database, target }: Queue,
  { batch, flow, start }: QueuedPart,
  { host, pool }: { readonly host: string; readonly pool: string },
): Promise<TakenPart | undefined> {
  const [given] = await database.query<TakenPart & Record<string, unknown>>(
    `UPDATE ${S}.sluice_part p SET state = 'taken', host = $4, pool = $5, tries = tries + 1, taken_at = clock_timestamp()
     FROM ${S}.sluice_flow f WHERE p.target = $6 AND p.batch = $1 AND p.flow = $2 AND p.start = $3
       AND f.target = p.target AND f.batch = p.batch AND f.flow = p.flow
     RETURNING p.place, f.task, p.tries`,
    [batch, flow, start, host, pool, target],
  );
  return given;
}

/** Whether its batch still wants the part. */
export async function isWanted(
  { database, target }: Queue,
  { batch, flow, start }: QueuedPart,
): Promise<boolean> {
  const found = await database.query(
    `SELECT FROM ${S}.sluice_part WHERE target = $4 AND batch = $1 AND flow = $2 AND start = $3`,
    [batch, flow, start, target],
  );
  return found.length > 0;
}

/** Notes what has become of a part, unless another worker has it by now. */
export async function partEnded(
  { database, target }: Queue,
  { batch, flow, start }: QueuedPart,
  pool: string,
  state: PartEnd,
  { rows = null, error }: { readonly rows?: number | null; readonly error?: ErrorData },
): Promise<void> {
  await database.query(
    `UPDATE ${S}.sluice_part SET state = $5, rows = coalesce($6, rows), error = $7, ended_at = clock_timestamp()
     WHERE target = $8 AND batch = $1 AND flow = $2 AND start = $3 AND pool = $4`,
    [
      batch,
      flow,
      start,
      pool,
      state,
      rows,
      error === undefined
        ? null
        : JSON.stringify(error, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
      target,
    ],
  );
}
