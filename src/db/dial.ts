import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import type { Connection, Place } from './libpq/resolve.js';
import { KEEPALIVE_MS, POOLED_MS } from './network.js';
import { type Settings, startupOptions } from './pinned.js';
import { isServerError, sqlstateOf } from './server-error.js';

/** One way to one server. */
export interface Way {
  readonly place: Place;
  readonly encrypted: boolean;
}

/** All ways, in the order in which they are tried. */
export function waysOf({ places, tls }: Connection): Way[] {
  return places.flatMap((place) =>
    // Over a Unix socket there is no TLS.
    place.host.startsWith('/')
      ? [{ place, encrypted: false }]
      : tls.ways.map((way) => ({ place, encrypted: way === 'tls' })),
  );
}

/** The server is a standby, and one is wanted that can be written to. */
export class StandbyError extends Error {}

/** Nobody waits for the session any more. */
export class GivenUpError extends Error {}

/** No password is known, and the server asks for one. */
export class NoPasswordError extends Error {}

/**
 * Whether to go on with `next` after `error`, as libpq does: without TLS (or with it) where TLS is what failed or what
 * pg_hba.conf does not want; with the next server where this one is away or is not the one that is wanted.
 */
export function goesOn(error: unknown, way: Way, next: Way): boolean {
  if (error instanceof NoPasswordError || error instanceof GivenUpError) return false;
  const sqlstate = sqlstateOf(error);
  const answered = isServerError(error);
  if (next.place !== way.place)
    return error instanceof StandbyError || !answered || sqlstate === '57P03' || sqlstate === '28000';
  if (answered) return sqlstate === '28000';
  // Nobody is there: without TLS nobody is there either.
  return !['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

/**
 * A client that is not connected yet, whose start-up packet has `settings` (undefined: no options at all, for who takes
 * none, or whoever is asked nothing). Nothing of it comes from variables behind our back.
 */
export function clientFor(
  connection: Connection,
  { place, encrypted }: Way,
  name: string,
  settings: Settings | undefined,
): pg.Client {
  const client = new pg.Client(configFor(connection, { place, encrypted }, name));
  const { connectionParameters } = client as unknown as {
    connectionParameters: { options: string | undefined };
  };
  if (settings === undefined) connectionParameters.options = undefined;
  else connectionParameters.options = startupOptions(connection.options, settings);
  // A session that is lost while idle reports it here; whoever uses it next gets the error.
  client.on('error', () => {});
  return client;
}

/** A pool of clients of the driver's own, with `settings` from their first moment on. */
export function poolFor(
  connection: Connection,
  way: Way,
  name: string,
  settings: Settings,
  size: number,
): pg.Pool {
  const options = startupOptions(connection.options, settings);
  const pool = new pg.Pool({
    ...configFor(connection, way, name),
    options,
    max: size,
    connectionTimeoutMillis: POOLED_MS,
    query_timeout: POOLED_MS,
  });
  // A session that is lost while idle is replaced by the next.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** What the driver is told of a connection, but for its settings. */
function configFor(connection: Connection, { place, encrypted }: Way, name: string): pg.ClientConfig {
  const { applicationName, tls } = connection;
  return {
    host: place.hostaddr ?? place.host,
    port: place.port,
    user: connection.user,
    database: connection.database,
    // Not left to the driver, which would read a password file in its own way.
    password:
      place.password ??
      (() => {
        throw new NoPasswordError('the server asks for a password, and none is given');
      }),
    ssl: encrypted ? tls.options(place.host) : false,
    sslnegotiation: encrypted && tls.direct ? 'direct' : 'postgres',
    application_name: sessionName(applicationName, name),
    keepAlive: connection.keepAlive,
    keepAliveInitialDelayMillis: connection.keepAliveMs ?? KEEPALIVE_MS,
  } as pg.ClientConfig;
}

/** Of a name the server keeps so many bytes (NAMEDATALEN). */
const NAME_BYTES = 63;

/**
 * What a session is called: ours, behind what the user calls the application. Where both are too long it is the user's that
 * is cut, for sessions of ours are found by their names; and other characters than ASCII, which the server would write as
 * several, are left out of the count as question marks, as older ones do.
 */
export function sessionName(application: string | undefined, name: string): string {
  const room = NAME_BYTES - name.length - 2;
  if (application === undefined || room <= 0) return name.slice(0, NAME_BYTES);
  return `${application.replace(/[^\x20-\x7e]/g, '?').slice(0, room)}: ${name}`;
}

/** Whether what goes over the connection can be read on the way: it is not encrypted, and leaves this machine. */
export function isReadable(client: pg.Client): boolean {
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
  const { remoteAddress = '' } = stream;
  if (stream.encrypted === true || isIP(remoteAddress) === 0) return false;
  return !/^(?:::ffff:)?127\.|^::1$/.test(remoteAddress);
}
