import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { answeringPostmaster } from './answering.js';
import { type Binaries, findBinaries } from './binaries.js';
import { createCluster } from './cluster.js';
import { ensureDatabase, urlOf } from './database.js';
import { explained } from './explain.js';
import { addLease, dropDeadLeases, endLease, holders } from './leases.js';
import { withLock } from './lock.js';
import { assertMadeHere } from './made-here.js';
import {
  copiesOf,
  majorsIn,
  makeDirectory,
  type Place,
  placeAt,
  refuseOtherMajor,
  settleBase,
  settledBase,
} from './place.js';
import { type Postmaster, runningPostmaster, stopPostmaster } from './postmaster.js';
import { commandLineOf } from './process.js';
import { start } from './start.js';
import { serverUser } from './user.js';

/** A running embedded server that stays up at least until it is released. */
export interface EmbeddedServer {
  /** Of the database `sluice` as its superuser; holds the password: messages show it as `addressOf` describes it. */
  readonly url: string;
  readonly dataDirectory: string;
  readonly port: number;
  /** This call started it; it did not run before. */
  readonly startedHere: boolean;
  /** Gives it up; the server stops when nobody else needs it and it is not kept. Idempotent. */
  release(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Where Sluice keeps its files; default `.sluice` in the working directory. */
  readonly directory?: string;
  /** Default true. False turns fsync off: for tests, whose data may be lost when the machine goes down. */
  readonly durable?: boolean;
  /** Further server settings, by name; those of a server that runs already are not changed. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The bin directory of another PostgreSQL to run instead of the one that npm installed. */
  readonly binaries?: string;
  /** The directory counts as made here by this user, whatever it holds. */
  readonly trust?: boolean;
}

export interface EmbeddedStatus {
  readonly running: boolean;
  /** Runs until stopEmbedded, whoever needs it. */
  readonly kept: boolean;
  /** Where the data is, or will be. */
  readonly dataDirectory: string;
  readonly url?: string;
  readonly port?: number;
  readonly pid?: number;
  readonly log?: string;
  /** The version that wrote the data, such as `18`. */
  readonly version?: string;
  /** Ids of the processes that need the server. */
  readonly leases: number[];
}

/**
 * The embedded server of `options.directory`, started when it does not run, its data made when there is
 * none. All who acquire it, in this process or another, share one server. Each holds a lease, which its
 * release ends; the lease of a process that was killed counts no more, though the server then goes on until
 * the next release.
 *
 * Throws SluiceErrors (`embedded_…`), each with what to do next.
 */
export async function acquireEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  return explained(options, async () => {
    const paths = pathsOf(makeDirectory(directoryOf(options)));
    return withLock(paths.lock, async () => {
      assertMadeHere(paths.directory, options.trust);
      dropDeadLeases(paths.leases);
      // Before the start: whoever is killed from here on leaves a lease that is seen to be dead.
      const lease = addLease(paths.leases);
      try {
        const { place, postmaster, startedHere } = await ensureRunning(paths.directory, options);
        return {
          url: urlOf(place, postmaster.port),
          dataDirectory: place.data,
          port: postmaster.port,
          startedHere,
          release: releaseOf(paths, place, lease),
        };
      } catch (error) {
        endLease(lease);
        throw error;
      }
    });
  });
}

/** What is known of the embedded server, without starting or changing anything. */
export async function embeddedStatus(options: EmbeddedOptions = {}): Promise<EmbeddedStatus> {
  return explained(options, async () => {
    const directory = directoryOf(options);
    const paths = pathsOf(existsSync(directory) ? realpathSync(directory) : directory);
    const found = currentPlace(paths.directory);
    const postmaster = found && runningPostmaster(found.data);
    return {
      running: postmaster !== undefined,
      kept: existsSync(paths.keep),
      dataDirectory: found?.data ?? join(settledBase(paths.directory) ?? join(paths.directory, 'postgres')),
      ...(found && { log: found.log, version: versionOf(found) }),
      ...(found &&
        postmaster && { pid: postmaster.pid, port: postmaster.port, url: urlOf(found, postmaster.port) }),
      leases: holders(paths.leases),
    };
  });
}

