import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { parseConninfo } from '../../db/libpq/parse.js';
import { warn } from '../show/terminal.js';

/**
 * What a file `.env` may set: what names a database, or is a setting of ours. The file may have come out of an archive,
 * and another variable (LD_PRELOAD, NODE_OPTIONS) would reach the programs that are started.
 */
const OURS = /^(?:SLUICE_[A-Z0-9_]+|DATABASE_URL|PG[A-Z]+)$/;

/** No file of variables is larger. */
const MOST_BYTES = 1 << 20;

/** Names that were set from the file, by the command under way. */
const taken = new Set<string>();

/** Sets in `environment` what the file `path` says and what is not set yet; does nothing where there is no such file. */
export function loadDotEnv(path = '.env', environment: NodeJS.ProcessEnv = process.env): void {
  taken.clear();
  const text = textOf(path);
  if (text === undefined) return;
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (!OURS.test(name) || environment[name] !== undefined) continue;
    environment[name] = value;
    taken.add(name);
  }
}

/** Whether the variable `name` has its value from the file. */
export function isFromDotEnv(name: string): boolean {
  return taken.has(name);
}

function textOf(path: string): string | undefined {
  try {
    const stat = statSync(path);
    if (stat.isFile() && stat.size <= MOST_BYTES) return readFileSync(path, 'utf8');
    warn(`warning: ${path} is left out: it is no file of variables`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') warn(`warning: ${path} cannot be read: ${message}`);
  }
  return undefined;
}

/** Where a connection leads to, and how well it is protected. */
const PLACE = /^PG(?:HOST|HOSTADDR|PORT|SSL[A-Z]*|REQUIRESSL|SERVICE|SERVICEFILE)$/;

/** A password of a file of the user's own that is not meant for that place alone. */
function elsewhere(origin: string | undefined, place: string): string | undefined {
  if (origin === 'passfile *') return 'a line of the password file that is for any host';
  return origin === 'service' && !place.startsWith('PGSERVICE') ? 'the service file' : undefined;
}

/**
 * Throws usage `password_elsewhere` where a password that does not stand in the file would be sent to where the file says:
 * whoever made the file would read it. `url` and the variable or flag `from` that gave it, where one did; `passwordFrom`:
 * where a password was found that stands in neither (`origins` of a Connection).
 */
export function assertPasswordStays(
  url: string | undefined,
  from: string,
  environment: NodeJS.ProcessEnv = process.env,
  isFromFile: (name: string) => boolean = isFromDotEnv,
  passwordFrom?: string,
): void {
  const parsed = url === undefined ? undefined : parseConninfo(url);
  const hasHost = parsed?.host !== undefined || parsed?.hostaddr !== undefined;
  const place =
    parsed !== undefined && isFromFile(from)
      ? from
      : Object.keys(environment).find(
          (name) =>
            PLACE.test(name) && isFromFile(name) && !(hasHost && /^PG(HOST|HOSTADDR|PORT)$/.test(name)),
        );
  if (place === undefined) return;
  const password =
    (parsed?.password ?? '') !== ''
      ? from
      : (environment.PGPASSWORD ?? '') !== ''
        ? 'PGPASSWORD'
        : elsewhere(passwordFrom, place);
  if (password === undefined || isFromFile(password)) return;
  throw commandErrors.password_elsewhere({ place, password });
}
