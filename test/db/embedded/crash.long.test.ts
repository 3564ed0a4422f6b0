import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireEmbedded, embeddedStatus } from '../../../src/db/embedded/index.js';
import { identityOf } from '../../../src/db/embedded/process.js';
import { acquireFor, ask, embeddedDirectory, runElsewhere } from '../../support/embedded.js';

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
  const server = await acquireFor(t, { directory, durable: false });
  assert.equal(await ask(server.url, 'SELECT 1'), 1);
  assert.deepEqual(
    unfinished().filter((name) => name.includes('.new-')),
    [],
  );
});

test('an embedded server that met with an accident', async (t) => {
  const directory = embeddedDirectory(t);
  const options = { directory, durable: false };
  const first = await acquireEmbedded(options);
  const data = first.dataDirectory;
  await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer').finally(first.release);

  await t.test('killed with -9, it comes back with what was committed', async (t) => {
    const first = await acquireFor(t, options);
    await ask(first.url, 'CREATE TABLE late AS SELECT 43 AS answer');
    const pid = (await embeddedStatus(options)).pid as number;
    process.kill(pid, 'SIGKILL');
    // The signal is sent, and the process is there for a moment yet.
    while (identityOf(pid) !== undefined) await sleep(5);
    const second = await acquireFor(t, options);
    assert.equal(second.startedHere, true);
    assert.equal(await ask(second.url, 'SELECT answer FROM late'), 43);
    await Promise.all([first.release(), second.release()]);
    assert.equal((await embeddedStatus(options)).running, false);
  });

  await t.test(
    'one that is dying, though its process and its pid file say that it runs, is started again',
    async (t) => {
      await acquireFor(t, options);
      const before = readdirSync(join(directory, 'leases')).length;
      const pid = (await embeddedStatus(options)).pid as number;
      // It listens, and does not answer.
      process.kill(pid, 'SIGSTOP');
      const next = acquireFor(t, options);
      while (readdirSync(join(directory, 'leases')).length === before) await sleep(5);
      process.kill(pid, 'SIGKILL');
      assert.equal((await next).startedHere, true);
      assert.equal(await ask((await next).url, 'SELECT answer FROM kept'), 42);
    },
  );

  await t.test('its pid file names a process that is gone', async (t) => {
    const server = await acquireFor(t, options);
    const { pid } = await embeddedStatus(options);
    const file = join(data, 'postmaster.pid');
    const text = readFileSync(file, 'utf8');
    await server.release();
    assert.equal(existsSync(file), false);
    // Ended it has; its parent, this process, learns of it a moment later.
    while (exists(pid as number)) await sleep(5);
    writeFileSync(file, text);
    assert.equal((await embeddedStatus(options)).running, false);
    const next = await acquireFor(t, options);
    assert.equal(await ask(next.url, 'SELECT answer FROM kept'), 42);
  });

  await t.test('its pid file names a living process that is another one', async (t) => {
    const file = join(data, 'postmaster.pid');
    writeFileSync(file, `${process.pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n  1 1\nready   \n`);
    assert.equal((await embeddedStatus(options)).running, false);
    const next = await acquireFor(t, options);
    assert.equal(next.startedHere, true);
    assert.equal(await ask(next.url, 'SELECT answer FROM kept'), 42);
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

  await t.test('a password file that does not fit says so', async (t) => {
    const file = join(dirname(data), 'password');
    const password = readFileSync(file, 'utf8');
    t.after(() => writeFileSync(file, password));
    writeFileSync(file, 'guess');
    await assert.rejects(acquireEmbedded(options), { code: 'embedded_login_failed' });
    assert.equal((await embeddedStatus(options)).running, false);
  });

  await t.test('data of another major version is left alone and named', async (t) => {
    const version = join(data, 'PG_VERSION');
    const major = readFileSync(version, 'utf8');
    const root = dirname(data);
    const elsewhere = join(dirname(root), '9');
    const putBack = () => {
      if (existsSync(elsewhere)) renameSync(elsewhere, root);
      writeFileSync(version, major);
    };
    t.after(putBack);
    const told = (error: Told) => {
      assert.equal(error.code, 'embedded_other_major');
      assert.match(error.message, /is of PostgreSQL 9, which PostgreSQL \d+ cannot read/);
      return true;
    };
    writeFileSync(version, '9\n');
    await assert.rejects(acquireEmbedded(options), told);
    renameSync(root, elsewhere);
    await assert.rejects(acquireEmbedded(options), told);
    putBack();
    const server = await acquireFor(t, options);
    assert.equal(await ask(server.url, 'SELECT answer FROM kept'), 42);
  });
});

test('a file where the directory should be ends in a message', async (t) => {
  const directory = embeddedDirectory(t);
  mkdirSync(directory);
  writeFileSync(join(directory, 'postgres'), '');
  await assert.rejects(acquireEmbedded({ directory }), { code: 'embedded_files' });
  rmSync(join(directory, 'postgres'));
});
