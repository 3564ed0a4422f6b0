import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';

/** An account that the server runs as, when that is not the account of this process. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Whether this process is root, as which PostgreSQL refuses to run. */
export const isRoot = () => process.getuid?.() === 0;

/**
 * The account to run the server as: undefined (our own) unless this process is root. As root: the owner of
 * `existing`, the data directory, when there is one; else `postgres`; else `nobody`. initdb looks its own
 * account up, so it has to stand in /etc/passwd. Throws `embedded_no_user` when there is none.
 */
export function serverUser(existing?: string, passwd = readPasswd()): ServerUser | undefined {
  if (!isRoot()) return undefined;
  const accounts = parsePasswd(passwd);
  const owner = existing === undefined ? undefined : statSync(existing, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) {
    const { uid, gid } = owner;
    return { name: accounts.find((account) => account.uid === uid)?.name ?? String(uid), uid, gid };
  }
  for (const name of ['postgres', 'nobody']) {
    const found = accounts.find((account) => account.name === name && account.uid !== 0);
    if (found !== undefined) return found;
  }
  throw embeddedErrors.embedded_no_user();
}

/** The accounts of a passwd(5) file. */
export function parsePasswd(text: string): ServerUser[] {
  const accounts: ServerUser[] = [];
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && uid && gid) accounts.push({ name, uid: Number(uid), gid: Number(gid) });
  }
  return accounts;
}

/**
 * Whether `user` may walk to `path`: every directory above it gives search permission (and `path` itself,
 * where it is a directory). Permission bits only: an ACL may say otherwise.
 */
export function canReach(path: string, user: ServerUser): boolean {
  let at = resolve(path);
  for (;;) {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      const shift = stat.uid === user.uid ? 6 : stat.gid === user.gid ? 3 : 0;
      if (((stat.mode >> shift) & 1) === 0) return false;
    }
    const above = dirname(at);
    if (above === at) return true;
    at = above;
  }
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}
