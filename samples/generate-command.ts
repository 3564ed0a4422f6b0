import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

/** Writes pieces of text one after the other, no faster than `to` takes them. */
export async function writePieces(pieces: Iterable<string>, to: Writable): Promise<void> {
  for (const piece of pieces) if (!to.write(piece)) await once(to, 'drain');
}

/**
 * Runs `main` where the module at `url` (its import.meta.url) was started as a command, and not where it is imported.
 * What `main` throws is said in a line, and the exit code is 1.
 */
export async function runAsCommand(url: string, main: () => Promise<void>): Promise<void> {
  if (process.argv[1] === undefined || url !== pathToFileURL(process.argv[1]).href) return;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `generate | head` is no failure.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  await main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
