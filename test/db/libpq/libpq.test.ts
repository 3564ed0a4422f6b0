import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, passwordOf, serviceOf } from '../../../src/db/libpq/files.js';
import { ConninfoError, parseConninfo, withoutPasswords } from '../../../src/db/libpq/parse.js';
import { connectionOf, describe, RefusedParameter } from '../../../src/db/libpq/resolve.js';

/** A machine with these files. */
const machine = (files: Readonly<Record<string, string>> = {}, open: readonly string[] = []): Files => ({
  home: '/home/me',
  read: (path) => files[path],
  isOpen: (path) => open.includes(path),
  isSocket: (path) => files[path] === 'socket',
});

const of = (text: string | undefined, environment: NodeJS.ProcessEnv = {}, files: Files = machine()) =>
  connectionOf(text, environment, files, 'me');

test('connection strings are read as libpq reads them', () => {
  const table: readonly (readonly [string, Record<string, string>])[] = [
    ['postgres://h/d', { host: 'h', dbname: 'd' }],
    [
      'postgresql://u%40x:p%3Aw@h:6/d%20b?application_name=a%26b',
      { user: 'u@x', password: 'p:w', host: 'h', port: '6', dbname: 'd b', application_name: 'a&b' },
    ],
    ['postgres://a:1,b:2,[::1]:3/d', { host: 'a,b,::1', port: '1,2,3', dbname: 'd' }],
    ['postgres://%2Fvar%2Frun/d', { host: '/var/run', dbname: 'd' }],
    ['postgres:///d?host=/tmp&port=7', { dbname: 'd', host: '/tmp', port: '7' }],
    ['postgres://h/d?ssl=true', { host: 'h', dbname: 'd', sslmode: 'require' }],
    // A + is a plus: only % is an escape.
    ['postgres://h/d?options=-c%20a=b+c', { host: 'h', dbname: 'd', options: '-c a=b+c' }],
    [
      "host=h dbname = 'a b' password='it\\'s' user=u\\ v",
      { host: 'h', dbname: 'a b', password: "it's", user: 'u v' },
    ],
    ["host='' port=5", { host: '', port: '5' }],
  ];
  for (const [text, wanted] of table) assert.deepEqual(parseConninfo(text), wanted, text);
  for (const wrong of ['localhost', 'postgres://h/d?x', 'postgres://h/%zz', "host='h", 'postgres://[::1/d'])
    assert.throws(() => parseConninfo(wrong), ConninfoError, wrong);
});

test('the text goes before the service, that before the variables, those before the defaults', () => {
  const files = machine({
    '/home/me/.pg_service.conf':
      '# mine\n[other]\nhost=no\n[shop]\nhost = s\nport=1\nuser=su\nsslmode=disable\n',
    '/else.conf': '[shop]\nhost=e\nsslmode=disable',
    '/var/run/postgresql/.s.PGSQL.5433': 'socket',
  });
  const shown = (text: string | undefined, environment: NodeJS.ProcessEnv = {}) =>
    describe(of(text, environment, files));
  assert.equal(shown('postgres://t/d?service=shop', { PGPORT: '2', PGDATABASE: 'e' }), 't:1/d as su');
  assert.equal(shown(undefined, { PGSERVICE: 'shop', PGHOST: 'v', PGDATABASE: 'e' }), 's:1/e as su');
  assert.equal(shown(undefined, { PGSERVICE: 'shop', PGSERVICEFILE: '/else.conf' }), 'e:5432/me as me');
  assert.equal(shown('postgres:///d'), 'localhost:5432/d as me');
  assert.equal(shown('port=5433'), '/var/run/postgresql:5433/me as me');
  assert.equal(shown('host=h hostaddr=10.0.0.1 user=u'), 'h (10.0.0.1):5432/u as u');
  assert.equal(shown(undefined, { PGHOSTADDR: '10.0.0.1', PGUSER: 'u' }), '10.0.0.1:5432/u as u');
  assert.equal(shown('postgres://a,b:6/d?port=5,6'), 'a:5, b:6/d as me');
  assert.equal(shown('host=a,b port=7 dbname=d'), 'a:7, b:7/d as me');
  for (const wrong of ['host=a,b port=1,2,3', 'host=a,b hostaddr=1.1.1.1', 'port=70000', 'service=none'])
    assert.throws(() => of(wrong, {}, files), ConninfoError, wrong);
  assert.throws(() => serviceOf('[a]\nservice=b', 'a'), ConninfoError);
});

test('what does not mean here what it means to psql is refused by name', () => {
  const refused = (text: string | undefined, environment: NodeJS.ProcessEnv = {}) => {
    try {
      of(text, environment);
    } catch (error) {
      assert.ok(error instanceof RefusedParameter, String(error));
      assert.notEqual(error.refused.instead, '');
      return error.refused.name;
    }
    return undefined;
  };
  for (const each of [
    'sslmode=no-verify',
    'channel_binding=require',
    'gssencmode=require',
    'target_session_attrs=standby',
    'target_session_attrs=read-only',
    'require_auth=scram-sha-256',
    'requirepeer=postgres',
    'sslcrldir=/x',
    'sslcertmode=require',
    'sslsni=0',
    'load_balance_hosts=random',
    'tcp_user_timeout=5',
    'keepalives_interval=5',
    'client_encoding=LATIN1',
    'replication=database',
    'hots=h',
  ])
    assert.equal(refused(each), each.slice(0, each.indexOf('=')));
  assert.equal(refused(undefined, { PGHOST: 'h', PGREQUIREPEER: 'x' }), 'PGREQUIREPEER (requirepeer)');
  for (const fine of [
    'sslmode=verify-full sslrootcert=system',
    'channel_binding=prefer gssencmode=prefer krbsrvname=x target_session_attrs=read-write',
    'keepalives=1 keepalives_idle=10 connect_timeout=5 client_encoding=auto sslcompression=0',
  ])
    assert.equal(
      connectionOf(fine, { SSL_CERT_FILE: '/roots' }, machine({ '/roots': 'PEM' }), 'me').user,
      'me',
      fine,
    );
});

