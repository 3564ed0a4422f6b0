import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { PgDatabase, withRoom } from '../../src/db/connect.js';
import { testDatabase } from '../support/database.js';

test('a session for large tables has room to sort, and keeps what it has where that is more', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query("SET work_mem = '4MB'; SET maintenance_work_mem = '1GB'");
  await withRoom(client);
  const { rows } = await client.query(
    "SELECT current_setting('work_mem') AS work, current_setting('maintenance_work_mem') AS upkeep",
  );
  assert.deepEqual(rows, [{ work: '128MB', upkeep: '1GB' }]);
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
