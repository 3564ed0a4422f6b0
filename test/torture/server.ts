import {
  acquireEmbedded,
  type EmbeddedServer,
  embeddedStatus,
  stopEmbedded,
} from '../../src/db/embedded/index.js';

/** The server that is tortured. */
export interface Victim {
  /** The URL of `database` on it, as the server is now. */
  url(database: string): string;
  /** Kills it without a goodbye (SIGKILL), or has it drop everything at once (SIGQUIT); then starts it again. */
  readonly crash: ((signal: 'SIGKILL' | 'SIGQUIT') => Promise<void>) | undefined;
  end(): Promise<void>;
}

/** A server that is already there and that others use: only sessions of it are killed. */
export function sharedVictim(server: string): Victim {
  return { url: (database) => urlOf(server, database), crash: undefined, end: async () => {} };
}

/** A server of the torture's own in `directory`. */
export async function ownVictim(directory: string): Promise<Victim> {
  const options = {
    directory,
    durable: false,
    settings: { max_connections: '60', autovacuum_naptime: '5s' },
  };
  let server: EmbeddedServer = await acquireEmbedded(options);
  return {
    url: (database) => urlOf(server.url, database),
    async crash(signal) {
      const { pid } = await embeddedStatus(options);
      if (pid !== undefined) process.kill(pid, signal);
      while (pid !== undefined && exists(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
      const before = server;
      server = await acquireEmbedded(options);
      await before.release();
    },
    async end() {
      await server.release();
      await stopEmbedded({ directory, force: true });
    },
  };
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
