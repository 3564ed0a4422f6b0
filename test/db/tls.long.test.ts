import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PgDatabase } from '../../src/db/connect.js';
import { serverUser } from '../../src/db/embedded/user.js';
import { makeCertificates, noOpenssl } from '../support/certificates.js';
import { testDatabase } from '../support/database.js';
import { acquireFor, embeddedDirectory } from '../support/embedded.js';

const SKIPS = { skip: noOpenssl ?? false, timeout: 120_000 };

test('sslmode, root certificates and names do on a real server what they do for psql', SKIPS, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { authority, stranger, server: own } = makeCertificates(folder);
  chmodSync(folder, 0o755);
  const account = serverUser();
  if (account !== undefined) chownSync(own.key, account.uid, account.gid);
  const server = await acquireFor(t, {
    directory: embeddedDirectory(t),
    durable: false,
    settings: { ssl: 'on', ssl_cert_file: own.certificate, ssl_key_file: own.key },
  });
  const warnings: string[] = [];
  const heed = (warning: Error) => warnings.push(warning.message);
  process.on('warning', heed);
  t.after(() => process.off('warning', heed));

  const { port, password } = new URL(server.url);
  const to = async (host: string, more: string) => {
    const url = `host=${host} port=${port} dbname=sluice user=postgres password=${password} ${more}`;
    const database = new PgDatabase({ url, described: 'it', from: 'test' });
    try {
      const [found] = await database.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()',
      );
      return found?.ssl;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await database.close();
    }
  };
  const byName = 'localhost';
  const byNumber = '127.0.0.1';
  assert.equal(await to(byNumber, 'sslmode=disable'), false);
  assert.equal(await to(byNumber, 'sslmode=allow'), false);
  assert.equal(await to(byNumber, ''), true, 'prefer is the default');
  assert.equal(await to(byNumber, 'sslmode=require'), true);
  assert.equal(await to(byNumber, `sslmode=verify-ca sslrootcert=${authority}`), true);
  assert.match(
    String(await to(byNumber, `sslmode=verify-ca sslrootcert=${stranger}`)),
    /the certificate of the server is not believed/,
  );
  assert.match(String(await to(byNumber, `sslmode=require sslrootcert=${stranger}`)), /is not believed/);
  assert.equal(await to(byNumber, `sslmode=prefer sslrootcert=${stranger}`), false, 'prefer goes on without');
  assert.equal(await to(byName, `sslmode=verify-full sslrootcert=${authority}`), true);
  assert.equal(
    await to(byName, `hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=${authority}`),
    true,
    'the name is checked, not the address',
  );
  assert.match(String(await to(byNumber, `sslmode=verify-full sslrootcert=${authority}`)), /is not believed/);
  // The first of two that answers, and the name of it is what is shown.
  const both = new PgDatabase({
    url: `postgres://postgres:${password}@127.0.0.1:1,localhost:${port}/sluice`,
    described: 'either',
    from: 'test',
  });
  t.after(() => both.close());
  assert.deepEqual(await both.query('SELECT 1 AS one'), [{ one: 1 }]);
  assert.equal(both.address.described, `localhost:${port}/sluice as postgres`);
  assert.deepEqual(warnings, []);
});

test('a server without TLS is told so where it is asked for, and without a password nobody hangs', async (t) => {
  const { url } = await testDatabase(t);
  const refused = async (text: string) => {
    const database = new PgDatabase({ url: text, described: 'it', from: 'test' });
    try {
      await database.query('SELECT 1');
      return 'connected';
    } catch (error) {
      return (error as Error).message;
    } finally {
      await database.close();
    }
  };
  assert.match(await refused(`${url}?sslmode=require`), /the server has no TLS, and sslmode asks for it/);
  const { port, pathname } = new URL(url);
  assert.match(
    await refused(`postgres://postgres@127.0.0.1:${port}${pathname}?passfile=/nowhere`),
    /the server asks for a password, and none is given/,
  );
});
