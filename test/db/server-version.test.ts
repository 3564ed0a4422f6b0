import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { PgDatabase } from '../../src/db/connect.js';
import { newerThanTested, serverFault } from '../../src/db/server-version.js';
import { testDatabase } from '../support/database.js';
import { isSluice } from '../support/said.js';
import { until } from '../support/until.js';

const saying = (said: Readonly<Record<string, string>>) => (name: string) => said[name];
const codeOf = (said: Readonly<Record<string, string>>) => serverFault(saying(said), 'db')?.code;

test('what a server says of itself decides: 15 and newer are taken, older ones and other systems refused', () => {
  for (const version of ['15.0', '15.20 (Debian 15.20-0+deb12u1)', '16.3', '18.1', '19beta1', '30devel'])
    assert.equal(codeOf({ server_version: version }), undefined, version);
  for (const version of ['14.23', '13.0', '9.6.24', '8.4'])
    assert.equal(codeOf({ server_version: version }), 'old_server', version);
  assert.equal(codeOf({ server_version: '13.0.0', crdb_version: 'CockroachDB CCL v23.2.1' }), 'other_server');
  assert.equal(codeOf({ server_version: '8.0.2', padb_version: '1.0.7' }), 'other_server');
  assert.equal(codeOf({ server_version: '15.2-YB-2.21.0.0-b0' }), 'other_server');
  // What says nothing is not judged.
  assert.equal(codeOf({}), undefined);
});

test('a server newer than any that was tested gets a note', () => {
  assert.equal(newerThanTested(saying({ server_version: '18.4' })), undefined);
  assert.match(
    newerThanTested(saying({ server_version: '19beta1' })) ?? '',
    /PostgreSQL 19beta1.*tested up to 18/,
  );
});

const text = (value: string) => Buffer.from(`${value}\0`);

/** A message of the server: its type, its length and what is in it. */
function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The server of a database of the test's own, which says that it is of another version; its URL, and what it was sent. */
async function calling(t: TestContext, version: string) {
  const { url } = await testDatabase(t);
  const asked = new URL(url);
  // What stands between speaks no TLS.
  asked.searchParams.set('sslmode', 'disable');
  const [port, host] = [Number(asked.port), asked.hostname];
  const sent: Buffer[] = [];
  const proxy = createServer((socket) => {
    const server = connect(port, host);
    const end = () => [socket, server].forEach((each) => void each.destroy());
    for (const each of [socket, server]) each.on('error', end).on('close', end);
    socket.on('data', (data) => {
      sent.push(data);
      server.write(data);
    });
    let held = Buffer.alloc(0);
    server.on('data', (data) => {
      held = Buffer.concat([held, data]);
      for (let length = 0; held.length >= 5; held = held.subarray(length)) {
        length = held.readInt32BE(1) + 1;
        if (held.length < length) break;
        const whole = held.subarray(0, length);
        const status = whole.toString('latin1', 0, 1) === 'S' && whole.includes('server_version\0');
        socket.write(status ? message('S', text('server_version'), text(version)) : whole);
      }
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  asked.port = String((proxy.address() as AddressInfo).port);
  const open = () => new Promise<number>((resolve) => proxy.getConnections((_, count) => resolve(count)));
  return { url: asked.href, sent, open };
}

test('an older server is refused by name when it lets the session in, and is asked nothing', async (t) => {
  const { url, sent, open } = await calling(t, '14.23');
  const database = new PgDatabase({ url, described: 'db', from: 'test' });
  t.after(() => database.close());
  await assert.rejects(
    database.query('SELECT 1'),
    isSluice('old_server', /PostgreSQL 14\.23, older than 15/, /nothing was read or written/, /upgrade/),
  );
  // Simple and extended queries: Q and P.
  await until('the end of the session', async () => (await open()) === 0);
  assert.ok(!sent.some((data) => /^[QP]/.test(data.toString('latin1', 0, 1))), 'no statement was sent');
});

test('a newer one is worked with', async (t) => {
  const { url } = await calling(t, '19.1');
  const database = new PgDatabase({ url, described: 'db', from: 'test' });
  t.after(() => database.close());
  assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }]);
});
