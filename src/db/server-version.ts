import type pg from 'pg';
import { connectionErrors } from '../core/errors/catalogue/connection.js';
import type { SluiceError } from '../core/errors/sluice-error.js';
import type { Address } from './address.js';
import { cutOff, TIMING, within } from './network.js';
import { sqlstateOf } from './server-error.js';

/** The oldest and the newest major version of PostgreSQL that the tests are run on. */
export const OLDEST = 15;
const NEWEST = 18;

/** What a server says of itself while it lets a session in, by name: its ParameterStatus messages. */
export type Said = (name: string) => string | undefined;

/** What the server of a session says of itself; call it before the session connects. */
export function told(client: pg.Client): Said {
  const values = new Map<string, string>();
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    values.set(status.parameterName, status.parameterValue);
  });
  return (name) => values.get(name);
}

/**
 * Systems that speak PostgreSQL's protocol and have another catalog, and other transactions, behind it: what each of them
 * says of itself that PostgreSQL does not, and what it then calls its version.
 */
const OTHERS: readonly { readonly name: string; readonly version: (said: Said) => string | undefined }[] = [
  { name: 'CockroachDB', version: (said) => said('crdb_version') },
  { name: 'Amazon Redshift', version: (said) => said('padb_version') },
  { name: 'Materialize', version: (said) => said('mz_version') },
  { name: 'YugabyteDB', version: (said) => /-YB-\S*/.exec(said('server_version') ?? '')?.[0].slice(1) },
];

/** The major version out of a server's own words (`server_version`: 15.20 (Debian …), 19beta1); NaN where there is none. */
function majorOf(said: Said): number {
  return Number.parseInt(said('server_version') ?? '', 10);
}

/**
 * Refused `other_server` where it is not PostgreSQL, `old_server` where it is older than what publishing was tried on;
 * undefined where neither is so. Nothing was asked of the server. `at`: how messages name it.
 */
export function serverFault(said: Said, at: string): SluiceError | undefined {
  for (const { name, version } of OTHERS) {
    const told = version(said);
    if (told === undefined) continue;
    return connectionErrors.other_server({ at, name, version: told, oldest: OLDEST });
  }
  const major = majorOf(said);
  if (!(major < OLDEST)) return undefined;
  return connectionErrors.old_server({
    at,
    version: said('server_version') ?? '',
    oldest: OLDEST,
    newest: NEWEST,
  });
}

/** Throws `serverFault`. */
export function assertSupported(said: Said, { described }: Address): void {
  const fault = serverFault(said, described);
  if (fault !== undefined) throw fault;
}

/** The server does not know a setting (or, of another system, an option) that the session begins with. */
const UNKNOWN = new Set(['42704', '22023', '0A000']);

/**
 * `error`, with which a session was refused; where that may be since the server is too old for its settings, or another
 * system, what a session of `plainly`, without any, says of that. Does not throw.
 */
export async function unknownSetting(
  error: unknown,
  address: Address,
  plainly: () => pg.Client,
): Promise<unknown> {
  if (!UNKNOWN.has(sqlstateOf(error) ?? '')) return error;
  const client = plainly();
  const said = told(client);
  try {
    await within(client.connect(), TIMING.connectMs);
    return serverFault(said, address.described) ?? error;
  } catch {
    return error;
  } finally {
    cutOff(client);
  }
}

/** A sentence on a server that is newer than any that was tested; undefined for the others. */
export function newerThanTested(said: Said): string | undefined {
  const major = majorOf(said);
  return major > NEWEST
    ? `the server is PostgreSQL ${said('server_version')}, and Sluice is tested up to ${NEWEST}: what a newer one has beside a table and is not known here is refused by name, or not seen`
    : undefined;
}
