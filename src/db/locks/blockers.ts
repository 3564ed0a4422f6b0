import type { ClientBase, QueryResult } from 'pg';
import type { Row } from '../../core/row.js';
import type { Database } from '../../core/run.js';
import { membersOf } from '../catalog/members.js';
import { PREPARED_BEHIND } from '../catalog/prepared.js';
import { qualified } from '../quote.js';

/** Whoever is in the way of something: a session, or a prepared transaction, which no session holds. */
export interface Blocker {
  /** The server's process; null for a prepared transaction. */
  readonly pid: number | null;
  /** The name by which a prepared transaction is ended; null for a session. */
  readonly prepared: string | null;
  readonly user: string | null;
  readonly application: string | null;
  /** `active`, `idle in transaction`, …; null where the server does not tell. */
  readonly state: string | null;
  /** `client backend`, `autovacuum worker`, …; null for a prepared transaction. */
  readonly backend: string | null;
  /** Seconds since its transaction began, or was prepared; null where it has none, or the server does not tell. */
  readonly age: number | null;
  /** When the session began. */
  readonly since: Date | null;
  /** Its latest statement, cut to 200 characters. */
  readonly query: string | null;
  /** The table that it is in the way of; null where that is something else. */
  readonly relation: string | null;
  /** The modes of the lock that it holds; null where it holds none, but is to get it first. */
  readonly lock: string | null;
}

/** A session of ours, or a run's database: whatever takes a statement and gives rows. */
type Asked = Pick<ClientBase, 'query'> | Pick<Database, 'query'>;

/** A table that somebody may hold locks on. */
export interface LockedTable {
  readonly schema: string;
  readonly table: string;
}

const HERE = '(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())';

/** Whoever `found` gives, a query of `pid, virtualtransaction, relation, lock`: the oldest transaction first. */
async function blockers(asked: Asked, found: string, parameters: readonly unknown[]): Promise<Blocker[]> {
  const sql = `SELECT l.pid, x.gid AS prepared, coalesce(a.usename, x.owner)::pg_catalog.text AS "user",
    nullif(a.application_name, '') AS application, a.state, a.backend_type AS backend,
    extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, x.prepared))::pg_catalog.float8 AS age,
    a.backend_start AS since, nullif(pg_catalog.left(a.query, 200), '') AS query, l.relation, l.lock
  FROM (${found}) l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid LEFT JOIN ${PREPARED_BEHIND}
  ORDER BY coalesce(a.xact_start, x.prepared), l.pid, l.relation`;
  const answer: unknown = await (asked as Pick<Database, 'query'>).query(sql, parameters);
  return Array.isArray(answer) ? answer : (answer as QueryResult<Blocker & Row>).rows;
}

/** The locks of pg_locks that `where` says, as `found`: one row for each holder and relation. */
const locks = (where: string) =>
  `SELECT l.pid, l.virtualtransaction, l.relation::pg_catalog.regclass::pg_catalog.text AS relation,
     pg_catalog.string_agg(DISTINCT l.mode, ', ' ORDER BY l.mode) AS lock
   FROM pg_catalog.pg_locks l WHERE l.granted AND l.database = ${HERE} AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() AND ${where}
   GROUP BY l.pid, l.virtualtransaction, l.relation`;

/** A session, without the locks that it holds, as `found`. */
const sessions = (where: string) =>
  `SELECT a.pid, NULL AS virtualtransaction, NULL AS relation, NULL AS lock FROM pg_catalog.pg_stat_activity a WHERE ${where}`;

/** What a lock is on. */
const OBJECT =
  'locktype, database, relation, page, tuple, virtualxid, transactionid, classid, objid, objsubid';
const objectOf = (of: string) => `ROW(${OBJECT.replace(/\w+/g, `${of}.$&`)})`;

const BLOCKING = `
SELECT l.pid, l.virtualtransaction, w.relation::pg_catalog.regclass::pg_catalog.text AS relation,
  pg_catalog.string_agg(DISTINCT l.mode, ', ' ORDER BY l.mode) AS lock
FROM (SELECT DISTINCT nullif(b.pid, 0) AS pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) b(pid)) b
LEFT JOIN (SELECT * FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted LIMIT 1) w ON true
LEFT JOIN pg_catalog.pg_locks h ON h.granted AND h.pid IS NOT DISTINCT FROM b.pid AND ${objectOf('h')} IS NOT DISTINCT FROM ${objectOf('w')}
CROSS JOIN LATERAL (SELECT b.pid, h.virtualtransaction, h.mode) l
GROUP BY l.pid, l.virtualtransaction, w.relation`;

/** Who keeps session `pid` waiting right now; empty when nobody does. */
export function blockersOf(asked: Asked, pid: number): Promise<Blocker[]> {
  return blockers(asked, BLOCKING, [pid]);
}

