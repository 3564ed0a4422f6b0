import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from '../../../src/db/embedded/binaries.js';
import { createCluster } from '../../../src/db/embedded/cluster.js';
import { copiesOf, type Place, placeAt } from '../../../src/db/embedded/place.js';
import { serverEnvironment, serverSettings } from '../../../src/db/embedded/settings.js';
import { serverUser } from '../../../src/db/embedded/user.js';
import { isConnectionLoss, sqlstateOf } from '../../../src/db/server-error.js';

const PORT = 5432;
/** How long a server may take to come up again. */
const READY_MS = 60_000;

/**
 * Ways to stop a server, as what its postmaster is sent: sessions are ended and all is written; everything is dropped at
 * once, and recovered; the same without a goodbye.
 */
export const STOPS = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const;

/** A PostgreSQL server on one of the hosts; whoever is on this machine also reaches it by a socket. */
export class HostServer {
  #postmaster: ChildProcess | undefined;

  private constructor(
    private readonly place: Place,
    private readonly command: readonly string[],
    private readonly address: string,
  ) {}

  /** Makes and starts one in `folder`, which its account can reach. `on`: what commands on the host are prefixed with. */
  static async start(folder: string, on: readonly string[], address: string): Promise<HostServer> {
    const user = serverUser();
    const binaries = await findBinaries(user, () => copiesOf(folder));
    const place = placeAt(join(folder, 'server'));
    await createCluster(place, binaries, user, false);
    appendFileSync(
      join(place.data, 'pg_hba.conf'),
      `host all all ${address.replace(/\.\d+$/, '.0/24')} scram-sha-256\n`,
    );
    const sockets = join(place.root, 'sockets');
    mkdirSync(sockets);
    if (user !== undefined) chownSync(sockets, user.uid, user.gid);
    const settings = serverSettings(PORT, false, {
      listen_addresses: address,
      unix_socket_directories: sockets,
      max_wal_size: '512MB',
      shared_buffers: '64MB',
      autovacuum_naptime: '5s',
    });
    const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const as =
      user === undefined ? [] : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
    const program = join(binaries.directory, 'postgres');
    const server = new HostServer(place, [...on, ...as, program, '-D', place.data, ...given], address);
    await server.#start();
    return server;
  }

  /** Of the database `name`, for the other hosts. */
  url(name: string): string {
    return `postgresql://postgres:${this.#password}@${this.address}:${PORT}/${name}`;
  }

  /** The same for this machine, whatever becomes of the network. */
  besideUrl(name: string): string {
    const sockets = encodeURIComponent(join(this.place.root, 'sockets'));
    return `postgresql://postgres:${this.#password}@${sockets}:${PORT}/${name}`;
  }

  get #password(): string {
    return encodeURIComponent(readFileSync(this.place.password, 'utf8'));
  }

  /** Stops it in such a way and starts it again. */
  async restart(signal: (typeof STOPS)[number]): Promise<void> {
    await this.#stop(signal);
    await this.#start();
  }

  async end(): Promise<void> {
    await this.#stop('SIGQUIT');
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    const postmaster = this.#postmaster;
    if (postmaster === undefined || postmaster.exitCode !== null || postmaster.signalCode !== null) return;
    const ended = once(postmaster, 'exit');
    postmaster.kill(signal);
    await ended;
  }

  async #start(): Promise<void> {
    const [program = '', ...words] = this.command;
    for (const until = Date.now() + READY_MS; ; await sleep(50)) {
      const running = this.#postmaster;
      // One whose processes outlive a killed postmaster for a moment keeps the next from starting.
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) {
        const log = openSync(this.place.log, 'a');
        this.#postmaster = spawn(program, words, {
          cwd: '/',
          env: serverEnvironment(),
          stdio: ['ignore', log, log],
        });
        closeSync(log);
      }
      const client = new pg.Client({ connectionString: this.besideUrl('postgres') });
      client.on('error', () => {});
      try {
        await client.connect();
        return;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const coming = code === 'ENOENT' || isConnectionLoss(error) || sqlstateOf(error) === '57P03';
        if (!coming || Date.now() > until)
          throw new Error(
            `the server did not come up: ${readFileSync(this.place.log, 'utf8').slice(-2000)}`,
            {
              cause: error,
            },
          );
      } finally {
        await client.end().catch(() => {});
      }
    }
  }
}
