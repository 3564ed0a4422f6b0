import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Running, startSluice } from '../../support/cli.js';
import { until } from '../../support/until.js';
import { BEFORE, SYSTEM, writeLoad } from './load.js';
import { type Cut, Network } from './network.js';
import { HostServer } from './server.js';

/** The host of the server, where the run is started, too. */
const SERVER = 'server';
const DATABASE = 'hosts';

/** Where Debian's package faketime has what sets the clock of a process. */
const FAKETIME = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

/** Why no host can have a clock of its own; undefined where one can. Namespaces of time have no say in what day it is. */
export const whyNoClock = (): string | undefined =>
  FAKETIME === undefined ? 'there is no libfaketime (Debian’s package faketime)' : undefined;

/** A worker on a host of its own. */
export interface Host {
  readonly name: string;
  readonly running: Running;
  readonly pid: number;
  /** By how many seconds its clock is off. */
  readonly off: number;
}

/** A server and workers, each on a host, that share a folder. */
export class Cluster {
  #hosts = new Map<string, Host>();

  private constructor(
    readonly folder: string,
    private readonly network: Network,
    readonly server: HostServer,
    readonly names: readonly string[],
    private admin: pg.Client,
  ) {}

  /** `hosts`: how many there are, of which one has the server. `folder` is one that other accounts can reach. */
  static async make(folder: string, hosts: number): Promise<Cluster> {
    const names = Array.from({ length: hosts - 1 }, (_, at) => `host${at + 1}`);
    const network = await Network.make([SERVER, ...names]);
    let server: HostServer | undefined;
    try {
      server = await HostServer.start(folder, network.on(SERVER), network.address(SERVER));
      await within(server.besideUrl('postgres'), (client) => client.query(`CREATE DATABASE ${DATABASE}`));
      const admin = await connected(server.besideUrl(DATABASE));
      await admin.query(SYSTEM);
      const files = join(folder, 'files');
      mkdirSync(files);
      writeLoad(files);
      return new Cluster(files, network, server, names, admin);
    } catch (error) {
      await server?.end();
      await network.remove();
      throw error;
    }
  }

  get url(): string {
    return this.server.besideUrl(DATABASE);
  }

  async query<T extends pg.QueryResultRow>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    return (await this.admin.query<T>(sql, [...parameters])).rows;
  }

  /** A session of its own, for what is held meanwhile. */
  connect(): Promise<pg.Client> {
    return connected(this.url);
  }

  /** A command on the host of the server. */
  start(args: readonly string[]): Running {
    const env = { SLUICE_DATABASE_URL: this.server.url(DATABASE) };
    return startSluice(args, { cwd: this.folder, env, through: this.network.on(SERVER) });
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no worker runs on ${name}`);
    return host;
  }

  hostOf(pid: number): Host | undefined {
    return [...this.#hosts.values()].find((host) => host.pid === pid);
  }

  hostAt(address: string): Host | undefined {
    const name = this.network.hostAt(address);
    return name === undefined ? undefined : this.#hosts.get(name);
  }

  address(name: string): string {
    return this.network.address(name);
  }

  /** Starts a worker, its clock `off` seconds from the true one; it is ready when the promise resolves. */
  async work(name: string, off = 0): Promise<Host> {
    const clock =
      off === 0
        ? []
        : [
            'env',
            `LD_PRELOAD=${FAKETIME}`,
            `FAKETIME=${off > 0 ? '+' : ''}${off}s`,
            'FAKETIME_DONT_FAKE_MONOTONIC=1',
          ];
    const running = startSluice(['worker', './things.ts'], {
      cwd: this.folder,
      env: { SLUICE_DATABASE_URL: this.server.url(DATABASE) },
      through: [...this.network.on(name), ...clock],
    });
    const host = { name, running, pid: running.child.pid as number, off };
    this.#hosts.set(name, host);
    await running.said('waits for parts');
    return host;
  }

  /** Stops a worker that has nothing to do. */
  async stop(name: string): Promise<void> {
    const { running } = this.host(name);
    running.child.kill('SIGTERM');
    await running.ended;
  }

  clockOff(name: string): number {
    return this.host(name).off;
  }

  /** Starts a worker on every host that has none, and waits until all of them say that they are there, and nobody else. */
  async allAtWork(): Promise<void> {
    for (const name of this.names) if (!this.#lives(name)) await this.work(name);
    const [now] = await this.query<{ at: string }>('SELECT clock_timestamp()::text AS at');
    await until('all workers are there', async () => {
      const rows = await this.query<{ host: string; said: boolean }>(
        'SELECT host, seen_at > $1::timestamptz AS said FROM sluice_queue.sluice_host ORDER BY 1',
        [now?.at],
      ).catch(() => []);
      const dead = this.names.filter((name) => !this.#lives(name));
      if (dead.length > 0) {
        const said = await Promise.all(
          dead.map(async (name) => (await this.host(name).running.ended).stderr),
        );
        throw new Error(`the worker on ${dead.join(', ')} has ended: ${said.join('\n')}`);
      }
      return (
        rows.map(({ host, said }) => `${host} ${said}`).join() ===
        this.names.map((name) => `${name} true`).join()
      );
    });
  }

  #lives(name: string): boolean {
    const child = this.#hosts.get(name)?.running.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  cut(name: string, how: Cut): Promise<void> {
    return this.network.cut(name, how);
  }

  mend(name: string): Promise<void> {
    return this.network.mend(name);
  }

  /** The table is what it was, and nothing is held. */
  async before(): Promise<void> {
    this.release();
    rmSync(join(this.folder, 'hold'), { force: true });
    rmSync(join(this.folder, 'taken'), { force: true });
    await this.query(BEFORE);
  }

  /** The first process that comes to this row is to be held there. */
  hold(id: number): void {
    writeFileSync(join(this.folder, 'hold'), String(id));
  }

  /** The one that is held. */
  held(): Host | undefined {
    const text = existsSync(join(this.folder, 'held')) ? readFileSync(join(this.folder, 'held'), 'utf8') : '';
    return text === '' ? undefined : this.hostOf(Number(text));
  }

  release(): void {
    rmSync(join(this.folder, 'held'), { force: true });
  }

  /** What time it was on a host when its worker loaded its first rows; undefined while it has loaded none. */
  clockOf({ pid }: Host): number | undefined {
    const path = join(this.folder, `clock-${pid}`);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
  }

  /** Stops the server in such a way and starts it again. */
  async restart(signal: Parameters<HostServer['restart']>[0]): Promise<void> {
    await this.admin.end().catch(() => {});
    await this.server.restart(signal);
    this.admin = await connected(this.url);
  }

  async end(): Promise<void> {
    for (const { running } of this.#hosts.values()) {
      running.child.kill('SIGKILL');
      await running.ended;
    }
    await this.admin.end().catch(() => {});
    await this.server.end();
    await this.network.remove();
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function within<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connected(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
