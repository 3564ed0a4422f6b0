import { shellWord } from '../core/command.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { type Address, addressOf, urlOfDatabase } from '../db/address.js';
import { PgDatabase } from '../db/connect.js';
import { isOutOfReach } from '../db/connection-error.js';
import type { EmbeddedServer } from '../db/embedded/index.js';
import { EMBEDDED_URL } from '../db/embedded/names.js';
import { NoDatabase } from '../db/no-database.js';
import { ident } from '../db/quote.js';
import { sqlstateOf } from '../db/server-error.js';
import { asFailure } from '../run/end/failure.js';
import { stopCommand } from '../run/end/stopping.js';

/** A database that is open, and what asks its user to stop. */
export interface Session {
  readonly database: PgDatabase;
  readonly signal: AbortSignal;
}

/** A database of the embedded server; without a name the one that commands use where none is named. */
export interface Embedded {
  readonly embedded: string | undefined;
  /** Where Sluice keeps its files. Default: `.sluice` in the working directory. */
  readonly directory?: string | undefined;
}

/** What is told while a database is opened, and what is done first; all of it is optional. */
export interface Opening {
  readonly signal: AbortSignal;
  /** The embedded server runs. */
  embedded?(server: EmbeddedServer): void;
  /** The database that is meant, before anybody connects. */
  meant?(address: Address): void;
  /** A connection leaves this machine unencrypted: where it leads to. */
  readable?(described: string): void;
  /** The state that a lost connection, or a signal, has left things in, where the work says none. */
  lostState?(): string;
  /** Done on the embedded server before the database `name` is opened. */
  prepare?(server: string, name: string): Promise<void>;
}

/**
 * Opens a database, or the embedded server and one of its own, does `work` with it and closes everything, whatever
 * becomes of it. From the moment the signal is aborted statements are cancelled, and soon sessions ended. Nothing is
 * connected to before `work` asks for it. Throws what `work` throws; a lost connection is `connection_lost`, and what
 * the signal has cut off `interrupted`. Where none is `wanted`, whoever asks the database is told so (`no_database_named`).
 */
export async function withDatabase<T>(
  wanted: Address | Embedded | undefined,
  opening: Opening,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (wanted === undefined) return work({ database: new NoDatabase(), signal: opening.signal });
  const { signal } = opening;
  let release = async () => {};
  let database: PgDatabase | undefined;
  let stopped = async () => {};
  const named = 'embedded' in wanted ? wanted.embedded : undefined;
  try {
    let address: Address;
    if ('embedded' in wanted) {
      const { acquireEmbedded } = await import('../db/embedded/index.js');
      const { directory } = wanted;
      const server = await acquireEmbedded(directory === undefined ? {} : { directory });
      release = () => server.release();
      opening.embedded?.(server);
      if (named !== undefined) await opening.prepare?.(server.url, named);
      const url = named === undefined ? server.url : urlOfDatabase(server.url, named);
      // The variables are for servers of the user's own.
      address = addressOf(url, 'the embedded server', {});
    } else address = wanted;
    opening.meant?.(address);
    database = new PgDatabase(address);
    database.onReadable((described) => opening.readable?.(described));
    stopped = stopCommand(database, signal);
    return await work({ database, signal });
  } catch (caught) {
    throw lostOrStopped(missingDatabase(caught, named), signal, opening.lostState?.());
  } finally {
    await stopped();
    await database?.close();
    await release();
  }
}

/** What a lost connection, or what a signal has cut off, means to whoever asked for the work; other errors as they are. */
function lostOrStopped(error: unknown, signal: AbortSignal, state: string | undefined): unknown {
  const cut = isOutOfReach(error);
  const cancelled = signal.aborted && !(error instanceof SluiceError) && sqlstateOf(error) === '57014';
  if (!cancelled && !(cut && (signal.aborted || !(error instanceof SluiceError)))) return error;
  const failure = asFailure(error, signal);
  return state === undefined ? failure : failure.with({ state });
}

/** Where the database `name` of the embedded server is not there: how to make it. */
function missingDatabase(error: unknown, name: string | undefined): unknown {
  if (name === undefined || !(error instanceof SluiceError) || error.facts.sqlstate !== '3D000') return error;
  const sql = `CREATE DATABASE ${ident(name)}`;
  return error.but({ next: [`psql "$(${EMBEDDED_URL})" -c ${shellWord(sql)}`] });
}
