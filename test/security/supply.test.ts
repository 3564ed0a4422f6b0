import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllowed, lockedPackages } from '../supply/lock.js';

test('the lock has the hash of every package, and no registry but the public one', () => {
  const packages = lockedPackages();
  assert.ok(packages.length > 100);
  assert.deepEqual(
    packages.filter(({ integrity }) => !/^sha512-/.test(integrity ?? '')),
    [],
  );
  const elsewhere = packages.filter(
    ({ resolved }) => !/^(https:\/\/registry\.npmjs\.org\/|$)/.test(resolved ?? ''),
  );
  assert.deepEqual(elsewhere, []);
});

test('all packages are under licences that go with ours', () => {
  assert.deepEqual(
    lockedPackages().filter(({ license }) => !isAllowed(license)),
    [],
  );
  assert.deepEqual(['MIT', '(MIT OR GPL-3.0)', 'MIT AND GPL-3.0', 'GPL-3.0', undefined].map(isAllowed), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
