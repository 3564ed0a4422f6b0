import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { NOTHING_CHANGED } from '../../core/errors/catalogue/state.js';
import type { Address } from '../../db/address.js';
import type { PgDatabase } from '../../db/connect.js';
import { freshDatabase } from '../../db/embedded/fresh.js';
import { type Embedded, type Opening, type Session, withDatabase } from '../../program/database.js';
import { databaseNamed } from '../../program/database-named.js';
import { exitCode, tell } from '../show/failure.js';
import { say, styled, warn } from '../show/terminal.js';
import { assertPasswordStays, isFromDotEnv } from './dotenv.js';
import { onStopping } from './signals.js';

/**
 * Opens the database (--database-url > SLUICE_DATABASE_URL > DATABASE_URL > PG* > the embedded server),
 * runs `work`, closes everything, and returns the exit code. Errors are told here. What may do without a database (`needed`:
 * false) starts no embedded server, and connects to one that is named when something asks for it.
 */
export async function withSession(
  databaseUrl: string | undefined,
  work: Work,
  { needed = true, ...more }: Pick<Opening, 'lostState'> & { readonly needed?: boolean } = {},
): Promise<number> {
  const wanted = () => {
    const address = givenAddress(databaseUrl);
    const unnamed = 'embedded' in address && address.embedded === undefined;
    return unnamed && !needed ? undefined : address;
  };
  return inSession(wanted, work, more);
}

/** The same for a command that only reads: where the connection is lost it has changed nothing. */
export async function withReading(
  databaseUrl: string | undefined,
  work: Work,
  needed = true,
): Promise<number> {
  return withSession(databaseUrl, work, { lostState: () => NOTHING_CHANGED, needed });
}

/**
 * The same on the embedded server, whatever the environment names, in the database `name`, made anew; see freshDatabase.
 */
export async function withFresh(name: string, work: Work): Promise<number> {
  return inSession(() => ({ embedded: name }), work, { prepare: freshDatabase });
}

type Work = (session: Session) => Promise<number>;

async function inSession(
  wanted: () => Address | Embedded | undefined,
  work: Work,
  more: Pick<Opening, 'prepare' | 'lostState'> = {},
): Promise<number> {
  const stop = new AbortController();
  const ignore = onSignals(stop);
  try {
    const opening = {
      ...openingOf(stop.signal),
      ...more,
      embedded: ({ port, dataDirectory }: { readonly port: number; readonly dataDirectory: string }) =>
        say(
          styled(
            'dim',
            `using the embedded PostgreSQL on port ${port}, data in ${dataDirectory} (--database-url names another)`,
          ),
        ),
    };
    return await withDatabase(wanted(), opening, work);
  } catch (error) {
    tell(error);
    return exitCode(error);
  } finally {
    ignore();
  }
}

const openingOf = (signal: AbortSignal): Opening => ({
  signal,
  meant: ({ described, from }) => {
    if (from.includes(IN_DOTENV)) say(styled('dim', `the database ${described} is named by ${from}`));
  },
  readable: (described) =>
    warn(`warning: what is sent to ${described} is not encrypted; sslmode=require asks for TLS`),
});

/** The database that the user has named; else one of the embedded server. Throws usage() for what names none. */
export function givenAddress(
  databaseUrl: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Address | Embedded {
  return named(databaseUrl, '--database-url', environment);
}

function named(url: string | undefined, from: string, environment: NodeJS.ProcessEnv): Address | Embedded {
  return databaseNamed(
    url,
    from,
    environment,
    ({ connection }, text, by) =>
      assertPasswordStays(text, by, environment, isFromDotEnv, connection?.origins.password),
    saidOf,
  );
}

/**
 * Does `work` with the queue's database where it is one of its own (--queue > SLUICE_QUEUE_URL), which is closed then; else
 * without. Throws usage errors for what names none, and what `work` throws.
 */
export async function withQueue<T>(
  { signal }: Session,
  queue: string | undefined,
  work: (queue: PgDatabase | undefined) => Promise<T>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const [from, url] =
    queue === undefined ? ['SLUICE_QUEUE_URL', environment.SLUICE_QUEUE_URL] : ['--queue', queue];
  if (url === undefined || url === '') return work(undefined);
  return withDatabase(named(url, from, environment), openingOf(signal), ({ database }) => work(database));
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
