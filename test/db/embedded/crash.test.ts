import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireEmbedded, embeddedStatus } from '../../../src/db/embedded/index.js';
import { ask, embeddedDirectory, runElsewhere } from '../../support/embedded.js';

interface Told extends Error {
  readonly code: string;
  readonly facts: { readonly details?: readonly string[]; readonly next?: unknown };
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a command killed in the middle of initdb leaves nothing that the next one stumbles over', async (t) => {
  const directory = embeddedDirectory(t);
  const command = runElsewhere(directory);
  const postgres = join(directory, 'postgres');
  const unfinished = () => (existsSync(postgres) ? readdirSync(postgres) : []);
  while (!unfinished().some((name) => /^\d+\.new-/.test(name))) await sleep(5);
  command.kill('SIGKILL');
  await once(command, 'exit');
  assert.ok(!unfinished().some((name) => /^\d+$/.test(name)));
  const server = await acquireEmbedded({ directory, durable: false });
  assert.equal(await ask(server.url, 'SELECT 1'), 1);
  assert.deepEqual(
    unfinished().filter((name) => name.includes('.new-')),
    [],
  );
  await server.release();
});

test('an embedded server that met with an accident', async (t) => {
  const directory = embeddedDirectory(t);
  const options = { directory, durable: false };
  let data = '';

  await t.test('killed with -9, it comes back with what was committed', async () => {
    const first = await acquireEmbedded(options);
    data = first.dataDirectory;
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const { pid } = await embeddedStatus(options);
    process.kill(pid as number, 'SIGKILL');
    const second = await acquireEmbedded(options);
    assert.equal(second.startedHere, true);
    assert.equal(await ask(second.url, 'SELECT answer FROM kept'), 42);
    await Promise.all([first.release(), second.release()]);
    assert.equal((await embeddedStatus(options)).running, false);
  });

  await t.test('its pid file names a process that is gone', async () => {
    const server = await acquireEmbedded(options);
    const { pid } = await embeddedStatus(options);
    const file = join(data, 'postmaster.pid');
    const text = readFileSync(file, 'utf8');
    await server.release();
    assert.equal(existsSync(file), false);
    // Ended it has; its parent, this process, learns of it a moment later.
    while (exists(pid as number)) await sleep(5);
    writeFileSync(file, text);
    assert.equal((await embeddedStatus(options)).running, false);
    const next = await acquireEmbedded(options);
    assert.equal(await ask(next.url, 'SELECT answer FROM kept'), 42);
    await next.release();
  });

  await t.test('its pid file names a living process that is another one', async () => {
    const file = join(data, 'postmaster.pid');
    writeFileSync(file, `${process.pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n  1 1\nready   \n`);
    assert.equal((await embeddedStatus(options)).running, false);
    const next = await acquireEmbedded(options);
    assert.equal(next.startedHere, true);
    assert.equal(await ask(next.url, 'SELECT answer FROM kept'), 42);
    await next.release();
  });

  await t.test('a setting that PostgreSQL does not know ends with what the log says', async () => {
    await assert.rejects(
      acquireEmbedded({ ...options, settings: { no_such_setting: '1' } }),
      (error: Told) => {
        assert.equal(error.code, 'embedded_start_failed');
        assert.match(error.facts.details?.join('\n') ?? '', /no_such_setting[\s\S]*log: .*log/);
        assert.ok(error.facts.next);
        return true;
      },
    );
    assert.deepEqual((await embeddedStatus(options)).leases, []);
  });

  await t.test('a password file that does not fit says so', async () => {
    const file = join(dirname(data), 'password');
    const password = readFileSync(file, 'utf8');
    writeFileSync(file, 'guess');
    await assert.rejects(acquireEmbedded(options), { code: 'embedded_login_failed' });
    assert.equal((await embeddedStatus(options)).running, false);
    writeFileSync(file, password);
  });

  await t.test('data of another major version is left alone and named', async () => {
    const version = join(data, 'PG_VERSION');
    const major = readFileSync(version, 'utf8');
    const root = dirname(data);
    const told = (error: Told) => {
      assert.equal(error.code, 'embedded_other_major');
      assert.match(error.message, /is of PostgreSQL 9, which PostgreSQL \d+ cannot read/);
      return true;
    };
    writeFileSync(version, '9\n');
    await assert.rejects(acquireEmbedded(options), told);
    renameSync(root, join(dirname(root), '9'));
    await assert.rejects(acquireEmbedded(options), told);
    renameSync(join(dirname(root), '9'), root);
    writeFileSync(version, major);
    const server = await acquireEmbedded(options);
    assert.equal(await ask(server.url, 'SELECT answer FROM kept'), 42);
    await server.release();
  });
});

test('a file where the directory should be ends in a message', async (t) => {
  const directory = embeddedDirectory(t);
  mkdirSync(directory);
  writeFileSync(join(directory, 'postgres'), '');
  await assert.rejects(acquireEmbedded({ directory }), { code: 'embedded_files' });
  rmSync(join(directory, 'postgres'));
});
