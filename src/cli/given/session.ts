import { shellWord } from '../../core/command.js';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { type Address, addressOf, urlOfDatabase } from '../../db/address.js';
import { PgDatabase } from '../../db/connect.js';
import { isOutOfReach } from '../../db/connection-error.js';
import { freshDatabase } from '../../db/embedded/fresh.js';
import { ident } from '../../db/quote.js';
import { sqlstateOf } from '../../db/server-error.js';
import { asFailure } from '../../run/end/failure.js';
import { stopCommand } from '../../run/end/stopping.js';
import { EMBEDDED_URL } from '../commands/db.js';
import { exitCode, tell } from '../show/failure.js';
import { say, styled, warn } from '../show/terminal.js';
import { assertPasswordStays, isFromDotEnv } from './dotenv.js';
import { onStopping } from './signals.js';

/** What a command that works on a database is given. */
export interface Session {
  readonly database: PgDatabase;
  /** Aborted at the first signal that asks to stop. */
  readonly signal: AbortSignal;
}

/** The variables by which libpq and pg find a database; one of them is enough to mean a server of one's own. */
const PG_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGHOSTADDR', 'PGSERVICE'] as const;

/** A database of the embedded server; without a name the one that commands use where none is named. */
export interface Embedded {
  readonly embedded: string | undefined;
}

/**
 * Opens the database (--database-url > SLUICE_DATABASE_URL > DATABASE_URL > PG* > the embedded server),
 * runs `work`, closes everything, and returns the exit code. Errors are told here.
 */
export async function withSession(databaseUrl: string | undefined, work: Work): Promise<number> {
  return inSession(() => givenAddress(databaseUrl), work);
}

/**
 * The same on the embedded server, whatever the environment names, in the database `name`, made anew; see freshDatabase.
 */
export async function withFresh(name: string, work: Work): Promise<number> {
  return inSession(() => ({ embedded: name }), work, freshDatabase);
}

type Work = (session: Session) => Promise<number>;

async function inSession(
  wanted: () => Address | Embedded,
  work: Work,
  prepare: (server: string, name: string) => Promise<void> = async () => {},
): Promise<number> {
  const stop = new AbortController();
  const ignore = onSignals(stop);
  let release = async () => {};
  let database: PgDatabase | undefined;
  let stopped = async () => {};
  let named: string | undefined;
  try {
    let address = wanted();
    if ('embedded' in address) {
      const { embedded: name } = address;
      named = name;
      const { acquireEmbedded } = await import('../../db/embedded/index.js');
      const server = await acquireEmbedded();
      release = () => server.release();
      say(
        styled(
          'dim',
          `using the embedded PostgreSQL on port ${server.port}, data in ${server.dataDirectory} (--database-url names another)`,
        ),
      );
      if (name !== undefined) await prepare(server.url, name);
      const url = name === undefined ? server.url : urlOfDatabase(server.url, name);
      // The variables are for servers of the user's own.
      address = addressOf(url, 'the embedded server', {});
    }
    if (address.from.includes(IN_DOTENV))
      say(styled('dim', `the database ${address.described} is named by ${address.from}`));
    database = new PgDatabase(address);
    database.onReadable((described) =>
      warn(`warning: what is sent to ${described} is not encrypted; sslmode=require asks for TLS`),
    );
    stopped = stopCommand(database, stop.signal);
    return await work({ database, signal: stop.signal });
  } catch (caught) {
    const error = lostOrStopped(missingDatabase(caught, named), stop.signal);
    tell(error);
    return exitCode(error);
  } finally {
    await stopped();
    await database?.close();
    await release();
    ignore();
  }
}

/** What a lost connection, or what a signal has cut off, means to whoever typed the command; other errors as they are. */
function lostOrStopped(error: unknown, signal: AbortSignal): unknown {
  const cut = isOutOfReach(error);
  const cancelled = signal.aborted && !(error instanceof SluiceError) && sqlstateOf(error) === '57014';
  return cancelled || (cut && (signal.aborted || !(error instanceof SluiceError)))
    ? asFailure(error, signal)
    : error;
}

/** Where the database `name` of the embedded server is not there: how to make it. */
function missingDatabase(error: unknown, name: string | undefined): unknown {
  if (name === undefined || !(error instanceof SluiceError) || error.facts.sqlstate !== '3D000') return error;
  const sql = `CREATE DATABASE ${ident(name)}`;
  return error.but({ next: [`psql "$(${EMBEDDED_URL})" -c ${shellWord(sql)}`] });
}

/** How --database-url names a database of the embedded server: `embedded:NAME`. */
export const EMBEDDED_SCHEME = 'embedded:';

/** The database that the user has named; else one of the embedded server. Throws usage() for what names none. */
export function givenAddress(
  databaseUrl: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Address | Embedded {
  const named = [
    ['--database-url', databaseUrl],
    ['SLUICE_DATABASE_URL', environment.SLUICE_DATABASE_URL],
    ['DATABASE_URL', environment.DATABASE_URL],
  ] as const;
  for (const [from, url] of named) {
    if (url === undefined || url === '') continue;
    if (url.startsWith(EMBEDDED_SCHEME) && url.length > EMBEDDED_SCHEME.length)
      return { embedded: url.slice(EMBEDDED_SCHEME.length) };
    const address = addressOf(url, from, environment);
    assertPasswordStays(url, from, environment, isFromDotEnv, address.connection?.origins.password);
    return { ...address, from: saidOf([from]) };
  }
  const set = PG_VARIABLES.filter((name) => (environment[name] ?? '') !== '');
  if (set.length === 0) return { embedded: undefined };
  const address = addressOf(undefined, saidOf(set), environment);
  assertPasswordStays(undefined, '', environment, isFromDotEnv, address.connection?.origins.password);
  return address;
}

const IN_DOTENV = ' in .env';

/** What has named the database, for messages. */
const saidOf = (names: readonly string[]) =>
  names.map((name) => (isFromDotEnv(name) ? `${name}${IN_DOTENV}` : name)).join(', ');

/** The first signal asks the work to stop, the second ends the process at once. */
function onSignals(stop: AbortController): () => void {
  const handle = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(130);
    const reason = commandErrors.interrupted.runBySignal({ signal });
    say('stopping; once more to stop at once');
    stop.abort(reason);
  };
  return onStopping(handle);
}
