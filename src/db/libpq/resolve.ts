import { join } from 'node:path';
import { type Files, passwordOf, serviceOf } from './files.js';
import { type Refused, refusedOf, SESSION_VARIABLES, VARIABLES } from './known.js';
import { ConninfoError, type Parameters, parseConninfo } from './parse.js';
import { type Tls, tlsOf } from './tls.js';

/** One of the servers that may be meant. */
export interface Place {
  /** The name; a folder (`/…`) for a Unix socket. */
  readonly host: string;
  /** Where it is connected to, where that is told apart from the name. */
  readonly hostaddr?: string;
  readonly port: number;
  readonly password?: string;
}

/** A connection as libpq would make it. */
export interface Connection {
  readonly places: readonly Place[];
  readonly user: string;
  readonly database: string;
  readonly tls: Tls;
  readonly options?: string;
  readonly applicationName?: string;
  /** For each server; 0 is as long as usual. */
  readonly connectMs: number;
  /** Only a server that can be written to. */
  readonly primary: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveMs?: number;
  /** What gave each parameter: `text`, `service`, a variable's name; `passfile *` for a password of any host's. */
  readonly origins: Readonly<Record<string, string>>;
}

/** A parameter is not taken here. */
export class RefusedParameter extends Error {
  constructor(readonly refused: Refused) {
    super(`${refused.name} ${refused.why}`);
  }
}

const SOCKETS = ['/var/run/postgresql', '/tmp'];

/**
 * The connection that `text` (a URL, `key=value …`, or nothing) and the variables name, by libpq's rules: what stands in
 * the text goes before the service's file, that before the variables, those before the defaults. Throws ConninfoError and
 * RefusedParameter; neither holds a value of theirs that may be secret.
 */
export function connectionOf(
  text: string | undefined,
  environment: NodeJS.ProcessEnv,
  files: Files,
  me: string,
): Connection {
  const origins: Record<string, string> = {};
  const parameters: Parameters = {};
  const take = (from: Parameters, origin: (name: string) => string) => {
    for (const [name, value] of Object.entries(from)) {
      if (value === '' || parameters[name] !== undefined) continue;
      parameters[name] = value;
      origins[name] = origin(name);
    }
  };
  take(text === undefined ? {} : parseConninfo(text), () => 'text');
  const variable = (name: string) => environment[VARIABLES[name] as string] ?? '';
  take(
    { service: variable('service'), servicefile: variable('servicefile') },
    (name) => VARIABLES[name] as string,
  );
  if (parameters.service !== undefined)
    take(readService(parameters.service, parameters.servicefile, environment, files), () => 'service');
  take(
    Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, variable(name)])),
    (name) => VARIABLES[name] as string,
  );
  const refused = refusedOf(parameters);
  if (refused !== undefined) {
    const from = origins[refused.name];
    throw new RefusedParameter(
      /^PG/.test(from ?? '') ? { ...refused, name: `${from} (${refused.name})` } : refused,
    );
  }
  const user = parameters.user ?? me;
  const database = parameters.dbname ?? user;
  const places = placesOf(parameters, files).map((place) => {
    const remembered =
      parameters.password === undefined ? passfileOf(parameters, files, place, database, user) : undefined;
    if (remembered?.anyHost === true) origins.password ??= 'passfile *';
    const password = parameters.password ?? remembered?.password;
    return password === undefined ? place : { ...place, password };
  });
  const session = Object.entries(SESSION_VARIABLES).flatMap(([name, setting]) => {
    const value = environment[name] ?? '';
    return value === '' ? [] : [`-c ${setting}=${value.replace(/[\\\s]/g, '\\$&')}`];
  });
  const options = [...session, ...(parameters.options === undefined ? [] : [parameters.options])].join(' ');
  const idle = Number(parameters.keepalives_idle ?? 0);
  return {
    places,
    user,
    database,
    tls: tlsOf(parameters, files, environment.SSL_CERT_FILE),
    ...(options === '' ? {} : { options }),
    ...(parameters.application_name === undefined ? {} : { applicationName: parameters.application_name }),
    connectMs: timeoutOf(parameters.connect_timeout),
    primary: (parameters.target_session_attrs ?? 'any') !== 'any',
    keepAlive: parameters.keepalives !== '0',
    ...(idle > 0 ? { keepAliveMs: idle * 1000 } : {}),
    origins,
  };
}