/**
 * Other holders of locks on `tables`, or members of them, that conflict with SHARE ROW EXCLUSIVE (`readersToo`: any lock),
 * the oldest first, at most 5.
 */
export async function lockHolders(
  asked: Asked,
  tables: readonly LockedTable[],
  readersToo = false,
): Promise<Blocker[]> {
  if (tables.length === 0) return [];
  const harmless = readersToo ? [] : ['AccessShareLock', 'RowShareLock'];
  const members = `SELECT m.oid FROM pg_catalog.unnest($1::pg_catalog.text[]) n(name) CROSS JOIN LATERAL (${membersOf('pg_catalog.to_regclass(n.name)')}) m`;
  const found = locks(
    `l.locktype = 'relation' AND l.relation IN (${members}) AND l.mode <> ALL ($2::pg_catalog.text[])`,
  );
  const holders = await blockers(asked, found, [namesOf(tables), harmless]);
  return holders.slice(0, 5);
}

/** Prepared transactions that hold locks on the tables themselves: they never end by themselves. */
export function preparedOn(asked: Asked, tables: readonly LockedTable[]): Promise<Blocker[]> {
  const named = 'SELECT pg_catalog.to_regclass(n.name) FROM pg_catalog.unnest($1::pg_catalog.text[]) n(name)';
  const found = locks(`l.pid IS NULL AND l.locktype = 'relation' AND l.relation IN (${named})`);
  return blockers(asked, found, [namesOf(tables)]);
}

const namesOf = (tables: readonly LockedTable[]) => tables.map((each) => qualified(each.schema, each.table));

/** Other sessions that hold the advisory lock of two keys, each as the 32 bits of a number. */
export function advisoryHolders(asked: Asked, classId: number, object: number): Promise<Blocker[]> {
  const found = locks(
    `l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = $1::pg_catalog.int8::pg_catalog.oid AND l.objid = $2::pg_catalog.int8::pg_catalog.oid`,
  );
  return blockers(asked, found, [classId >>> 0, object >>> 0]);
}

/** The sessions here whose snapshots are older than transaction `xid`, at most 5; those of others as far as the role may see them. */
export async function olderSnapshots(asked: Asked, xid: string): Promise<Blocker[]> {
  const found = sessions(
    `a.backend_xmin IS NOT NULL AND pg_catalog.age(a.backend_xmin) > pg_catalog.age($1::pg_catalog.xid) AND a.pid <> pg_catalog.pg_backend_pid() AND a.datname = pg_catalog.current_database()`,
  );
  return (await blockers(asked, found, [xid])).slice(0, 5);
}

/** Sessions here whose transactions are older than so many seconds, and transactions that were prepared before; at most 5. */
export async function longTransactions(asked: Asked, seconds: number): Promise<Blocker[]> {
  const before = 'pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1::pg_catalog.float8)';
  const prepared = `SELECT NULL::pg_catalog.int4, l.virtualtransaction, NULL, NULL FROM pg_catalog.pg_locks l
     JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = l.transactionid
     WHERE l.pid IS NULL AND l.locktype = 'transactionid' AND p.database = pg_catalog.current_database() AND p.prepared < ${before}`;
  const found = `${sessions(
    `a.xact_start < ${before} AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_type = 'client backend' AND a.datname = pg_catalog.current_database()`,
  )} UNION ALL ${prepared}`;
  return (await blockers(asked, found, [seconds])).slice(0, 5);
}

/** The sessions in a database, but for autovacuum, which gives way to whoever drops it. */
export function connectedTo(asked: Asked, database: string): Promise<Blocker[]> {
  return blockers(asked, sessions(`a.datname = $1 AND a.backend_type <> 'autovacuum worker'`), [database]);
}

/**
 * The blocker as one line of a message: `pid 12 (shop, a report; idle in transaction, 3.2 s), AccessShareLock on public.orders:
 * SELECT …`, as far as the server tells. Pure.
 */
export function blockerLine(blocker: Blocker): string {
  const { pid, prepared, user, application, state, backend, age, since, query, relation, lock } = blocker;
  const name = pid === null ? `prepared transaction '${prepared ?? 'unknown'}'` : `pid ${pid}`;
  const known = (...parts: (string | null)[]) => parts.filter((part) => part !== null).join(', ');
  const connected = since === null ? null : `since ${since.toISOString()}`;
  const facts = [
    known(user, application, backend === 'client backend' ? null : backend),
    known(state, age === null ? connected : `${age.toFixed(1)} s`),
  ];
  const about = facts.filter((part) => part !== '').join('; ');
  const holds = lock === null ? `waits for ${relation}, too` : `${lock} on ${relation}`;
  const on = relation === null ? '' : `, ${holds}`;
  const doing = query === null ? '' : `: ${query.replace(/\s+/g, ' ').trim()}`;
  return `${name}${about === '' ? '' : ` (${about})`}${on}${doing}`;
}
