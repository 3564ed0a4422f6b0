import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How a host is cut off: what it and the others send is dropped on the way and nobody hears of it, or its own link is down. */
export const CUTS = ['packets dropped', 'link down'] as const;
export type Cut = (typeof CUTS)[number];

const PREFIX = '10.77.0';
const LAN = 'lan';

/** Hosts as network namespaces of this machine, on a bridge that stands in the namespace of the first of them. */
export class Network {
  readonly #hosts: readonly { readonly name: string; readonly namespace: string; readonly mac: string }[];

  private constructor(hosts: { name: string; namespace: string; mac: string }[]) {
    this.#hosts = hosts;
  }

  /** Makes the hosts; where one of them cannot be made, none is left. */
  static async make(names: readonly string[]): Promise<Network> {
    const id = randomBytes(3).toString('hex');
    const hosts = names.map((name) => ({ name, namespace: `sluice-${id}-${name}`, mac: '' }));
    const network = new Network(hosts);
    const first = hosts[0]?.namespace as string;
    try {
      for (const [at, host] of hosts.entries()) {
        const { namespace } = host;
        await ip('netns', 'add', namespace);
        await ip('-n', namespace, 'link', 'set', 'lo', 'up');
        if (at === 0) await ip('-n', first, 'link', 'add', 'name', LAN, 'type', 'bridge');
        else {
          const peer = ['peer', 'name', 'eth0', 'netns', namespace];
          await ip('-n', first, 'link', 'add', 'name', port(at), 'type', 'veth', ...peer);
          await ip('-n', first, 'link', 'set', port(at), 'master', LAN, 'up');
        }
        const device = at === 0 ? LAN : 'eth0';
        await ip('-n', namespace, 'addr', 'add', `${network.address(host.name)}/24`, 'dev', device);
        await ip('-n', namespace, 'link', 'set', device, 'up');
        const shown = await ip('-n', namespace, '-json', 'link', 'show', 'dev', device);
        host.mac = (JSON.parse(shown) as [{ address: string }])[0].address;
        // A bridge takes the address of one of its ports, unless it is told its own.
        await ip('-n', namespace, 'link', 'set', device, 'address', host.mac);
      }
      for (const host of hosts) await network.#introduce(host.name);
    } catch (error) {
      await network.remove();
      throw error;
    }
    return network;
  }

  address(name: string): string {
    return `${PREFIX}.${this.#hosts.findIndex((host) => host.name === name) + 1}`;
  }

  hostAt(address: string): string | undefined {
    return this.#hosts.find(({ name }) => this.address(name) === address)?.name;
  }

  /** What a command is prefixed with to run on a host, under its name; the process stays the same. */
  on(name: string): string[] {
    const { namespace } = this.#find(name);
    const named = ['sh', '-c', 'hostname "$0" && exec "$@"', name];
    return ['ip', 'netns', 'exec', namespace, 'unshare', '--uts', ...named];
  }

  async cut(name: string, how: Cut): Promise<void> {
    if (how === 'link down') await ip('-n', this.#find(name).namespace, 'link', 'set', 'eth0', 'down');
    else await ip('-n', this.#find(this.#first).namespace, 'link', 'set', this.#portOf(name), 'nomaster');
  }

  /** What `cut` did is undone. */
  async mend(name: string): Promise<void> {
    await ip('-n', this.#find(name).namespace, 'link', 'set', 'eth0', 'up');
    await ip('-n', this.#find(this.#first).namespace, 'link', 'set', this.#portOf(name), 'master', LAN);
    await this.#introduce(name);
  }

  /** Takes the hosts away; what still runs there keeps a network until it ends. */
  async remove(): Promise<void> {
    for (const { namespace } of this.#hosts) await ip('netns', 'del', namespace).catch(() => {});
  }

  /**
   * Tells a host who has which address, for good: a neighbour that does not answer would be an error within seconds, while
   * a host behind a router that is cut off is silent.
   */
  async #introduce(name: string): Promise<void> {
    const { namespace } = this.#find(name);
    const device = name === this.#first ? LAN : 'eth0';
    for (const other of this.#hosts)
      if (other.name !== name) {
        const whom = [this.address(other.name), 'lladdr', other.mac, 'dev', device];
        await ip('-n', namespace, 'neigh', 'replace', ...whom, 'nud', 'permanent');
      }
  }

  get #first(): string {
    return this.#hosts[0]?.name as string;
  }

  #find(name: string) {
    const found = this.#hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`no host is called ${name}`);
    return found;
  }

  #portOf = (name: string): string => port(this.#hosts.findIndex((host) => host.name === name));
}

/** The end of a host's cable that is in the bridge. */
const port = (at: number): string => `port${at}`;

async function ip(...words: string[]): Promise<string> {
  return (await run('ip', words)).stdout;
}

/** Why there can be no such hosts here; undefined where there can. */
export async function whyNoHosts(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'network namespaces want root';
  try {
    const network = await Network.make(['a', 'b']);
    await network.remove();
    for (const tool of ['unshare', 'setpriv']) await run(tool, ['--version']);
    return undefined;
  } catch (error) {
    const { code, stderr = '', message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') return `there is no ${/spawn (\S+)/.exec(message)?.[1] ?? 'ip'} here`;
    return `network namespaces are not allowed here: ${stderr.trim() || message}`;
  }
}
