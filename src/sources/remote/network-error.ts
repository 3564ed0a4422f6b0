import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { Changed, NoSuchRange, Passing } from './answer.js';
import { ProxyRefusal } from './proxy.js';

/** Certificates that nobody vouches for whom this machine knows: codes of OpenSSL's verification. */
const UNKNOWN = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'INVALID_CA',
  'INVALID_PURPOSE',
]);

/**
 * What a failure of the network means: Passing, where another attempt may do better, else a SluiceError. `met`: the
 * server was there before, so that nothing about its name is wrong.
 */
export function networkError(error: unknown, input: string, host: string, met: boolean): Error {
  if (error instanceof Passing || error instanceof Changed || error instanceof NoSuchRange) return error;
  if (error instanceof SluiceError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const of = { input, host };
  if (error instanceof ProxyRefusal && error.statusCode < 500) {
    const { statusCode, status } = error;
    return statusCode === 407
      ? remoteErrors.url_denied.proxy({ input, status })
      : remoteErrors.url_refused({ input, status: `${status} (the proxy)` });
  }
  const known = { cause: error };
  if (UNKNOWN.has(code)) return remoteErrors.untrusted_server.unknown({ ...of, why: message }, known);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return remoteErrors.untrusted_server.otherName({ ...of, why: message }, known);
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return remoteErrors.untrusted_server.outdated({ ...of, why: message }, known);
  if (!met) {
    if (/wrong version number|packet length too long|http request/i.test(message))
      return remoteErrors.untrusted_server.noTls(of, known);
    if (code.startsWith('HPE_')) return remoteErrors.untrusted_server.noHttp(of, known);
    if (code === 'ENOTFOUND') return remoteErrors.input_out_of_reach.noHost(of, known);
    if (refused(error)) return remoteErrors.input_out_of_reach.refused(of, known);
  }
  return new Passing(
    code === '' || message.includes(code) ? message : `${message} (${code})`,
    undefined,
    known,
  );
}

/** Of a host with several addresses each has its own error. */
function refused(error: unknown): boolean {
  const { code, errors = [] } = error as { code?: string; errors?: readonly unknown[] };
  return code === 'ECONNREFUSED' && errors.every((each) => refused(each));
}