/** Starts the server if need be and keeps it until stopEmbedded, though nobody holds a lease. */
export async function keepEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const server = await acquireEmbedded(options);
  try {
    await explained(options, async () => writeFileSync(pathsOf(directoryOf(options)).keep, ''));
  } finally {
    await server.release();
  }
  return { ...server, release: async () => {} };
}

/**
 * Ends what keepEmbedded began and stops the server. Returns whether one ran. Throws `embedded_in_use`,
 * naming who uses it, when a command needs it; `force` stops it all the same, and those commands fail.
 */
export async function stopEmbedded(options: EmbeddedOptions & { force?: boolean } = {}): Promise<boolean> {
  return explained(options, async () => {
    const directory = directoryOf(options);
    if (!existsSync(directory)) return false;
    const paths = pathsOf(realpathSync(directory));
    return withLock(paths.lock, async () => {
      if (existsSync(join(paths.directory, 'postgres'))) assertMadeHere(paths.directory);
      dropDeadLeases(paths.leases);
      const users = holders(paths.leases);
      const place = currentPlace(paths.directory);
      const runs = place !== undefined && runningPostmaster(place.data) !== undefined;
      if (runs && users.length > 0 && options.force !== true) {
        throw embeddedErrors.embedded_in_use({
          details: users.map((pid) => `process ${pid}: ${commandLineOf(pid) ?? ''}`.trimEnd()),
        });
      }
      rmSync(paths.keep, { force: true });
      if (runs) await stopPostmaster(place.data, place.log);
      return runs;
    });
  });
}

interface Paths {
  readonly directory: string;
  readonly lock: string;
  readonly leases: string;
  readonly keep: string;
}

const directoryOf = (options: EmbeddedOptions) => resolve(options.directory ?? '.sluice');

function pathsOf(directory: string): Paths {
  return {
    directory,
    lock: join(directory, 'lock'),
    leases: join(directory, 'leases'),
    keep: join(directory, 'keep'),
  };
}

/** The newest major version's place, if any has data. */
function currentPlace(directory: string): Place | undefined {
  const base = settledBase(directory);
  const major = base === undefined ? undefined : majorsIn(base).at(-1);
  return base === undefined || major === undefined ? undefined : placeAt(join(base, String(major)));
}

const versionOf = (place: Place) => readFileSync(join(place.data, 'PG_VERSION'), 'utf8').trim();

async function ensureRunning(
  directory: string,
  options: EmbeddedOptions,
): Promise<{ place: Place; postmaster: Postmaster; startedHere: boolean }> {
  const durable = options.durable ?? true;
  const existing = currentPlace(directory);
  const running = existing && (await answeringPostmaster(existing));
  if (existing !== undefined && running !== undefined) {
    if (durable && !running.durable) {
      throw embeddedErrors.embedded_not_durable({ data: existing.data });
    }
    return { place: existing, postmaster: running, startedHere: false };
  }
  const user = serverUser(existing?.data);
  const binaries: Binaries = await findBinaries(user, () => copiesOf(directory), options.binaries);
  const base = settleBase(directory, user);
  refuseOtherMajor(base, binaries.major);
  const place = placeAt(join(base, String(binaries.major)));
  if (!existsSync(place.root)) await createCluster(place, binaries, user, durable);
  const postmaster = await start(place, binaries, { user, durable, settings: options.settings });
  try {
    await ensureDatabase(place, postmaster.port);
  } catch (error) {
    // Nobody can use it, and nobody would stop it.
    await stopPostmaster(place.data, place.log);
    throw error;
  }
  return { place, postmaster, startedHere: true };
}

function releaseOf(paths: Paths, place: Place, lease: string): () => Promise<void> {
  let released: Promise<void> | undefined;
  return () => {
    released ??= explained({ directory: paths.directory }, () => release(paths, place, lease));
    return released;
  };
}

async function release(paths: Paths, place: Place, lease: string): Promise<void> {
  // The directory was removed under us: nothing is left to release.
  if (!existsSync(paths.directory)) return;
  await withLock(paths.lock, async () => {
    endLease(lease);
    dropDeadLeases(paths.leases);
    if (holders(paths.leases).length > 0 || existsSync(paths.keep)) return;
    await stopPostmaster(place.data, place.log);
  });
}
