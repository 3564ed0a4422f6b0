import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import type { Binaries } from './binaries.js';
import { type Place, placeAt } from './place.js';
import { serverEnvironment } from './settings.js';
import type { ServerUser } from './user.js';

/**
 * Not called `sluice`: the ledger's schema is, and "$user" stands first on the search path, so that what this
 * user creates without a schema would land in the ledger.
 */
export const SUPERUSER = 'postgres';

/**
 * Makes a new, empty cluster at `place` with initdb: UTF-8, C.UTF-8 rules, a random password for the
 * superuser and scram-sha-256 for everybody. It is made beside `place` and renamed, so a kill in the middle
 * leaves nothing that could be taken for a cluster; leftovers of such a kill are swept away first. To be
 * called under the lock. Throws `embedded_initdb_failed`.
 */
export async function createCluster(
  place: Place,
  binaries: Binaries,
  user: ServerUser | undefined,
  durable: boolean,
): Promise<void> {
  const prefix = `${basename(place.root)}.new-`;
  for (const name of readdirSync(dirname(place.root))) {
    if (name.startsWith(prefix))
      rmSync(join(dirname(place.root), name), {
        recursive: true,
        force: true,
        // A killed initdb's children may still be writing into it for a moment.
        maxRetries: 20,
        retryDelay: 50,
      });
  }
  const unfinished = placeAt(join(dirname(place.root), `${prefix}${randomBytes(4).toString('hex')}`));
  try {
    mkdirSync(unfinished.root);
    // Another account has to walk through, but need not look around.
    chmodSync(unfinished.root, user === undefined ? 0o700 : 0o711);
    mkdirSync(unfinished.data, { mode: 0o700 });
    const password = randomBytes(24).toString('base64url');
    const forInitdb = join(unfinished.root, 'password.initdb');
    writeFileSync(forInitdb, password, { mode: 0o600 });
    if (user !== undefined) {
      for (const path of [unfinished.data, forInitdb]) chownSync(path, user.uid, user.gid);
    }
    await initdb(binaries, user, [
      `--pgdata=${unfinished.data}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${forInitdb}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      // From 17 on PostgreSQL brings Unicode's rules for upper and lower case itself.
      ...(binaries.major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
      ...(durable ? [] : ['--no-sync']),
    ]);
    rmSync(forInitdb);
    writeFileSync(unfinished.log, '', { mode: 0o600 });
    const file = openSync(unfinished.password, 'wx', 0o600);
    writeFileSync(file, password);
    fsyncSync(file);
    closeSync(file);
    renameSync(unfinished.root, place.root);
  } catch (error) {
    rmSync(unfinished.root, { recursive: true, force: true });
    throw error;
  }
}

async function initdb(binaries: Binaries, user: ServerUser | undefined, words: string[]): Promise<void> {
  const output: string[] = [];
  const status = await new Promise<number | string | null>((resolve, reject) => {
    const child = spawn(join(binaries.directory, 'initdb'), words, {
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  if (status === 0) return;
  const lines = output.join('').trim().split('\n').slice(-10);
  const unknownUser = lines.some((line) => line.includes('could not look up effective user ID'));
  throw unknownUser
    ? embeddedErrors.embedded_initdb_failed.unknownUser(
        { status, uid: process.getuid?.() },
        { details: lines },
      )
    : embeddedErrors.embedded_initdb_failed.other({ status }, { details: lines });
}
