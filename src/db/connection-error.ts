import { connectionErrors } from '../core/errors/catalogue/connection.js';
import { isError } from '../core/errors/is-error.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { type Address, connectionAt } from './address.js';
import { isSilence } from './client.js';
import { NoPasswordError } from './dial.js';
import { ident } from './quote.js';
import { isConnectionLoss, sqlstateOf } from './server-error.js';

/** Whether `error` is the server's refusal to let the user in, which asking again does not change. */
export function isShutOut(error: unknown): error is SluiceError {
  return isError(error, 'no_connection') && /^28/.test(error.facts.sqlstate ?? '');
}

/** What errors are called that say so. */
const OUT_OF_REACH: ReadonlySet<string> = new Set(['no_connection', 'connection_lost']);

/** Whether `error` says that the database cannot be reached, or no more: nothing else can be told by asking it. */
export function isOutOfReach(error: unknown): boolean {
  return error instanceof SluiceError ? OUT_OF_REACH.has(error.code) : isConnectionLoss(error);
}

/** Whether `error` says that nothing comes from there, not even a refusal. */
export const isUnanswered = (error: unknown): boolean =>
  isError(error, 'no_connection') && isSilence(error.cause);

/** The role that `address` logs in as, quoted for a statement. */
function userOf(address: Address): string {
  const { user } = connectionAt(address);
  return /^[a-z_][a-z0-9_]*$/.test(user) ? user : ident(user);
}

/** What Node says of a certificate that it does not believe. */
const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

/** What went wrong on the way to the database, with what to do about it. */
export function connectionError(error: unknown, address: Address): SluiceError {
  if (error instanceof SluiceError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const place = { described: address.described, from: address.from };
  const sqlstate = sqlstateOf(error);
  const known = { cause: error, sqlstate };
  const { no_connection } = connectionErrors;
  if (error instanceof NoPasswordError)
    return no_connection.noPassword({ ...place, why: message ?? '' }, known);
  if (CERTIFICATE.test(code ?? '')) return no_connection.certificate({ ...place, why: message }, known);
  if (/does not support SSL/.test(message ?? '')) return no_connection.noTls(place, known);
  switch (sqlstate ?? code) {
    case 'ECONNREFUSED':
      return no_connection.nothingListens(place, known);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return no_connection.unknownHost(place, known);
    case 'ETIMEDOUT':
      return no_connection.noAnswer(place, known);
    case '28P01':
      return no_connection.wrongPassword({ ...place, role: userOf(address) }, known);
    case '28000':
      return no_connection.notAllowed(
        { ...place, role: userOf(address), why: message ?? 'not allowed' },
        known,
      );
    case '3D000':
      return no_connection.noSuchDatabase(place, known);
    case '53300':
      return no_connection.noneLeft(
        {
          ...place,
          why: message ?? 'the server has no connection left',
          limitOf: limitOf(message ?? ''),
          role: userOf(address),
        },
        known,
      );
    case '57P03':
      return no_connection.starting(place, known);
    default: {
      const why = message || String(error);
      return isConnectionLoss(error)
        ? no_connection.cutOff({ ...place, why }, known)
        : no_connection.other({ ...place, why }, known);
    }
  }
}

/** Whose limit of connections the server speaks of; undefined: its own. */
function limitOf(said: string): 'role' | 'database' | undefined {
  if (/ for role /.test(said)) return 'role';
  return / for database /.test(said) ? 'database' : undefined;
}
