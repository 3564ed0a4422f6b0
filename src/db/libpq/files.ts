import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { ConninfoError, type Parameters } from './parse.js';

/** The file system as connecting needs it. */
export interface Files {
  /** The text of a file; undefined where there is none. */
  read(path: string): string | undefined;
  /** Whether others than its owner may read it. */
  isOpen(path: string): boolean;
  isSocket(path: string): boolean;
  readonly home: string;
}

/** The files of this machine. */
export const machineFiles: Files = {
  home: homedir(),
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  isOpen: (path) =>
    process.platform !== 'win32' && ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
  isSocket: (path) => statSync(path, { throwIfNoEntry: false })?.isSocket() === true,
};

/** The section `[name]` of a service file (libpq, "The Connection Service File"); undefined where it has none. */
export function serviceOf(text: string, name: string): Parameters | undefined {
  let found: Parameters | undefined;
  let inside = false;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      inside = found === undefined && line === `[${name}]`;
      if (inside) found = {};
      continue;
    }
    if (!inside || found === undefined) continue;
    const equals = line.indexOf('=');
    if (equals < 1) throw new ConninfoError(`the service file has a line that is no key=value in [${name}]`);
    const key = line.slice(0, equals).trim();
    if (key === 'service') throw new ConninfoError(`service [${name}] names another service`);
    found[key] ??= line.slice(equals + 1).trim();
  }
  return found;
}

/** A password out of a password file, and whether its line is for any host. */
export interface Remembered {
  readonly password: string;
  readonly anyHost: boolean;
}

/** The first line of a password file that fits (libpq, "The Password File"): `host:port:database:user:password`. */
export function passwordOf(
  text: string,
  wanted: { readonly host: string; readonly port: string; readonly dbname: string; readonly user: string },
): Remembered | undefined {
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = [...line.replace(/\r$/, '').matchAll(/((?:[^:\\]|\\.)*)(?::|$)/gsuy)].map(
      ([, field = '']) => field,
    );
    const [host, port, dbname, user, password] = fields;
    if (password === undefined || host === undefined) continue;
    const fits = (pattern: string | undefined, value: string) =>
      pattern === '*' || pattern?.replace(/\\(.)/gsu, '$1') === value;
    if (
      fits(host, wanted.host) &&
      fits(port, wanted.port) &&
      fits(dbname, wanted.dbname) &&
      fits(user, wanted.user)
    )
      return { password: password.replace(/\\(.)/gsu, '$1'), anyHost: host === '*' };
  }
  return undefined;
}
