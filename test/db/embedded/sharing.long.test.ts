import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import {
  acquireEmbedded,
  embeddedStatus,
  keepEmbedded,
  stopEmbedded,
} from '../../../src/db/embedded/index.js';
import { acquireFor, ask, embeddedDirectory, holdElsewhere } from '../../support/embedded.js';

test('an embedded server, from the first start to the last release', async (t) => {
  const directory = embeddedDirectory(t);
  const options = { directory, durable: false };

  await t.test('nothing runs, and asking for the status makes nothing', async () => {
    const status = await embeddedStatus(options);
    assert.equal(status.running, false);
    assert.equal(status.kept, false);
    assert.deepEqual(status.leases, []);
    assert.throws(() => statSync(directory), { code: 'ENOENT' });
    assert.equal(await stopEmbedded(options), false);
  });

  await t.test('two commands at once start one server and share it', async (t) => {
    const [one, two] = await Promise.all([holdElsewhere(t, directory), holdElsewhere(t, directory)]);
    assert.equal(one.url, two.url);
    assert.deepEqual([one.startedHere, two.startedHere].sort(), [false, true]);
    const { leases } = await embeddedStatus(options);
    assert.deepEqual(
      leases,
      [one.pid, two.pid].sort((a, b) => a - b),
    );
    assert.equal(await one.end(), 0);
    assert.equal(await ask(two.url, 'SELECT 1'), 1);
    assert.equal(await two.end(), 0);
    const after = await embeddedStatus(options);
    assert.equal(after.running, false);
    assert.deepEqual(after.leases, []);
  });

  await t.test('what was written is there at the next start, on UTF-8 with scram', async (t) => {
    const first = await acquireFor(t, options);
    assert.equal(first.startedHere, true);
    await ask(first.url, "CREATE TABLE kept AS SELECT 'Käse'::text AS word");
    await first.release();
    await first.release();
    const second = await acquireFor(t, options);
    assert.equal(await ask(second.url, 'SELECT upper(word) FROM kept'), 'KÄSE');
    assert.equal(await ask(second.url, 'SELECT current_user || current_database()'), 'postgressluice');
    assert.match(
      String(await ask(second.url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")),
      /^SCRAM-SHA-256/,
    );
    await second.release();
  });

  await t.test('a wrong password and an address that is not loopback are turned away', async (t) => {
    const server = await acquireFor(t, options);
    const wrong = new URL(server.url);
    wrong.password = 'guess';
    await assert.rejects(ask(wrong.href, 'SELECT 1'), { code: '28P01' });
    assert.equal(await ask(server.url, 'SHOW listen_addresses'), '127.0.0.1');
    for (const address of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
      if (address.internal || address.family !== 'IPv4') continue;
      const client = new pg.Client({
        host: address.address,
        port: server.port,
        connectionTimeoutMillis: 500,
      });
      await assert.rejects(client.connect());
    }
    await server.release();
  });

  await t.test('password and log are for their owner alone', async () => {
    const { dataDirectory, log } = await embeddedStatus(options);
    const password = join(dirname(dataDirectory), 'password');
    for (const file of [password, log as string]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
    assert.equal(statSync(dataDirectory).mode & 0o077, 0);
  });

  await t.test('a command killed with -9 does not keep the server beyond the next release', async (t) => {
    const killed = await holdElsewhere(t, directory);
    await killed.kill();
    const orphan = await embeddedStatus(options);
    assert.equal(orphan.running, true);
    assert.deepEqual(orphan.leases, []);
    const next = await acquireFor(t, options);
    assert.equal(next.startedHere, false);
    assert.equal(next.url, killed.url);
    await next.release();
    assert.equal((await embeddedStatus(options)).running, false);
  });

  await t.test('a lease whose process id is another process by now counts no more', async (t) => {
    const server = await acquireFor(t, options);
    writeFileSync(join(directory, 'leases', `${process.ppid}.1`), `${process.ppid} long ago\n`);
    writeFileSync(join(directory, 'leases', 'cut-short'), '');
    assert.deepEqual((await embeddedStatus(options)).leases, [process.pid]);
    await server.release();
    assert.equal((await embeddedStatus(options)).running, false);
    assert.deepEqual(readdirSync(join(directory, 'leases')), []);
  });

  await t.test('a kept server outlives its commands, until it is stopped', async (t) => {
    const kept = await keepEmbedded(options);
    await kept.release();
    const user = await acquireFor(t, options);
    assert.equal(user.startedHere, false);
    await user.release();
    const status = await embeddedStatus(options);
    assert.equal(status.running, true);
    assert.equal(status.kept, true);
    assert.equal(status.url, kept.url);
    assert.equal(status.version, ((await ask(kept.url, 'SHOW server_version_num')) as string).slice(0, 2));
    assert.equal(await stopEmbedded(options), true);
    const after = await embeddedStatus(options);
    assert.deepEqual([after.running, after.kept, after.url], [false, false, undefined]);
  });

  await t.test('stop refuses while a command is at work, names it, and obeys force', async (t) => {
    const user = await holdElsewhere(t, directory);
    await assert.rejects(
      stopEmbedded(options),
      (error: Error & { code: string; facts: { details: string[] } }) => {
        assert.equal(error.code, 'embedded_in_use');
        assert.match(error.facts.details.join(), new RegExp(`process ${user.pid}: .*embedded-command`));
        return true;
      },
    );
    assert.equal(await ask(user.url, 'SELECT 1'), 1);
    assert.equal(await stopEmbedded({ ...options, force: true }), true);
    assert.equal(await user.end(), 0);
  });

  await t.test('a durable command is not given a server that runs without fsync', async (t) => {
    const server = await acquireFor(t, options);
    await assert.rejects(acquireEmbedded({ directory }), { code: 'embedded_not_durable' });
    await server.release();
    const durable = await acquireFor(t, { directory, settings: { work_mem: '7MB' } });
    assert.equal(await ask(durable.url, 'SHOW fsync'), 'on');
    assert.equal(await ask(durable.url, 'SHOW work_mem'), '7MB');
    await durable.release();
  });
});
