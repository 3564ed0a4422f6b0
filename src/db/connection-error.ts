import { failed, SluiceError } from '../core/errors.js';
import { again, type Next } from '../core/next.js';
import type { Address } from './address.js';
import { ident } from './quote.js';

/** Whether `error` is the server's refusal to let the user in, which asking again does not change. */
export function isShutOut(error: unknown): error is SluiceError {
  return (
    error instanceof SluiceError && error.code === 'no_connection' && /^28/.test(error.facts.sqlstate ?? '')
  );
}

/** The role that `address` logs in as, quoted for a statement; an ellipsis where only the driver knows. */
function userOf({ url }: Address): string {
  const name = url === undefined ? (process.env.PGUSER ?? '') : decodeURIComponent(new URL(url).username);
  if (name === '') return '…';
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : ident(name);
}

/** What went wrong on the way to the database, with what to do about it. */
export function connectionError(error: unknown, address: Address): SluiceError {
  if (error instanceof SluiceError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const at = `${address.described} (from ${address.from})`;
  const state = 'nothing was read or written';
  const say = (why: string, next: Next) =>
    failed('no_connection', `cannot connect to ${at}: ${why}`, {
      state,
      next,
      cause: error,
      ...(typeof code === 'string' && code.length === 5 ? { sqlstate: code } : {}),
    });
  switch (code) {
    case 'ECONNREFUSED':
      return say('nothing listens there', [
        'check the host and port, and that the server runs',
        address.from === '--database-url'
          ? 'without --database-url and the variables (DATABASE_URL, PG…) the embedded server is used'
          : `without ${address.from} the embedded server is used`,
      ]);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return say('the host name is not known', 'check the host in the URL');
    case 'ETIMEDOUT':
      return say('no answer in time', 'check the host, the port and the firewall between');
    case '28P01':
      return say('the password is wrong for that user, or has expired', [
        'check user and password in the URL, or PGPASSWORD',
        `if it has expired: ALTER ROLE ${userOf(address)} VALID UNTIL '…', as an administrator`,
      ]);
    case '28000':
      return say(message ?? 'not allowed', [
        `where the role may not log in: ALTER ROLE ${userOf(address)} LOGIN, as an administrator`,
        'or ask for a pg_hba.conf entry, or try sslmode=require',
      ]);
    case '3D000':
      return say('that database does not exist', 'check the name after the last / of the URL, or create it');
    case '53300':
      return say(
        'the server has no connection left',
        again({}, { lead: 'later, or with a larger max_connections' }),
      );
    case '57P03':
      return say('the server is starting or stopping', again({}, { lead: 'in a moment' }));
    default:
      return say(message || String(error), 'check the URL: postgres://user:password@host:port/database');
  }
}
