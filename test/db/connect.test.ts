import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { PgDatabase, withRoom } from '../../src/db/connect.js';
import { PINNED, PINNED_BESIDE_CODE, type Settings } from '../../src/db/pinned.js';
import { testDatabase } from '../support/database.js';
import { proxyTo } from '../support/proxy.js';

test('a session for large tables has room to build indexes, and keeps what it has where that is more', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const after = async (given: string) => {
    await client.query(`SET maintenance_work_mem = '${given}'`);
    await withRoom(client);
    return (await client.query("SELECT current_setting('maintenance_work_mem') AS upkeep")).rows[0].upkeep;
  };
  assert.equal(await after('64MB'), '256MB');
  assert.equal(await after('1GB'), '1GB');
});

test('a session is as it is pinned, whatever the role, the database and the URL say', async (t) => {
  const live = await testDatabase(t);
  await live.query(`
    CREATE SCHEMA app;
    ALTER DATABASE ${live.name} SET search_path = "$user", nowhere, app, public;
    ALTER DATABASE ${live.name} SET statement_timeout = '1s';
    ALTER DATABASE ${live.name} SET idle_session_timeout = '1s';
    ALTER DATABASE ${live.name} SET default_transaction_isolation = 'serializable';
    ALTER DATABASE ${live.name} SET default_transaction_read_only = on;
    ALTER DATABASE ${live.name} SET quote_all_identifiers = on;
    ALTER DATABASE ${live.name} SET DateStyle = 'German';
    ALTER DATABASE ${live.name} SET citus.enable_schema_based_sharding = 'on';
    ALTER DATABASE ${live.name} SET bytea_output = 'escape';
    ALTER DATABASE ${live.name} SET TimeZone = 'Asia/Tokyo'`);
  const later =
    Number((await live.query<{ v: string }>("SELECT current_setting('server_version_num') AS v"))[0]?.v) >=
    170000;
  if (later) await live.query(`ALTER DATABASE ${live.name} SET transaction_timeout = '1s'`);
  const url = `${live.url}?options=-c%20lock_timeout%3D1s`;
  const database = new PgDatabase({ url, described: 'it', from: 'test' });
  t.after(() => database.close());
  const settings = async (pinned?: Settings) => {
    const client = await database.connect('test', pinned);
    const { rows } = await client.query(
      `SELECT name, setting FROM pg_catalog.pg_settings UNION ALL SELECT 'citus.enable_schema_based_sharding',
         pg_catalog.current_setting('citus.enable_schema_based_sharding', true)`,
    );
    return new Map(rows.map(({ name, setting }) => [name, setting]));
  };
  const own = await settings();
  for (const [name, value] of Object.entries(PINNED))
    assert.equal(name === 'DateStyle' ? own.get(name)?.split(',')[0] : own.get(name), value, name);
  assert.equal(own.get('transaction_timeout'), later ? '0' : undefined);
  assert.equal(own.get('TimeZone'), 'Asia/Tokyo');
  const beside = await settings(PINNED_BESIDE_CODE);
  assert.equal(beside.get('statement_timeout'), '0');
  assert.equal(beside.get('transaction_timeout'), later ? '0' : undefined);
  assert.equal(beside.get('DateStyle'), 'German, DMY');
  assert.equal(beside.get('search_path'), 'pg_catalog, pg_temp');
  assert.equal(beside.get('sluice.search_path'), undefined, 'a placeholder is not listed');
  const path = { text: '"$user", nowhere, app, public', schemas: ['app', 'public'] };
  assert.deepEqual(await database.usersPath(), path);
  const another = `${live.url}?options=-c%20search_path%3DApp,public`;
  const other = new PgDatabase({ url: another, described: 'it', from: 'test' });
  t.after(() => other.close());
  // The server folds what it was given, and shows it as it was.
  assert.deepEqual(await other.usersPath(), { text: 'App,public', schemas: ['app', 'public'] });
  const told = await other.connect('test', PINNED_BESIDE_CODE);
  const { rows } = await told
    .query(
      "BEGIN; SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('sluice.search_path'), true)",
    )
    .then(() => told.query('SHOW search_path'));
  assert.deepEqual(rows, [{ search_path: 'App,public' }]);
});

/** A database behind a door: nobody who has connected hears of the server before `open` is called. */
async function behindDoor(t: TestContext) {
  const { url } = await testDatabase(t);
  const server = createServer();
  const sockets: Socket[] = [];
  const doors: (() => void)[] = [];
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    doors.push(() => {
      const behind = connect(Number(new URL(url).port), new URL(url).hostname);
      behind.on('error', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const door = new URL(url);
  door.port = String((server.address() as AddressInfo).port);
  return {
    server,
    database: new PgDatabase({ url: door.href, described: 'it', from: 'test' }),
    open: () => {
      for (const each of doors) each();
    },
    closed: () => Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close'))),
  };
}

/** Sessions that nobody ends keep a process from ending; a test that waits for one would wait for ever. */
const ENDS = { timeout: 60_000 };

test('closing ends sessions that are only on their way to be', ENDS, async (t) => {
  const { server, database, open, closed } = await behindDoor(t);
  const session = assert.rejects(database.connect('load'), { code: 'no_connection' });
  await once(server, 'connection');
  const closing = database.close();
  open();
  await closing;
  await session;
  await closed();
});

test('a server that lets in too late whoever wants to stop its statements keeps nobody', ENDS, async (t) => {
  const { database, open, closed } = await behindDoor(t);
  await database.stop('cancel');
  open();
  await database.close();
  await closed();
});

/** An address of this machine that is not a loopback. */
const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test('a connection that leaves this machine unencrypted is told, once', {
  skip: outside === undefined ? 'this machine has no address of its own' : false,
}, async (t) => {
  const { url } = await testDatabase(t);
  const proxy = await proxyTo(url, outside);
  t.after(() => proxy.close());
  const told: string[] = [];
  for (const to of [proxy.url, url]) {
    const database = new PgDatabase({ url: to, described: `it at ${new URL(to).hostname}`, from: 'test' });
    database.onReadable((described) => told.push(described));
    await database.query('SELECT 1');
    await (await database.connect('another')).end();
    await database.close();
  }
  assert.deepEqual(told, [`it at ${outside}`]);
});
