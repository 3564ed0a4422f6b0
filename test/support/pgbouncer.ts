import { spawn } from 'node:child_process';
import { accessSync, chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { freePort } from '../../src/db/embedded/start.js';
import { serverUser } from '../../src/db/embedded/user.js';
import { until } from './until.js';

/** Where Debian's package puts it. */
const PROGRAM = '/usr/sbin/pgbouncer';

/** Why tests with PgBouncer are skipped; undefined where it is installed. */
export const noPgBouncer: string | undefined = (() => {
  try {
    accessSync(PROGRAM);
    return undefined;
  } catch {
    return `PgBouncer is not installed (${PROGRAM}); Debian has it as pgbouncer`;
  }
})();

/** Starts a PgBouncer in front of the server of `url`, ended after `t`; the URL by way of it. */
export async function pgBouncer(
  t: TestContext,
  url: string,
  mode: 'session' | 'transaction' | 'statement',
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { hostname, port, username, password } = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-'));
  const listen = await freePort();
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: String(listen),
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: join(folder, 'users.txt'),
    pool_mode: mode,
    default_pool_size: '40',
    ...settings,
  };
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]\n* = host=${hostname} port=${port}\n[pgbouncer]\n${Object.entries(lines)
      .map(([name, value]) => `${name} = ${value}`)
      .join('\n')}\n`,
  );
  writeFileSync(lines.auth_file, `"${username}" "${decodeURIComponent(password)}"\n`);
  // It does not run as root.
  const account = serverUser();
  if (account !== undefined) {
    chmodSync(folder, 0o755);
    for (const name of ['', 'pgbouncer.ini', 'users.txt'])
      chownSync(join(folder, name), account.uid, account.gid);
  }
  const child = spawn(PROGRAM, [join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(listen);
  await until('PgBouncer answers', async () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended: ${said}`);
    const client = new pg.Client({ connectionString: through.href });
    client.on('error', () => {});
    return client.connect().then(
      () => client.end().then(() => true),
      () => undefined,
    );
  });
  return through.href;
}
