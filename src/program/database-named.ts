import { type Address, addressOf } from '../db/address.js';
import { EMBEDDED_SCHEME } from '../db/embedded/names.js';
import type { Embedded } from './database.js';

/** The variables by which libpq and pg find a database; one of them is enough to mean a server of one's own. */
const PG_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGHOSTADDR', 'PGSERVICE'] as const;

/** Told of an address before it is believed; throws where it may not be used. */
export type Judge = (address: Address, url: string | undefined, from: string) => void;

/**
 * The database that `url`, called `from`, names; else SLUICE_DATABASE_URL, DATABASE_URL or the PG* of `environment`;
 * else the embedded server's. Throws usage errors for what names none, and what `judge` throws.
 */
export function databaseNamed(
  url: string | undefined,
  from: string,
  environment: NodeJS.ProcessEnv,
  judge: Judge = () => {},
  describe: (names: readonly string[]) => string = (names) => names.join(', '),
): Address | Embedded {
  const named = [
    [from, url],
    ['SLUICE_DATABASE_URL', environment.SLUICE_DATABASE_URL],
    ['DATABASE_URL', environment.DATABASE_URL],
  ] as const;
  for (const [name, text] of named) {
    if (text === undefined || text === '') continue;
    if (text.startsWith(EMBEDDED_SCHEME) && text.length > EMBEDDED_SCHEME.length)
      return { embedded: text.slice(EMBEDDED_SCHEME.length) };
    const address = addressOf(text, name, environment);
    judge(address, text, name);
    return { ...address, from: describe([name]) };
  }
  const set = PG_VARIABLES.filter((name) => (environment[name] ?? '') !== '');
  if (set.length === 0) return { embedded: undefined };
  const address = addressOf(undefined, describe(set), environment);
  judge(address, undefined, '');
  return address;
}
