import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertPasswordStays, isFromDotEnv, loadDotEnv } from '../../../src/cli/given/dotenv.js';
import { isConnectionLoss, isFileError } from '../../../src/db/server-error.js';
import { logOf, sluice } from '../../support/cli.js';
import { type TestDatabase, WITHOUT_LEDGER } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { isSluice } from '../../support/said.js';
import { thingsDatabase } from '../../support/things.js';

test('.env sets what names a database and settings of ours, and nothing that reaches other programs', (t) => {
  const path = join(tempFolder(t), '.env');
  writeFileSync(
    path,
    'LD_PRELOAD=/tmp/evil.so\nNODE_OPTIONS=--require=/tmp/evil.js\nPATH=/tmp\nDATABASE_URL="postgres://db/x"\nPGHOST=there\nSLUICE_JOBS=2\nPGPORT=1\nSLUICE=x\n',
  );
  const environment: NodeJS.ProcessEnv = { PGPORT: '5433' };
  loadDotEnv(path, environment);
  assert.deepEqual(environment, {
    PGPORT: '5433',
    DATABASE_URL: 'postgres://db/x',
    PGHOST: 'there',
    SLUICE_JOBS: '2',
  });
  assert.equal(isFromDotEnv('PGHOST'), true);
  assert.equal(isFromDotEnv('PGPORT'), false);
});

test('a password from elsewhere is not sent to where .env says', () => {
  const from =
    (...names: string[]) =>
    (name: string) =>
      names.includes(name);
  const elsewhere = isSluice('password_elsewhere', /the password is from elsewhere/);
  const asks =
    (url: string | undefined, name: string, environment: NodeJS.ProcessEnv, ...file: string[]) =>
    () =>
      assertPasswordStays(url, name, { ...environment }, from(...file));
  const secret = { PGPASSWORD: 's' };
  assert.throws(asks(undefined, '', { ...secret, PGHOST: 'h' }, 'PGHOST'), elsewhere);
  assert.throws(asks('postgres://u@h/d', 'DATABASE_URL', secret, 'DATABASE_URL'), elsewhere);
  assert.throws(
    asks('postgres://u:s@h/d', '--database-url', { PGSSLMODE: 'disable' }, 'PGSSLMODE'),
    elsewhere,
  );
  assert.throws(asks('postgres:///d?password=s', '--database-url', { PGHOST: 'h' }, 'PGHOST'), elsewhere);
  for (const fine of [
    asks(undefined, '', { ...secret, PGHOST: 'h' }, 'PGHOST', 'PGPASSWORD'),
    asks('postgres://u:s@h/d', 'DATABASE_URL', secret, 'DATABASE_URL'),
    asks('postgres://u:s@h/d', '--database-url', { PGHOST: 'x' }, 'PGHOST'),
    asks('postgres://u@h/d', 'DATABASE_URL', secret),
    asks(undefined, '', { PGHOST: 'h' }, 'PGHOST'),
  ])
    assert.doesNotThrow(fine);
});

