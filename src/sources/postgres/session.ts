import type { Client } from 'pg';
import { queryErrors } from '../../core/errors/catalogue/query.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Run } from '../../core/run.js';
import { untilAborted } from '../../core/until-aborted.js';
import { driverClient } from '../../db/driver.js';
import { cutOff } from '../../db/network.js';
import { literal } from '../../db/quote.js';
import { isRowSecurity, rowSecurityError } from '../../db/row-security.js';
import { sqlstateOf } from '../../db/server-error.js';
import { ourDatabase } from '../../db/users-path.js';
import type { CopyOut } from './copy-out.js';

/** What a query's session depends on. */
export interface Reads {
  /** As messages name the query. */
  readonly name: string;
  readonly rowSecurity?: 'on';
  /** It reads one of several parts: the server makes no more processes of it. */
  readonly part?: true;
}

/** How long a session that is no longer needed may take to stop. */
const STOP_MS = 2000;

/**
 * A session of the query's own: along the user's search_path, so that what we say in it is said with schemas.
 * @internal
 */
export async function open(run: Run, name: string): Promise<Client> {
  const client = await untilAborted(driverClient(run.database.connect(`read ${name}`)), run.signal, (late) =>
    late.end(),
  );
  // Every query reports a lost connection itself.
  client.on('error', () => {});
  return client;
}

export const rowSecurity = ({ rowSecurity }: Pick<Reads, 'rowSecurity'>) =>
  rowSecurity === 'on' ? ['SET LOCAL row_security = on'] : [];

/**
 * One read-only snapshot, shared with the run's other readers where it has one, and lossless text. Gives the backend's id.
 * Throws failed `snapshot_gone` where nobody holds that one any more.
 * @internal
 */
export async function begin(client: Client, run: Run, reads: Reads): Promise<number> {
  const snapshot = await run.database.snapshot?.();
  const statements = [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    ...(snapshot === undefined ? [] : [`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`]),
    ...rowSecurity(reads),
    'SET LOCAL statement_timeout = 0',
    'SET LOCAL idle_in_transaction_session_timeout = 0',
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL bytea_output = 'hex'",
    'SET LOCAL extra_float_digits = 1',
    // So its rows have the same order each time, too.
    ...(reads.part === true ? ['SET LOCAL max_parallel_workers_per_gather = 0'] : []),
  ];
  await client.query(statements.join('; ')).catch((error: unknown) => {
    // Since version 17 the server knows no such object; before, the value was none that it takes.
    if (snapshot === undefined || !['42704', '22023'].includes(sqlstateOf(error) ?? '')) throw error;
    throw queryErrors.snapshot_gone({ query: reads.name, snapshot }, { cause: error });
  });
  const result = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return result.rows[0]?.pid as number;
}

/**
 * A session in its transaction.
 * @internal
 */
export interface Session {
  readonly client: Client;
  /** Of its backend. */
  readonly pid: number;
}

/**
 * Sessions of a query's readers, which whoever is done with one leaves to the next.
 * @internal
 */
export class Sessions {
  readonly #idle: Session[] = [];

  /** Whether those that are given back are kept. */
  constructor(private keep: boolean) {}

  /** One that has begun; see `begin`. */
  async take(run: Run, reads: Reads): Promise<Session> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const client = await open(run, reads.name);
    try {
      return { client, pid: await untilAborted(begin(client, run, reads), run.signal) };
    } catch (error) {
      await client.end().catch(() => {});
      throw await explained(error, run, reads.name);
    }
  }

  /** `again`: it can be used once more. */
  async give(session: Session, again: boolean): Promise<void> {
    if (again && this.keep) this.#idle.push(session);
    else await session.client.end().catch(() => {});
  }

  /** Ends those that are idle, and whichever is given back later. */
  async close(): Promise<void> {
    this.keep = false;
    await Promise.all(this.#idle.splice(0).map(({ client }) => client.end().catch(() => {})));
  }
}

/**
 * Stops a query that nobody reads any more: asked to by cancel, made to by closing the socket.
 * @internal
 */
export async function stop(run: Run, client: Client, copy: CopyOut, pid: number | undefined): Promise<void> {
  const dropped = copy.drop();
  ourDatabase(run.database)
    .query('SELECT pg_catalog.pg_cancel_backend($1)', [pid])
    .catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      cutOff(client);
      resolve();
    }, STOP_MS);
  });
  await Promise.race([dropped, late]);
  clearTimeout(timer);
}

/** `error`; where a policy would have hidden rows, which, and what to do. */
export async function explained(error: unknown, run: Run, name: string): Promise<unknown> {
  const said = error instanceof SluiceError ? error.facts.cause : error;
  if (!isRowSecurity(said)) return error;
  // The session that was refused has a transaction that has failed.
  return rowSecurityError(said, (...asked) => ourDatabase(run.database).query(...asked), `query ${name}`, [
    `or, where the rows that it sees are meant: query(…, { rowSecurity: 'on' })`,
  ]);
}
