import { userInfo } from 'node:os';
import { connectionErrors } from '../core/errors/catalogue/connection.js';
import { machineFiles } from './libpq/files.js';
import { ConninfoError } from './libpq/parse.js';
import { type Connection, connectionOf, describe, RefusedParameter } from './libpq/resolve.js';

/** Where a database is, and how messages may call it (never with its password). */
export interface Address {
  /** A URL or `key=value …`; left out: what the variables say. */
  readonly url?: string;
  /** What url and variables mean; left out: found out when it is needed. */
  readonly connection?: Connection;
  /** `host:port/database as user`, for messages. */
  readonly described: string;
  /** Which option or variable named it. */
  readonly from: string;
  /** No variable is asked: it is a server of our own. */
  readonly bare?: boolean;
}

/**
 * Where `text` (a URL, `key=value …`; undefined: nothing) and the variables lead to, as psql would go there. `from`: what gave
 * it. Throws usage `bad_database_url`, and `connection_parameter` for what does not mean here what it means to psql.
 */
export function addressOf(
  text: string | undefined,
  from: string,
  environment: NodeJS.ProcessEnv = process.env,
): Address {
  try {
    const connection = connectionOf(text, environment, machineFiles, whoami());
    return {
      ...(text === undefined ? {} : { url: text }),
      connection,
      described: describe(connection),
      from,
      ...(Object.keys(environment).length === 0 ? { bare: true } : {}),
    };
  } catch (error) {
    if (error instanceof RefusedParameter)
      throw connectionErrors.connection_parameter({
        from,
        why: error.message,
        instead: error.refused.instead,
      });
    if (!(error instanceof ConninfoError)) throw error;
    throw connectionErrors.bad_database_url({ from, why: error.message });
  }
}

/** The connection that an address means. */
export function connectionAt(address: Address): Connection {
  return (
    address.connection ??
    (addressOf(address.url, address.from, address.bare ? {} : undefined).connection as Connection)
  );
}

function whoami(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? '';
  }
}

/** `url`, but of the database `name` on the same server. */
export function urlOfDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.href;
}