test('a log that cannot be written is told before a batch begins, and no link out of the folder is followed', async (t) => {
  const database = await thingsDatabase(t);
  await database.query(WITHOUT_LEDGER);
  const cwd = tempFolder(t);
  const secret = join(cwd, 'secret');
  mkdirSync(secret);
  writeFileSync(join(cwd, 'things.csv'), 'id,name\n1,one\n');
  const copy = (...more: string[]) =>
    sluice(['copy', 'things.csv', '--into', 'things', '--yes', ...more], {
      cwd,
      env: { SLUICE_DATABASE_URL: database.url },
    });
  mkdirSync(join(cwd, '.sluice'));
  symlinkSync(secret, join(cwd, '.sluice', 'logs'));
  const linked = await copy();
  assert.equal(linked.code, 2, linked.stderr);
  assert.match(linked.stderr, /the log cannot be written in \.sluice.logs: .*symbolic link/);
  assert.match(linked.stderr, /next: .*sluice copy things\.csv .*--log-file /);
  assert.equal(existsSync(join(secret, '1.log')), false);
  assert.deepEqual(await database.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sluice%'"), []);
  assert.equal((await copy('--log-file', '/dev/null')).code, 0);
  // A place where nobody can write: of root only trying shows it.
  const proc = await copy('--log-file', '/proc/sluice/x.log');
  const root = process.getuid?.() === 0;
  assert.equal(proc.code, root ? 1 : 2, proc.stderr);
  assert.match(
    proc.stderr,
    root ? /a file or folder of this machine cannot be used: / : /the log cannot be written: EACCES/,
  );
});

test('a log file of ours that is a link is not opened', async (t) => {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  const victim = join(cwd, 'victim');
  writeFileSync(victim, 'precious\n');
  mkdirSync(join(cwd, '.sluice', 'logs'), { recursive: true });
  writeFileSync(join(cwd, 'things.csv'), 'id,name\n1,one\n');
  const copy = () =>
    sluice(['copy', 'things.csv', '--into', 'things', '--yes', '--mode', 'replace', '--max-shrink', '100%'], {
      cwd,
      env: { SLUICE_DATABASE_URL: database.url },
    });
  assert.equal((await copy()).code, 0);
  symlinkSync(victim, logOf(cwd, '1').replace(/-1\.log$/, '-2.log'));
  const ended = await copy();
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /a file or folder of this machine cannot be used: ELOOP/);
  assert.equal(readFileSync(victim, 'utf8'), 'precious\n');
});

test('two databases that are used from one folder have logs of their own, also where a ledger is made anew', async (t) => {
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'things.csv'), 'id,name\n1,one\n');
  const logs = () => readdirSync(join(cwd, '.sluice', 'logs')).sort();
  const copy = async (database: TestDatabase) => {
    const args = [
      'copy',
      'things.csv',
      '--into',
      'things',
      '--yes',
      '--mode',
      'replace',
      '--max-shrink',
      '100%',
    ];
    const ended = await sluice(args, { cwd, env: { SLUICE_DATABASE_URL: database.url } });
    assert.equal(ended.code, 0, ended.stderr);
    const [batch] = await database.query<{ log: string }>(
      'SELECT log_file AS log FROM sluice.migration_batch ORDER BY id DESC LIMIT 1',
    );
    return batch?.log.replace(/^\.sluice.logs./, '');
  };
  const [one, other] = [await thingsDatabase(t), await thingsDatabase(t)];
  const first = await copy(one);
  assert.match(first ?? '', new RegExp(`^${one.name}-[0-9a-f]{8}-1\\.log$`));
  const before = readFileSync(join(cwd, '.sluice', 'logs', first as string), 'utf8');
  const second = await copy(other);
  assert.deepEqual(logs(), [first, second].sort());
  assert.equal(readFileSync(join(cwd, '.sluice', 'logs', first as string), 'utf8'), before);
  assert.equal((await copy(one)) ?? '', first?.replace(/-1\.log$/, '-2.log'), 'of the same ledger');
  await one.query('DROP SCHEMA sluice, sluice_old_1 CASCADE');
  assert.notEqual(await copy(one), first, 'numbers begin anew');
});

test('a file that fails is no lost connection, and a socket that fails is', (t) => {
  const path = join(tempFolder(t), 'x');
  writeFileSync(path, '');
  chmodSync(path, 0o400);
  const error = (code: string, syscall: string, more = {}) =>
    Object.assign(new Error(code), { code, syscall, ...more });
  for (const file of [
    error('EACCES', 'mkdir', { path }),
    error('EACCES', 'open', { path }),
    error('EIO', 'read'),
    error('EROFS', 'open'),
    error('ENOENT', 'open'),
  ]) {
    assert.equal(isConnectionLoss(file), false, file.message);
    assert.equal(isFileError(file), true, file.message);
  }
  for (const socket of [
    error('ECONNRESET', 'read'),
    error('ENOENT', 'connect'),
    error('EPIPE', 'write'),
    error('EHOSTUNREACH', 'read'),
  ])
    assert.equal(isConnectionLoss(socket), true, socket.message);
});
