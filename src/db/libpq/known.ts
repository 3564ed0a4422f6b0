import type { Parameters } from './parse.js';

/** Which variable gives a parameter that nothing else gives (libpq, "Environment Variables"). */
export const VARIABLES: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  require_auth: 'PGREQUIREAUTH',
  channel_binding: 'PGCHANNELBINDING',
  service: 'PGSERVICE',
  servicefile: 'PGSERVICEFILE',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  sslmode: 'PGSSLMODE',
  requiressl: 'PGREQUIRESSL',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslcompression: 'PGSSLCOMPRESSION',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcertmode: 'PGSSLCERTMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  sslsni: 'PGSSLSNI',
  requirepeer: 'PGREQUIREPEER',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  gssencmode: 'PGGSSENCMODE',
  krbsrvname: 'PGKRBSRVNAME',
  gsslib: 'PGGSSLIB',
  gssdelegation: 'PGGSSDELEGATION',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  client_encoding: 'PGCLIENTENCODING',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  load_balance_hosts: 'PGLOADBALANCEHOSTS',
  min_protocol_version: 'PGMINPROTOCOLVERSION',
  max_protocol_version: 'PGMAXPROTOCOLVERSION',
};

/** Settings of the session that libpq takes from variables. */
export const SESSION_VARIABLES: Readonly<Record<string, string>> = {
  PGTZ: 'TimeZone',
  PGGEQO: 'geqo',
  PGDATESTYLE: 'DateStyle',
};

/** Values that a parameter may have here; any other, and any other parameter, is refused with what to do instead. */
interface Allowed {
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  readonly instead?: string;
}

const any: Allowed = {};
const NO_GSS = 'Sluice logs in with a password or a certificate, not by GSSAPI';
const SSL_VERSIONS = ['TLSv1.2', 'TLSv1.3'];
const WRITES = 'Sluice writes: read-write or primary';

const ALLOWED: Readonly<Record<string, Allowed>> = {
  host: any,
  hostaddr: any,
  port: { pattern: /^[0-9,]*$/ },
  dbname: any,
  user: any,
  password: any,
  passfile: any,
  service: any,
  servicefile: any,
  options: any,
  application_name: any,
  // Used where no application_name is given; ours is.
  fallback_application_name: any,
  sslmode: {
    values: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'],
    instead: 'require is TLS with any certificate, verify-full with one that is checked',
  },
  requiressl: { values: ['0', '1'] },
  sslnegotiation: { values: ['postgres', 'direct'] },
  sslcompression: { values: ['0'] },
  sslcert: any,
  sslkey: { pattern: /^(?!engine:)/, instead: 'a key in a file' },
  sslpassword: any,
  sslcertmode: { values: ['allow', 'disable'] },
  sslrootcert: any,
  sslcrl: any,
  sslsni: { values: ['1'] },
  ssl_min_protocol_version: { values: SSL_VERSIONS },
  ssl_max_protocol_version: { values: SSL_VERSIONS },
  gssencmode: { values: ['disable', 'prefer'], instead: NO_GSS },
  // They say how GSSAPI would be done, and the server that demands it is told apart by its own error.
  krbsrvname: any,
  gsslib: any,
  gssdelegation: any,
  channel_binding: { values: ['disable', 'prefer'], instead: 'sslmode=verify-full keeps others out, too' },
  connect_timeout: { pattern: /^-?[0-9]+$/ },
  client_encoding: { pattern: /^(auto|utf-?8|unicode)$/i, instead: 'Sluice reads and writes UTF-8' },
  keepalives: { values: ['0', '1'] },
  keepalives_idle: { pattern: /^[0-9]+$/ },
  target_session_attrs: { values: ['any', 'read-write', 'primary'], instead: WRITES },
  load_balance_hosts: { values: ['disable'] },
  min_protocol_version: { values: ['3.0'] },
  max_protocol_version: { values: ['3.0', '3.2', 'latest'] },
  // Of the driver, which reads sslmode in another way by default.
  uselibpqcompat: { values: ['true'] },
};

/** A parameter that is not taken, why, and what to do instead. */
export interface Refused {
  readonly name: string;
  readonly why: string;
  readonly instead: string;
}

/** The first parameter that does not mean here what it means to psql; undefined where all do. */
export function refusedOf(parameters: Parameters): Refused | undefined {
  for (const [name, value] of Object.entries(parameters)) {
    const allowed = ALLOWED[name];
    if (allowed === undefined)
      return {
        name,
        why: 'is not known here',
        instead: `leave ${name} out, or connect through a proxy that does it`,
      };
    const { values, pattern, instead } = allowed;
    const fits = (values?.includes(value) ?? true) && (pattern?.test(value) ?? true);
    if (!fits)
      return {
        name,
        why: `can be ${values?.join(', ') ?? 'something else only'} here`,
        instead: instead ?? `leave ${name} out`,
      };
  }
  return undefined;
}