/** As libpq has it: less than a second is for ever, and two seconds are the least. */
function timeoutOf(seconds: string | undefined): number {
  const given = Number(seconds ?? 0);
  return given <= 0 ? 0 : Math.max(2, given) * 1000;
}

function readService(
  name: string,
  given: string | undefined,
  environment: NodeJS.ProcessEnv,
  files: Files,
): Parameters {
  const system = join(environment.PGSYSCONFDIR ?? '/etc/postgresql-common', 'pg_service.conf');
  const own = given ?? join(files.home, '.pg_service.conf');
  for (const path of [own, system]) {
    const text = files.read(path);
    if (text === undefined && path === given)
      throw new ConninfoError(`the service file ${path} is not there`);
    const found = text === undefined ? undefined : serviceOf(text, name);
    if (found !== undefined) return found;
  }
  throw new ConninfoError(`there is no service "${name}" in ${own} or ${system}`);
}

function placesOf(parameters: Parameters, files: Files): Place[] {
  const list = (text: string | undefined) =>
    text === undefined ? [] : text.split(',').map((each) => each.trim());
  const hosts = list(parameters.host);
  const addresses = list(parameters.hostaddr);
  const ports = list(parameters.port);
  const count = Math.max(hosts.length, addresses.length, 1);
  if (hosts.length > 0 && addresses.length > 0 && hosts.length !== addresses.length)
    throw new ConninfoError(`${hosts.length} hosts do not go with ${addresses.length} addresses (hostaddr)`);
  if (ports.length > 1 && ports.length !== count)
    throw new ConninfoError(`${ports.length} ports do not go with ${count} hosts`);
  return Array.from({ length: count }, (_, at) => {
    const port = Number((ports.length > 1 ? ports[at] : ports[0]) || '5432');
    if (port < 1 || port > 65535) throw new ConninfoError(`${port} is no port`);
    const hostaddr = addresses[at] ?? '';
    const host = hosts[at] || hostaddr || usualHost(files, port);
    if (host.startsWith('@'))
      throw new ConninfoError('a socket of the abstract namespace (@…) cannot be used here');
    return { host, port, ...(hostaddr === '' || hostaddr === host ? {} : { hostaddr }) };
  });
}

/** The folder of the local server's socket, as psql takes it where no host is named; else this machine by its name. */
function usualHost(files: Files, port: number): string {
  return SOCKETS.find((folder) => files.isSocket(`${folder}/.s.PGSQL.${port}`)) ?? 'localhost';
}

function passfileOf(parameters: Parameters, files: Files, place: Place, dbname: string, user: string) {
  const path = parameters.passfile ?? join(files.home, '.pgpass');
  const text = files.read(path);
  // As libpq does: one that others may read is left out.
  if (text === undefined || files.isOpen(path)) return undefined;
  const host = SOCKETS.includes(place.host) ? 'localhost' : place.host;
  return passwordOf(text, { host, port: String(place.port), dbname, user });
}

/** `host:port/database as user`: the first of several, or the one that was connected to. */
export function describe({ places, database, user }: Connection, chosen?: Place): string {
  const of = ({ host, hostaddr, port }: Place) => {
    const name = host.includes(':') ? `[${host}]` : host;
    return `${name}${hostaddr === undefined ? '' : ` (${hostaddr})`}:${port}`;
  };
  return `${chosen === undefined ? places.map(of).join(', ') : of(chosen)}/${database} as ${user}`;
}
