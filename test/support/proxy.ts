import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** `up`: from the client to the server. */
type Direction = 'up' | 'down';

/**
 * What happens to a connection: `freeze`: nothing goes either way any more, and nobody is told (half-open); `cut`: both
 * sides get a reset; `delay`: what comes from now on is `ms` late.
 */
export type Fault = { readonly kind: 'freeze' | 'cut' } | { readonly kind: 'delay'; readonly ms: number };

/** When a fault happens, and to whom. Each happens once. */
export interface Rule {
  readonly fault: Fault;
  /** Only to sessions whose application_name is like this. */
  readonly session?: RegExp;
  /** Once bytes of this direction hold this. */
  readonly holding?: { readonly direction: Direction; readonly text: string };
  /** Once so many bytes have gone either way, over all connections since the rule was made. */
  readonly afterBytes?: number;
  /** Those bytes still get there. Default: no. */
  readonly passing?: boolean;
  /** The whole network, also who connects from now on. Default: this connection. */
  readonly all?: boolean;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  name: string;
  frozen: boolean;
  delayMs: number;
  readonly tails: Record<Direction, string>;
  /** What has come and is not passed on yet, in its order, and when the last of it is due. */
  readonly waiting: Record<Direction, { readonly piece: Buffer; readonly due: number }[]>;
}

/** As long as the longest text that is looked for across pieces. */
const TAIL = 64;

/** A way to a server that can be made to fail. */
export interface FaultProxy {
  /** `url`, by way of this. */
  readonly url: string;
  /** Resolves when the fault has happened. */
  on(rule: Rule): Promise<void>;
  /** Makes it happen now, to all connections (or those of sessions like this), and to who connects from now on. */
  now(fault: Fault, session?: RegExp): void;
  /** What was frozen flows again, nothing being lost, as TCP has it. Rules that have not happened never do. */
  heal(): void;
  close(): Promise<void>;
}

/** Opens a proxy to the server of `url`, on a port of its own, at an address of this machine. */
export async function proxyTo(url: string, address = '127.0.0.1'): Promise<FaultProxy> {
  const target = new URL(url);
  const links = new Set<Link>();
  let rules: { readonly rule: Rule; bytes: number; readonly happened: () => void }[] = [];
  let all: Fault | undefined;

  const apply = (fault: Fault, link: Link) => {
    if (fault.kind === 'delay') link.delayMs = fault.ms;
    if (fault.kind === 'freeze') {
      link.frozen = true;
      link.client.pause();
      link.server.pause();
    }
    if (fault.kind === 'cut') {
      link.client.resetAndDestroy();
      link.server.resetAndDestroy();
    }
  };
  const everywhere = (fault: Fault) => {
    // A network that is cut lets people connect again.
    if (fault.kind !== 'cut') all = fault;
    for (const link of [...links]) apply(fault, link);
  };

  /** Whether the piece is to be passed on. */
  const judge = (link: Link, direction: Direction, piece: Buffer): boolean => {
    const seen = link.tails[direction] + piece.toString('latin1');
    link.tails[direction] = seen.slice(-TAIL);
    let passing = true;
    for (const each of [...rules]) {
      const { rule } = each;
      if (rule.session !== undefined && !rule.session.test(link.name)) continue;
      each.bytes += piece.length;
      const { holding, afterBytes } = rule;
      if (holding !== undefined && !(holding.direction === direction && seen.includes(holding.text)))
        continue;
      if (afterBytes !== undefined && each.bytes < afterBytes) continue;
      rules = rules.filter((other) => other !== each);
      if (rule.passing !== true) passing = false;
      // Behind the piece, where that still gets there.
      setImmediate(() => {
        if (rule.all === true) everywhere(rule.fault);
        else apply(rule.fault, link);
        each.happened();
      });
      // Nothing comes between.
      if (rule.fault.kind !== 'delay') {
        link.client.pause();
        link.server.pause();
      } else passing = true;
    }
    return passing;
  };

  /** Passes on what is due, never one piece before another. */
  const drain = (link: Link, direction: Direction) => {
    if (link.frozen) return;
    const waiting = link.waiting[direction];
    const to = direction === 'up' ? link.server : link.client;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const wait = first.due - Date.now();
      if (wait > 0) {
        if (Number.isFinite(wait)) setTimeout(drain, wait, link, direction);
        return;
      }
      waiting.shift();
      if (to.writable) to.write(first.piece);
    }
  };

  const server = createServer((client) => {
    const behind = connect(Number(target.port), target.hostname);
    const link: Link = {
      client,
      server: behind,
      name: '',
      frozen: false,
      delayMs: 0,
      tails: { up: '', down: '' },
      waiting: { up: [], down: [] },
    };
    links.add(link);
    const forward = (from: Socket, to: Socket, direction: Direction) => {
      from.on('data', (piece: Buffer) => {
        if (direction === 'up' && link.name === '') link.name = applicationName(piece);
        const due = judge(link, direction, piece) ? Date.now() + link.delayMs : Number.POSITIVE_INFINITY;
        link.waiting[direction].push({ piece, due });
        drain(link, direction);
      });
      from.on('error', () => {});
      from.on('close', () => {
        // Half-open means that the other side does not hear of it either.
        if (!link.frozen) to.destroy();
        if (to.destroyed) links.delete(link);
      });
    };
    forward(client, behind, 'up');
    forward(behind, client, 'down');
    if (all !== undefined) apply(all, link);
  });
  server.listen(0, address);
  await once(server, 'listening');
  const through = new URL(url);
  through.hostname = address;
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    on: (rule) =>
      new Promise((happened) => {
        rules.push({ rule, bytes: 0, happened });
      }),
    now(fault, session) {
      if (session === undefined) everywhere(fault);
      else for (const link of [...links]) if (session.test(link.name)) apply(fault, link);
    },
    heal() {
      all = undefined;
      rules = [];
      for (const link of links) {
        link.delayMs = 0;
        link.frozen = false;
        for (const direction of ['up', 'down'] as const) {
          const late = link.waiting[direction].splice(0);
          link.waiting[direction].push(...late.map(({ piece }) => ({ piece, due: 0 })));
          drain(link, direction);
        }
        link.client.resume();
        link.server.resume();
        if (link.client.destroyed) link.server.destroy();
        if (link.server.destroyed) link.client.destroy();
      }
    },
    async close() {
      for (const { client, server: behind } of links) {
        client.destroy();
        behind.destroy();
      }
      server.close();
    },
  };
}

/** What a start-up packet says of it. */
function applicationName(packet: Buffer): string {
  const words = packet.toString('latin1', 8).split('\0');
  const at = words.indexOf('application_name');
  return at < 0 ? '?' : (words[at + 1] ?? '?');
}
