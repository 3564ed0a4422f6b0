import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why tests with certificates are skipped; undefined where openssl is there to make them. */
export const noOpenssl: string | undefined =
  spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed';

/** Files of an authority, and of a server called `localhost` that it vouches for. */
export interface Certificates {
  readonly authority: string;
  /** Another authority, which knows nothing of the server. */
  readonly stranger: string;
  readonly server: { readonly certificate: string; readonly key: string };
}

/** Makes them in `folder`; the server's key is for whoever may read the folder. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  for (const name of ['ca', 'stranger'])
    openssl(
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
    );
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost');
  openssl(
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr'],
  );
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'names', '-out', 'server.crt'],
  );
  chmodSync(at('server.key'), 0o600);
  return {
    authority: at('ca.crt'),
    stranger: at('stranger.crt'),
    server: { certificate: at('server.crt'), key: at('server.key') },
  };
}
