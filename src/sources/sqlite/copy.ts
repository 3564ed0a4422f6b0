import { constants, copyFile, open, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { statInput } from '../bytes/local.js';
import { head, notDatabase } from './header.js';

/**
 * A file's state as far as it decides whether a copy is of one moment. WAL: what a restart of the log changes;
 * journal: what tells one transaction's journal from the next one's.
 */
interface State {
  /** Inode, size, time of the last write in nanoseconds, and the database's own change counter. */
  readonly file: string;
  readonly wal: string | undefined;
  readonly journal: string | undefined;
  /** Of the file's last write, in milliseconds since 1970. */
  readonly written: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Milliseconds to go on trying while the file is being written to. Default: 15 seconds. */
  readonly patience?: number;
}

const PATIENCE_MS = 15_000;
/** File systems stamp writes with a coarse clock: two writes nearer than this may bear the same time. */
const CLOCK_MS = 20;

/**
 * Copies the SQLite database at `path` to `to`, with its `-wal` or `-journal` where it has one, all of one moment: what was
 * committed last, uncheckpointed pages of a WAL included, and nothing that was not committed. The original is only
 * ever read: no lock is taken, no file made beside it.
 *
 * Node has no way to take the locks that other SQLite libraries heed, so the copy is verified instead. In WAL mode
 * the log only grows until it is started anew, under another salt; whatever a checkpoint writes into the file
 * meanwhile stands in the log that is copied after it. Without WAL the file must not have been written to, or only
 * by the one transaction whose journal, copied after it, takes that back. See the file format:
 * https://www.sqlite.org/fileformat2.html#the_write_ahead_log and #the_rollback_journal
 *
 * Throws what `statInput` and `notDatabase` throw; failed `source_busy` where writers leave no moment for a copy,
 * `no_permission`, `scratch_failed`.
 */
export async function copyConsistently(path: string, to: string, options: CopyOptions): Promise<void> {
  const { signal, patience = PATIENCE_MS } = options;
  const facts = await statInput(path);
  if (!facts.isFile()) throw sqliteErrors.not_sqlite.notPlain({ path });
  const until = performance.now() + patience;
  for (let wait = 25; ; wait = Math.min(2 * wait, 1_000)) {
    signal.throwIfAborted();
    const before = await settledState(path, until);
    await copyOne(path, to, path);
    for (const suffix of ['-wal', '-journal']) await rm(`${to}${suffix}`, { force: true });
    if (before.wal !== undefined) await copyOne(`${path}-wal`, `${to}-wal`, path);
    if (before.journal !== undefined) await copyOne(`${path}-journal`, `${to}-journal`, path);
    if (isOneMoment(before, await stateOf(path))) return;
    if (performance.now() > until) throw busy(path);
    await sleep(wait, undefined, { signal }).catch(() => {});
  }
}

function isOneMoment(before: State, after: State): boolean {
  if (before.wal !== after.wal || before.journal !== after.journal) return false;
  return before.wal !== undefined || before.journal !== undefined || before.file === after.file;
}

/**
 * The state, once the last write is old enough for a further one to bear another time; of a log or journal, which
 * tell by themselves, at once. Throws `source_busy` where it is not so by `until`.
 */
async function settledState(path: string, until: number): Promise<State> {
  for (;;) {
    const state = await stateOf(path);
    const age = Date.now() - state.written;
    // A time in the future comes of another machine's clock: waiting for it would not end.
    if (age > CLOCK_MS || age < 0 || state.wal !== undefined || state.journal !== undefined) return state;
    if (performance.now() > until) throw busy(path);
    await sleep(CLOCK_MS);
  }
}

async function stateOf(path: string): Promise<State> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(error, path);
  });
  try {
    const first = await head(file);
    const wrong = notDatabase(path, first);
    if (wrong !== undefined) throw wrong;
    const { ino, size, mtimeNs, mtimeMs } = await file.stat({ bigint: true });
    return {
      file: [ino, size, mtimeNs, first.toString('hex')].join(' '),
      wal: await identity(`${path}-wal`, WAL),
      journal: await identity(`${path}-journal`, JOURNAL),
      written: Number(mtimeMs),
    };
  } finally {
    await file.close();
  }
}

/** What tells one log or journal from the next: where its magic number is, and the bytes that are its own. */
interface Format {
  readonly isMagic: (first: Buffer) => boolean;
  readonly from: number;
  readonly to: number;
}

/** Salts of the log, at 16: https://www.sqlite.org/fileformat2.html#the_wal_header */
const WAL: Format = {
  isMagic: (first) => first.length >= 32 && (first.readUInt32BE(0) & ~1) === 0x377f0682,
  from: 16,
  to: 24,
};
/** The nonce of the journal, at 12; its magic number is wiped when the transaction ends. */
const JOURNAL: Format = {
  isMagic: (first) => first.length >= 28 && first.readUInt32BE(0) === 0xd9d505f9,
  from: 12,
  to: 16,
};

async function identity(path: string, { isMagic, from, to }: Format): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(error, path);
  });
  if (file === undefined) return undefined;
  try {
    const first = await head(file, 32);
    const { ino } = await file.stat({ bigint: true });
    return isMagic(first) ? `${ino} ${first.subarray(from, to).toString('hex')}` : undefined;
  } finally {
    await file.close();
  }
}

async function copyOne(from: string, to: string, input: string): Promise<void> {
  try {
    // A file that was a log before would refuse to be written over where it is kept read only.
    await rm(to, { force: true });
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    const made = await open(to, 'r');
    await made.chmod(0o600);
    await made.close();
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    // Gone between the look and the copy: the state after it tells, and it is tried again.
    if (code === 'ENOENT' && from !== input) return;
    if (code === 'EACCES' || code === 'EPERM') throw unreadable(error, from);
    const needed = await stat(from).then(
      ({ size }) => size,
      () => undefined,
    );
    throw fileErrors.scratch_failed.copy(
      {
        input,
        to,
        why:
          code === 'ENOSPC'
            ? `no space left, and ${needed ?? '?'} bytes are needed`
            : `${syscall ?? 'copy'}: ${message}`,
      },
      { cause: error },
    );
  }
}

function busy(path: string): SluiceError {
  return sqliteErrors.source_busy.written({ path });
}

function unreadable(error: unknown, path: string): SluiceError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM')
    return fileErrors.no_permission.sqlite({ path }, { cause: error });
  if (code === 'EBUSY') return sqliteErrors.source_busy.locked({ path }, { cause: error });
  return fileErrors.cannot_open({ path, why: message }, { cause: error });
}
