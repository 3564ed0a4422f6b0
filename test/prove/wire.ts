import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What happens at a message: `before`: it does not reach the server, and the connection is cut; `after`: it does, and the
 * connection is cut at once; `swallowed`: the server has answered it, and nobody hears of it.
 */
export const FAULTS = ['before', 'after', 'swallowed'] as const;
type WireFault = (typeof FAULTS)[number];

/** The connection is cut at the message of that number, from 1 on, over all sessions. */
export interface Arm {
  readonly at: number;
  readonly fault: WireFault;
}

/** A way to a server that counts what clients send, a message at a time, and can fail at one of them. */
export interface Wire {
  /** The database `name`, by way of this. */
  url(name: string): string;
  /** Begins to count anew; cuts there, once. */
  arm(arm?: Arm): void;
  /** How many messages clients have sent since. */
  readonly messages: number;
  /** What the fault struck: the session's name and the message; undefined while it has not. */
  readonly struck: string | undefined;
  close(): Promise<void>;
}

/**
 * The messages at which the server does something (Frontend/Backend protocol 3.0, "Message Formats"): Parse, Bind, Describe
 * and Flush prepare what Execute does, and come in one packet with it.
 */
const COUNTED = new Set([...'QESdcfXp'].map((type) => type.charCodeAt(0)));
const CANCEL = 80877102;
/** How long the server may take to answer a message of which the answer is swallowed. */
const ANSWER_MS = 2_000;
/** Within that all of an answer has come. */
const REST_MS = 15;

/** Opens the way to the server of `url`, on a port of its own. */
export async function wireTo(url: string): Promise<Wire> {
  const target = new URL(url);
  const links = new Set<Link>();
  const state: State = { messages: 0, arm: undefined, struck: undefined };
  const server = createServer((client) => {
    const link = new Link(client, connect(Number(target.port), target.hostname), state);
    links.add(link);
    client.on('close', () => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url(name) {
      const through = new URL(url);
      through.host = `127.0.0.1:${port}`;
      through.pathname = `/${name}`;
      return through.href;
    },
    arm(arm) {
      state.messages = 0;
      state.struck = undefined;
      state.arm = arm;
    },
    get messages() {
      return state.messages;
    },
    get struck() {
      return state.struck;
    },
    async close() {
      for (const link of links) link.cut();
      server.close();
    },
  };
}

interface State {
  messages: number;
  arm: Arm | undefined;
  struck: string | undefined;
}

/** One connection. */
class Link {
  #held: Buffer = Buffer.alloc(0);
  #name: string | undefined;
  /** A request to cancel something, which is no session. */
  #plain = false;
  #swallows = false;
  #done = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly state: State,
  ) {
    client.on('data', (piece) => this.#up(piece));
    server.on('data', (piece) => this.#down(piece));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  }

  cut(): void {
    this.#done = true;
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }

  #up(piece: Buffer): void {
    if (this.#done) return;
    if (this.#plain) {
      this.server.write(piece);
      return;
    }
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    for (let frame = this.#frame(); frame !== undefined && !this.#done; frame = this.#frame())
      this.#pass(frame);
  }

  /** The next whole message. */
  #frame(): Buffer | undefined {
    const held = this.#held;
    const typed = this.#name !== undefined;
    const head = typed ? 5 : 8;
    if (held.length < head) return undefined;
    const length = typed ? held.readInt32BE(1) + 1 : held.readInt32BE(0);
    if (held.length < length) return undefined;
    this.#held = held.subarray(length);
    return held.subarray(0, length);
  }

  #pass(frame: Buffer): void {
    if (this.#name === undefined) {
      if (frame.readInt32BE(4) === CANCEL) {
        this.#plain = true;
        this.server.write(frame);
        return;
      }
      this.#name = applicationName(frame);
      this.#message(frame, 'begin');
    } else if (COUNTED.has(frame[0] as number)) this.#message(frame, String.fromCharCode(frame[0] as number));
    else this.server.write(frame);
  }

  #message(frame: Buffer, type: string): void {
    const { state } = this;
    state.messages += 1;
    const { arm } = state;
    if (arm === undefined || state.messages !== arm.at) {
      this.server.write(frame);
      return;
    }
    state.arm = undefined;
    const text = type === 'Q' ? frame.toString('latin1', 5, 85).replace(/\s+/g, ' ') : '';
    state.struck = `${this.#name}: ${type} ${text}`.trim();
    if (arm.fault === 'before') this.cut();
    else if (arm.fault === 'after') {
      this.#done = true;
      this.server.write(frame, () => this.cut());
    } else {
      this.#swallows = true;
      this.server.write(frame);
      setTimeout(() => this.cut(), ANSWER_MS).unref();
    }
  }

  #down(piece: Buffer): void {
    if (this.#done) return;
    if (!this.#swallows) this.client.write(piece);
    else setTimeout(() => this.cut(), REST_MS);
  }
}

/** What a start-up packet says of it. */
function applicationName(packet: Buffer): string {
  const words = packet.toString('latin1', 8).split('\0');
  const at = words.indexOf('application_name');
  return at < 0 ? '?' : (words[at + 1] ?? '?');
}
