import { failed } from '../core/errors/author.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { again, type Next } from '../core/next.js';
import { type Address, connectionAt } from './address.js';
import { isSilence } from './client.js';
import { NoPasswordError } from './dial.js';
import { ident } from './quote.js';

/** Whether `error` is the server's refusal to let the user in, which asking again does not change. */
export function isShutOut(error: unknown): error is SluiceError {
  return (
    error instanceof SluiceError && error.code === 'no_connection' && /^28/.test(error.facts.sqlstate ?? '')
  );
}

/** Whether `error` says that nothing comes from there, not even a refusal. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof SluiceError && error.code === 'no_connection' && isSilence(error.cause);

/** The role that `address` logs in as, quoted for a statement. */
function userOf(address: Address): string {
  const { user } = connectionAt(address);
  return /^[a-z_][a-z0-9_]*$/.test(user) ? user : ident(user);
}

/** How many are needed. */
const SESSIONS = 'a run needs three sessions at once, and is faster with more';

/** What Node says of a certificate that it does not believe. */
const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

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
  if (error instanceof NoPasswordError)
    return say(message ?? '', [
      'PGPASSWORD, or a line in ~/.pgpass (host:port:database:user:password), gives it',
      'where a line is there, chmod 600 ~/.pgpass: one that others may read is left out',
    ]);
  if (CERTIFICATE.test(code ?? ''))
    return say(`the certificate of the server is not believed: ${message}`, [
      'name its authority (sslrootcert=FILE), and the host as the certificate has it',
      'sslmode=require takes any certificate: what is sent is encrypted, and nobody knows for whom',
    ]);
  if (/does not support SSL/.test(message ?? ''))
    return say('the server has no TLS, and sslmode asks for it', [
      'turn it on there (ssl = on), or, where the network is trusted, sslmode=prefer',
    ]);
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
      return say(message ?? 'the server has no connection left', [
        ...(/ for role /.test(message ?? '')
          ? [`ALTER ROLE ${userOf(address)} CONNECTION LIMIT 10, as an administrator (${SESSIONS})`]
          : / for database /.test(message ?? '')
            ? [`ALTER DATABASE … CONNECTION LIMIT …, as an administrator (${SESSIONS})`]
            : []),
        again({}, { lead: `when others have ended, or with a larger max_connections (${SESSIONS}):` }),
      ]);
    case '57P03':
      return say('the server is starting or stopping', again({}, { lead: 'in a moment' }));
    default:
      return say(message || String(error), 'check the URL: postgres://user:password@host:port/database');
  }
}
