import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import {
  acquireEmbedded,
  type EmbeddedOptions,
  type EmbeddedServer,
  stopEmbedded,
} from '../../src/db/embedded/index.js';

/** An empty directory for `t` that every account can reach; its server, if any, is stopped with it. */
export function embeddedDirectory(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'sluice-embedded-'));
  chmodSync(parent, 0o755);
  const directory = join(parent, '.sluice');
  t.after(async () => {
    await stopEmbedded({ directory, force: true });
    rmSync(parent, { recursive: true, force: true });
  });
  return directory;
}

/** The embedded server, released after `t` whatever becomes of it: the next test shall not meet it running. */
export async function acquireFor(t: TestContext, options: EmbeddedOptions): Promise<EmbeddedServer> {
  const server = await acquireEmbedded(options);
  t.after(() => server.release());
  return server;
}

/** A command in a process of its own that holds the embedded server until `end` (or until it is killed). */
export interface Holder {
  readonly pid: number;
  readonly url: string;
  readonly startedHere: boolean;
  /** Lets it release and end; resolves with its exit code. */
  end(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Starts a holder of the server in `directory` and waits until it has got it; it is ended after `t`. */
export async function holdElsewhere(t: TestContext, directory: string): Promise<Holder> {
  const child = runElsewhere(directory);
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const line = await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data').then(([text]) => text as string),
    exited.then(([code]): never => {
      throw new Error(`the holder ended with ${code} before it got the server`);
    }),
  ]);
  return {
    pid: child.pid as number,
    ...(JSON.parse(line) as { url: string; startedHere: boolean }),
    async end() {
      child.stdin?.end();
      return (await exited)[0] as number | null;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The same without waiting. */
export function runElsewhere(directory: string): ChildProcess {
  const script = fileURLToPath(new URL('./embedded-command.js', import.meta.url));
  const child = spawn(process.execPath, [script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8');
  return child;
}

/** The first column of the first row that `sql` gives. */
export async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const result = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return result.rows[0]?.[0];
  } finally {
    await client.end();
  }
}
