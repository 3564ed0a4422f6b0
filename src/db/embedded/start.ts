import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Binaries } from './binaries.js';
import type { Place } from './place.js';
import { lastLines, type Postmaster, removeMisleadingPidFile, runningPostmaster } from './postmaster.js';
import { serverEnvironment, serverSettings } from './settings.js';
import type { ServerUser } from './user.js';

/** Recovery after a crash reads up to max_wal_size of log before the server is ready. */
const READY_MS = 300_000;
/** How long the processes of a killed server, or a port taken by another, may stand in the way. */
const OBSTACLE_MS = 15_000;
const LOG_BYTES = 10 * 1024 * 1024;

export interface StartOptions {
  readonly user?: ServerUser | undefined;
  readonly durable: boolean;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/**
 * Starts a server on `place` and waits until it takes connections. It runs in a session of its own, so it
 * outlives this process and Ctrl-C at the terminal. To be called under the lock.
 *
 * Throws `embedded_start_failed` with the last lines that the server wrote.
 */
export async function start(place: Place, binaries: Binaries, options: StartOptions): Promise<Postmaster> {
  turnLog(place.log);
  const deadline = Date.now() + OBSTACLE_MS;
  for (;;) {
    // Whoever began to start or stop it was killed: a server that is coming up is as good as ours.
    const other = await settled(place.data);
    if (other !== undefined) return other;
    const outcome = await attempt(place, binaries, options);
    if (!('said' in outcome)) return outcome;
    const passing =
      /could not bind|could not create any TCP\/IP sockets|pre-existing shared memory|lock file "postmaster.pid" already exists/;
    if (!passing.test(outcome.said.join('\n')) || Date.now() > deadline) throw startFailed(place, outcome);
    await sleep(100);
  }
}

/** Waits while a server is coming up or going down; the server when it is up, undefined when none is. */
async function settled(data: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + READY_MS;
  let running = runningPostmaster(data);
  while (running !== undefined && !running.ready && Date.now() < deadline) {
    await sleep(20);
    running = runningPostmaster(data);
  }
  return running?.ready ? running : undefined;
}

interface Failure {
  readonly ended: string;
  readonly said: string[];
}

async function attempt(
  place: Place,
  binaries: Binaries,
  options: StartOptions,
): Promise<Postmaster | Failure> {
  removeMisleadingPidFile(place.data);
  const settings = serverSettings(await freePort(), options.durable, options.settings);
  const log = openSync(place.log, 'a', 0o600);
  const logged = statSync(place.log).size;
  const { user } = options;
  let ended: string | undefined;
  let pid: number | undefined;
  try {
    const child = spawn(
      join(binaries.directory, 'postgres'),
      ['-D', place.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        cwd: '/',
        env: serverEnvironment(),
        detached: true,
        stdio: ['ignore', log, log],
        ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
      },
    );
    child.once('exit', (code, signal) => {
      ended = `it ended with ${signal ?? `status ${code}`}`;
    });
    child.once('error', (error) => {
      ended = error.message;
    });
    child.unref();
    pid = child.pid;
  } finally {
    closeSync(log);
  }
  const deadline = Date.now() + READY_MS;
  while (ended === undefined && Date.now() < deadline) {
    await sleep(10);
    const running = runningPostmaster(place.data);
    if (running?.ready && running.pid === pid) return running;
  }
  return {
    ended: ended ?? `it was not ready after ${READY_MS / 1000} s`,
    said: lastLines(place.log, logged),
  };
}

function startFailed(place: Place, { ended, said }: Failure): SluiceError {
  return embeddedErrors.embedded_start_failed(
    {
      why: ended,
      data: place.data,
      noRoom: said.some((line) => /No space left|could not write|could not extend/.test(line)),
    },
    { details: [...said, `log: ${place.log}`] },
  );
}

/** A port that is free on the loopback address; somebody may take it before the server does. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}

/** Keeps the log from growing for ever: the one before is kept beside it. */
function turnLog(log: string): void {
  const stat = statSync(log, { throwIfNoEntry: false });
  if (stat !== undefined && stat.size > LOG_BYTES) renameSync(log, `${log}.1`);
}
