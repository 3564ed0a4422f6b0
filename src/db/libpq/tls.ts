import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { Files } from './files.js';
import { ConninfoError, type Parameters } from './parse.js';

/** How a server is connected to, one way after the other. */
export interface Tls {
  /** `tls`: encrypted; `plain`: not. The first that works is used. */
  readonly ways: readonly ('tls' | 'plain')[];
  /** What the handshake is given, for a server that is called `host`. */
  options(host: string): ConnectionOptions;
  readonly direct: boolean;
}

/** Where Linux distributions and others keep the authorities that the system trusts. */
const SYSTEM_ROOTS = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/**
 * What `sslmode` and its companions mean to libpq ("SSL Support"): `prefer`, the default, tries without TLS where that fails;
 * below verify-ca the certificate is looked at only where there is a root certificate (`~/.postgresql/root.crt`, or the one
 * that is named); verify-full looks at the name, too. Throws ConninfoError for files that are missing or open to others.
 */
export function tlsOf(parameters: Parameters, files: Files, systemRoots = process.env.SSL_CERT_FILE): Tls {
  const mode = modeOf(parameters);
  const direct = parameters.sslnegotiation === 'direct';
  if (direct && !['require', 'verify-ca', 'verify-full'].includes(mode))
    throw new ConninfoError('sslnegotiation=direct needs sslmode=require, verify-ca or verify-full');
  const ways = { disable: ['plain'], allow: ['plain', 'tls'], prefer: ['tls', 'plain'] } as const;
  const either = ways[mode as keyof typeof ways] ?? (['tls'] as const);
  if (mode === 'disable') return { ways: either, direct, options: () => ({}) };
  const own = (name: string) => join(files.home, '.postgresql', name);
  const roots = rootsOf(parameters, mode, files, own('root.crt'), systemRoots);
  const fixed: ConnectionOptions = {
    ...(roots === undefined ? {} : { ca: roots }),
    ...(parameters.sslcertmode === 'disable' ? {} : clientOf(parameters, files, own)),
    ...(parameters.sslcrl === undefined ? {} : { crl: needed(files, parameters.sslcrl, 'sslcrl') }),
    ...(parameters.ssl_min_protocol_version === undefined
      ? {}
      : { minVersion: parameters.ssl_min_protocol_version as 'TLSv1.2' }),
    ...(parameters.ssl_max_protocol_version === undefined
      ? {}
      : { maxVersion: parameters.ssl_max_protocol_version as 'TLSv1.2' }),
    rejectUnauthorized: roots !== undefined,
  };
  return {
    ways: either,
    direct,
    options: (host) => ({
      ...fixed,
      // The name that is checked, also where the address is told apart from it.
      host,
      ...(/^[0-9.]+$|:/.test(host) ? {} : { servername: host }),
      ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    }),
  };
}

function modeOf({ sslmode, requiressl, sslrootcert }: Parameters): string {
  const mode =
    sslmode ?? (requiressl === '1' ? 'require' : sslrootcert === 'system' ? 'verify-full' : 'prefer');
  if (sslrootcert === 'system' && mode !== 'verify-full')
    throw new ConninfoError(
      'sslrootcert=system needs sslmode=verify-full: anybody can have a certificate that the system trusts',
    );
  return mode;
}

/** The authorities that are believed; undefined where the certificate is not looked at. */
function rootsOf(
  { sslrootcert }: Parameters,
  mode: string,
  files: Files,
  usual: string,
  systemRoots: string | undefined,
): string | undefined {
  if (sslrootcert === 'system') {
    const places = [...(systemRoots === undefined ? [] : [systemRoots]), ...SYSTEM_ROOTS];
    for (const path of places) {
      const found = files.read(path);
      if (found !== undefined) return found;
    }
    throw new ConninfoError(
      `sslrootcert=system: this system keeps its certificates in none of ${places.join(', ')}`,
    );
  }
  const path = sslrootcert ?? usual;
  const roots = files.read(path);
  if (roots === undefined && mode.startsWith('verify'))
    throw new ConninfoError(
      `sslmode=${mode} needs the certificate of the authority: ${path} is not there (sslrootcert names another)`,
    );
  return roots;
}

/** The certificate that says who we are, where there is one. */
function clientOf(parameters: Parameters, files: Files, own: (name: string) => string): ConnectionOptions {
  const { sslcert, sslkey, sslpassword } = parameters;
  const cert = sslcert === undefined ? files.read(own('postgresql.crt')) : needed(files, sslcert, 'sslcert');
  if (cert === undefined) return {};
  const path = sslkey ?? own('postgresql.key');
  const key = needed(files, path, 'sslkey');
  if (files.isOpen(path))
    throw new ConninfoError(
      `others than its owner may read the key ${path} (chmod 600 makes it its owner's alone)`,
    );
  return { cert, key, ...(sslpassword === undefined ? {} : { passphrase: sslpassword }) };
}

function needed(files: Files, path: string, parameter: string): string {
  const text = files.read(path);
  if (text === undefined) throw new ConninfoError(`${parameter}: ${path} is not there`);
  return text;
}
