import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { acquireEmbedded, embeddedStatus } from '../../../src/db/embedded/index.js';
import { sharedBuffersMb } from '../../../src/db/embedded/settings.js';
import { canReach, isRoot, parsePasswd, serverUser } from '../../../src/db/embedded/user.js';
import { ask } from '../../support/embedded.js';

const passwd = `root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65533:nobody:/:/usr/sbin/nologin
postgres:x:70:71::/var/lib/postgresql:/bin/sh
`;
const asRoot = { skip: !isRoot() && 'only root can be another user' };
const asOther = { skip: isRoot() && 'only for an ordinary user' };

function temporary(t: TestContext, mode: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-user-'));
  chmodSync(directory, mode);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('an ordinary user runs the server itself', asOther, () => {
  assert.equal(serverUser(undefined, passwd), undefined);
});

test('root runs it as postgres, without one as nobody, and says so when there is neither', asRoot, () => {
  assert.deepEqual(serverUser(undefined, passwd), { name: 'postgres', uid: 70, gid: 71 });
  const without = passwd.replace(/^postgres.*$/m, '');
  assert.deepEqual(serverUser(undefined, without), { name: 'nobody', uid: 65534, gid: 65533 });
  assert.throws(() => serverUser(undefined, 'root:x:0:0::/root:/bin/sh\n'), { code: 'embedded_no_user' });
});

test('root runs data that belongs to somebody as its owner', asRoot, (t) => {
  const data = temporary(t, 0o700);
  chownSync(data, 4321, 4322);
  assert.deepEqual(serverUser(data, passwd), { name: '4321', uid: 4321, gid: 4322 });
});

test('an accounts file with blank and broken lines is read', () => {
  assert.deepEqual(parsePasswd('\n+::::::\na:x:5:6:::\nbroken'), [{ name: 'a', uid: 5, gid: 6 }]);
});

test('a directory below a closed one cannot be reached', (t) => {
  const top = temporary(t, 0o755);
  mkdirSync(join(top, 'inner'));
  chmodSync(join(top, 'inner'), 0o755);
  const user = { name: 'x', uid: 987654, gid: 987654 };
  assert.equal(canReach(join(top, 'inner'), user), true);
  chmodSync(top, 0o700);
  assert.equal(canReach(join(top, 'inner'), user), false);
});

test(
  'root in a project that only root can enter: the data goes elsewhere, and a file says where',
  asRoot,
  async (t) => {
    const project = temporary(t, 0o700);
    const directory = join(project, '.sluice');
    const server = await acquireEmbedded({ directory, durable: false });
    const location = readFileSync(join(directory, 'postgres', 'location'), 'utf8').trim();
    t.after(() => rmSync(location, { recursive: true, force: true }));
    try {
      assert.ok(server.dataDirectory.startsWith(location));
      assert.ok(!location.startsWith(project));
      assert.equal(readFileSync(join(location, 'belongs-to'), 'utf8').trim(), directory);
      assert.equal((await embeddedStatus({ directory })).dataDirectory, server.dataDirectory);
      assert.equal(await ask(server.url, 'SELECT 1'), 1);
    } finally {
      await server.release();
    }
    assert.equal(existsSync(join(server.dataDirectory, 'postmaster.pid')), false);
  },
);

test('buffers take a quarter of the memory, within bounds', () => {
  const MB = 1024 * 1024;
  assert.deepEqual(
    [64, 512, 65_536].map((size) => sharedBuffersMb(size * MB)),
    [32, 128, 256],
  );
});
