import { queuedParts, type UnderWay } from '../../../cluster/look.js';
import { queueOf } from '../../../cluster/queue.js';
import type { PgDatabase } from '../../../db/connect.js';
import { isOutOfReach } from '../../../db/connection-error.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { type HostLoaded, hostsLoaded, type SlowestPart } from '../../../db/ledger/hosts.js';

/** What a host does for a batch. */
interface HostState extends HostLoaded {
  readonly under_way: number;
}

/** A worker that has parts and of which nothing is heard. */
interface SilentWorker {
  readonly host: string;
  readonly parts: number;
  /** Seconds. */
  readonly silent: number;
}

/** How far workers are with a batch, or have been. */
export interface WorkersState {
  /** What the queue knows is null where there is none, or its load has ended. */
  readonly parts: {
    readonly loaded: number;
    readonly under_way: number | null;
    readonly waiting: number | null;
    readonly left: number | null;
    readonly failed: number | null;
  };
  readonly hosts: readonly HostState[];
  readonly slowest: SlowestPart | null;
  readonly retries: number;
  readonly silent: readonly SilentWorker[];
}

/**
 * How far workers are with `batch`: what is loaded the ledger says, what is not the queue, in `queue` or in the database
 * itself. Undefined where no worker has anything to do with it.
 */
export async function workersState(
  database: PgDatabase,
  queue: PgDatabase | undefined,
  batch: Batch,
): Promise<WorkersState | undefined> {
  const loaded = batch.workers ?? (await hostsLoaded(database, batch.id));
  const queued =
    batch.workers === null
      ? await queuedParts(await queueOf(database, queue), batch.id).catch((error: unknown) => {
          // Of what is loaded the ledger tells all the same.
          if (queue !== undefined && isOutOfReach(error)) return undefined;
          throw error;
        })
      : undefined;
  const underWay = queued === undefined ? [] : await notLoaded(database, batch.id, queued.underWay);
  const { hosts = [], slowest = null } = loaded ?? {};
  const waits = queued === undefined ? 0 : queued.waiting + queued.left + queued.failed;
  if (hosts.length === 0 && underWay.length === 0 && waits === 0) return undefined;
  const names = [...new Set([...hosts, ...underWay].map(({ host }) => host))].sort();
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  return {
    parts: {
      loaded: sum(hosts.map(({ parts }) => parts)),
      under_way: queued === undefined ? null : sum(underWay.map(({ parts }) => parts.length)),
      waiting: queued?.waiting ?? null,
      left: queued?.left ?? null,
      failed: queued?.failed ?? null,
    },
    hosts: names.map((host) => ({
      ...NOTHING,
      ...hosts.find((each) => each.host === host),
      host,
      under_way: sum(underWay.filter((each) => each.host === host).map(({ parts }) => parts.length)),
    })),
    slowest,
    retries: sum(hosts.map(({ retries }) => retries)) + (queued?.retries ?? 0),
    silent: underWay.flatMap(({ host, parts, silent }) =>
      silent === null ? [] : [{ host, parts: parts.length, silent }],
    ),
  };
}

const NOTHING: Omit<HostLoaded, 'host'> = { parts: 0, rows: 0, seconds: 0, rows_per_second: 0, retries: 0 };

/** What the queue has under way, without parts that the ledger has meanwhile. */
async function notLoaded(
  database: PgDatabase,
  batch: string,
  underWay: readonly UnderWay[],
): Promise<UnderWay[]> {
  if (underWay.length === 0) return [];
  const parts = underWay.flatMap((each) => each.parts);
  const loaded = await database.query<{ part: string }>(
    `SELECT DISTINCT flow || '/' || starts_at AS part FROM sluice.migration_part
     WHERE batch_id = $1 AND (flow, starts_at) IN (SELECT * FROM unnest($2::integer[], $3::bigint[]))`,
    [batch, parts.map(({ flow }) => flow), parts.map(({ start }) => start)],
  );
  const gone = new Set(loaded.map(({ part }) => part));
  return underWay
    .map((each) => ({
      ...each,
      parts: each.parts.filter(({ flow, start }) => !gone.has(`${flow}/${start}`)),
    }))
    .filter((each) => each.parts.length > 0);
}