test('sslmode and its files mean what they mean to libpq', () => {
  const root = '/home/me/.postgresql/root.crt';
  const tls = (text: string, files: Record<string, string> = {}) => {
    const { ways, options } = of(text, {}, machine(files)).tls;
    const { rejectUnauthorized, checkServerIdentity, servername } = options('h');
    return [ways.join(), rejectUnauthorized ?? false, checkServerIdentity === undefined, servername];
  };
  const name = 'h';
  assert.deepEqual(tls('sslmode=disable'), ['plain', false, true, undefined]);
  assert.deepEqual(tls('sslmode=allow'), ['plain,tls', false, false, name]);
  assert.deepEqual(tls(''), ['tls,plain', false, false, name]);
  assert.deepEqual(tls('requiressl=1'), ['tls', false, false, name]);
  assert.deepEqual(tls('sslmode=require'), ['tls', false, false, name]);
  // As psql has it: a root certificate that is there is used.
  assert.deepEqual(tls('sslmode=require', { [root]: 'PEM' }), ['tls', true, false, name]);
  assert.deepEqual(tls('sslmode=verify-ca sslrootcert=/ca', { '/ca': 'PEM' }), ['tls', true, false, name]);
  assert.deepEqual(tls('sslmode=verify-full', { [root]: 'PEM' }), ['tls', true, true, name]);
  for (const wrong of [
    'sslmode=verify-ca',
    'sslmode=verify-full sslrootcert=/gone',
    'sslmode=require sslrootcert=system',
    'sslnegotiation=direct',
    'sslcert=/gone',
  ])
    assert.throws(() => tls(wrong), ConninfoError, wrong);
  const pair = { '/c': 'CERT', '/k': 'KEY' };
  assert.throws(
    () => of('sslcert=/c sslkey=/k', {}, machine(pair, ['/k'])),
    /others than its owner may read the key/,
  );
  const { cert, key } = of('sslcert=/c sslkey=/k', {}, machine(pair)).tls.options('h');
  assert.deepEqual([cert, key], ['CERT', 'KEY']);
});

test('a password file is read as libpq reads it, and one that others may read is left out', () => {
  const text = '#h:5432:d:u:no\nh:5432:d:o\\:u:p\\:w\\\\\n*:*:*:u:any\n';
  const at = (user: string, host = 'h') => passwordOf(text, { host, port: '5432', dbname: 'd', user });
  assert.deepEqual(at('o:u'), { password: 'p:w\\', anyHost: false });
  assert.deepEqual(at('u', 'other'), { password: 'any', anyHost: true });
  assert.equal(at('nobody'), undefined);
  const files = { '/home/me/.pgpass': text, '/mine': 'h:5432:d:u:mine' };
  const password = (from: string, environment: NodeJS.ProcessEnv = {}, open: readonly string[] = []) =>
    of(from, environment, machine(files, open)).places[0]?.password;
  assert.equal(password('postgres://u@h/d'), 'any');
  assert.equal(password('postgres://u@h/d', {}, ['/home/me/.pgpass']), undefined);
  assert.equal(password('postgres://u@h/d', { PGPASSFILE: '/mine' }), 'mine');
  assert.equal(password('postgres://u@h/d?passfile=/mine', { PGPASSWORD: 'variable' }), 'variable');
  assert.equal(of('postgres://u@h/d', {}, machine(files)).origins.password, 'passfile *');
});

test('variables give options, times and names; what is shown again holds no password', () => {
  const { options, applicationName, connectMs, primary } = of('target_session_attrs=primary', {
    PGOPTIONS: '-c work_mem=64MB',
    PGTZ: 'Asia/Tokyo',
    PGAPPNAME: 'shop',
    PGCONNECT_TIMEOUT: '1',
  });
  assert.deepEqual(
    [options, applicationName, connectMs, primary],
    ['-c TimeZone=Asia/Tokyo -c work_mem=64MB', 'shop', 2_000, true],
  );
  const table = [
    ['postgres://u:secret@h/d', 'postgres://u@h/d'],
    ['postgres://u:secret@a:1,b:2/d?x=y', 'postgres://u@a:1,b:2/d?x=y'],
    ['postgres://u@h/d?password=secret', 'postgres://u@h/d'],
    ['postgres://u@h/d?password=secret&sslmode=require', 'postgres://u@h/d?sslmode=require'],
    ["host=h password='se cret' dbname='a b'", "host=h dbname='a b'"],
    ['host=h dbname=d', 'host=h dbname=d'],
  ] as const;
  for (const [text, shown] of table) assert.equal(withoutPasswords(text), shown);
});
