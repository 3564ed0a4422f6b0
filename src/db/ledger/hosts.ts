import type { Database } from '../../core/run.js';

/** What a host's workers have loaded of a batch. */
export interface HostLoaded {
  readonly host: string;
  readonly parts: number;
  /** Read of the inputs. */
  readonly rows: number;
  /** From the beginning of its first part to the commit of its last one. */
  readonly seconds: number;
  readonly rows_per_second: number;
  /** How often one of its parts had been begun before, by whomever. */
  readonly retries: number;
}

/** The part that took longest. */
export interface SlowestPart {
  readonly host: string;
  readonly input: string;
  /** Where it begins. */
  readonly line: number;
  readonly rows: number;
  readonly seconds: number;
}

/** What workers have loaded of a batch, as the ledger has it. */
export interface HostsLoaded {
  /** By name. */
  readonly hosts: readonly HostLoaded[];
  readonly slowest: SlowestPart;
}

/** HostsLoaded of the batch $1 as `workers`; no row where workers have loaded nothing. Of a part in several tables one row counts. */
const HOSTS = `
SELECT jsonb_build_object(
    'hosts', (SELECT jsonb_agg(jsonb_build_object('host', host, 'parts', parts, 'rows', rows, 'seconds', seconds,
        'rows_per_second', round(rows / seconds), 'retries', retries) ORDER BY host) FROM by_host),
    'slowest', (SELECT jsonb_build_object('host', host, 'input', input, 'line', line, 'rows', rows,
        'seconds', round(took_ms / 1000.0, 3)) FROM part ORDER BY took_ms DESC, line LIMIT 1)) AS workers
FROM (SELECT WHERE EXISTS (SELECT FROM part)) there`;

const WITH_PARTS = `
WITH part AS (
  SELECT host, took_ms, tries, committed_at, line, regexp_replace(account -> 0 ->> 'stage', '^read ', '') AS input,
         (account -> 0 ->> 'out')::bigint AS rows
  FROM sluice.migration_part WHERE batch_id = $1 AND host IS NOT NULL AND json_array_length(account) > 0),
by_host AS (
  SELECT host, count(*) AS parts, sum(rows) AS rows, sum(tries - 1) AS retries,
         round(greatest(extract(epoch FROM max(committed_at) - min(committed_at - took_ms * interval '1 ms')), 0.001)::numeric, 3) AS seconds
  FROM part GROUP BY host)`;

/** What workers have loaded so far of a batch that loads; undefined where they have nothing of it. */
export async function hostsLoaded(database: Database, batch: string): Promise<HostsLoaded | undefined> {
  const [row] = await database.query<{ workers: HostsLoaded }>(`${WITH_PARTS} ${HOSTS}`, [batch]);
  return row?.workers;
}

/** Keeps with the batch what workers have loaded of it, before its parts are forgotten. */
export async function keepHosts(database: Database, batch: string): Promise<void> {
  await database.query(
    `${WITH_PARTS} UPDATE sluice.migration_batch b SET workers = h.workers FROM (${HOSTS}) h WHERE b.id = $1`,
    [batch],
  );
}
