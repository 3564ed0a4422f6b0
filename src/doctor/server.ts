import type { Finding } from '../core/pipeline.js';
import { bytes, plural } from '../core/plural.js';
import type { PgDatabase } from '../db/connect.js';
import { blockerLine, longTransactions } from '../db/locks/blockers.js';
import { ident, literal } from '../db/quote.js';
import { newerThanTested } from '../db/server-version.js';
import { freeSpace } from '../run/check/disk.js';
import { listKept } from '../run/given/cleanup-command.js';
import { freeSessions } from '../run/load/concurrency.js';
import type { Examined } from './examined.js';

/** So far apart clocks do no harm. */
const APART_S = 5;
/** What a run with four sessions for a table needs at the most, with its sessions for questions and indexes. */
const SESSIONS = 10;
/** A transaction that is open for so long is forgotten, or a report. */
const LONG_S = 600;
/** WAL that an unused slot keeps. */
const KEPT_WAL_BYTES = 1 << 30;
/** A load, its indexes and what is kept of the old table soon fill less. */
const SCARCE_BYTES = 5 * 2 ** 30;

interface Server {
  readonly version: string;
  readonly role: string;
  readonly superuser: boolean;
  readonly standby: boolean;
  readonly encrypted: boolean | null;
  readonly fsync: boolean;
  readonly at: number;
}

const SERVER = `
SELECT pg_catalog.current_setting('server_version') AS version, CURRENT_USER::pg_catalog.text AS role, r.rolsuper AS superuser,
  pg_catalog.pg_is_in_recovery() AS standby,
  (SELECT s.ssl FROM pg_catalog.pg_stat_ssl s WHERE s.pid = pg_catalog.pg_backend_pid()) AS encrypted,
  pg_catalog.current_setting('fsync') = 'on' AS fsync,
  extract(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.float8 AS at
FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER`;

/** What server it is, and whether one can write to it. */
export async function examineServer(database: PgDatabase): Promise<Examined[]> {
  // The first statement waits for the session; the second says how long the way is.
  await database.query('SELECT 1');
  const from = Date.now();
  const [server] = await database.query<Server & Record<string, unknown>>(SERVER);
  const took = Date.now() - from;
  if (server === undefined) return [];
  const { version, role, superuser, standby, encrypted, fsync, at } = server;
  const apart = at - (from + took / 2) / 1000;
  return [
    {
      name: 'server',
      is: `PostgreSQL ${version}, ${database.address.described}, ${took} ms away, ${encrypted === true ? 'encrypted' : 'not encrypted'}`,
      findings: [
        ...note(newerThanTested(() => version)),
        ...(standby
          ? [
              error(
                'it is a standby: nothing can be written to it',
                'name the primary; a URL of several hosts finds it: postgres://one,two/db?target_session_attrs=read-write',
              ),
            ]
          : []),
        ...(superuser
          ? [
              warning(
                `${role} is a superuser: Sluice needs none, and what tables' owners wrote (triggers, defaults) would have all rights`,
                `CREATE ROLE migrator LOGIN; then the grants of docs/privileges.md`,
              ),
            ]
          : []),
        ...(fsync
          ? []
          : [
              warning(
                'fsync is off: what is published is lost when the machine goes down',
                'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()',
              ),
            ]),
      ],
    },
    {
      name: 'time',
      is: `the server's clock and this one are ${Math.abs(apart).toFixed(1)} s apart`,
      findings:
        Math.abs(apart) > APART_S
          ? [
              warning(
                `the server's clock is ${Math.abs(apart).toFixed(0)} s ${apart > 0 ? 'ahead' : 'behind'}: moments in the ledger are the server's, those of logs this machine's`,
                'timedatectl set-ntp true   (on the machine that is wrong)',
              ),
            ]
          : [],
    },
    await sessions(database),
    await transactions(database),
    await disk(database),
  ];
}

async function sessions(database: PgDatabase): Promise<Examined> {
  const free = await freeSessions(database);
  return {
    name: 'connections',
    is: `${free} more are possible`,
    findings:
      free < SESSIONS
        ? [
            warning(
              `only ${plural(free, 'more connection is', 'more connections are')} possible, and a run with four sessions for a table takes ${SESSIONS}`,
              ['close what is idle, or raise max_connections', '--jobs 1 takes the fewest'],
            ),
          ]
        : [],
  };
}

async function transactions(database: PgDatabase): Promise<Examined> {
  const found = await longTransactions(database, LONG_S);
  return {
    name: 'transactions',
    is:
      found.length === 0 ? `none is older than ${LONG_S / 60} min` : `some are older than ${LONG_S / 60} min`,
    findings: found.map((blocker) =>
      warning(
        `an old transaction: a swap waits for its locks, and tables cannot be cleaned up behind it`,
        blocker.pid === null
          ? `ROLLBACK PREPARED ${literal(blocker.prepared ?? '')}`
          : `SELECT pg_terminate_backend(${blocker.pid})`,
        [blockerLine(blocker)],
      ),
    ),
  };
}

const SLOTS = `
SELECT s.slot_name::pg_catalog.text AS name, pg_catalog.pg_wal_lsn_diff(
  CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,
  s.restart_lsn)::pg_catalog.float8 AS kept
FROM pg_catalog.pg_replication_slots s WHERE NOT s.active AND s.restart_lsn IS NOT NULL ORDER BY 2 DESC`;

async function disk(database: PgDatabase): Promise<Examined> {
  const { free, where } = await freeSpace(database);
  const slots = await database.query<{ name: string; kept: number }>(SLOTS);
  return {
    name: 'disk of the server',
    is: free === null ? `not known: ${where}` : `${bytes(free)} free in ${where}`,
    findings: [
      ...(free !== null && free < SCARCE_BYTES
        ? [warning(`only ${bytes(free)} are free where the server keeps its data`, listKept())]
        : []),
      ...slots
        .filter(({ kept }) => kept > KEPT_WAL_BYTES)
        .map(({ name, kept }) =>
          warning(
            `the replication slot ${ident(name)}, which nobody reads, keeps ${bytes(kept)} of WAL, and more with every load`,
            `SELECT pg_drop_replication_slot(${literal(name)})   (where its reader will not come back)`,
          ),
        ),
    ],
  };
}

const note = (message: string | undefined): Finding[] =>
  message === undefined ? [] : [{ severity: 'note', message }];
const error = (message: string, next: Finding['next']): Finding => ({
  severity: 'error',
  message,
  ...(next === undefined ? {} : { next }),
});
const warning = (message: string, next: Finding['next'], details?: readonly string[]): Finding => ({
  severity: 'warning',
  message,
  ...(next === undefined ? {} : { next }),
  ...(details === undefined ? {} : { details }),
});
