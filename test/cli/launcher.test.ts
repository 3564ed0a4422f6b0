import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'acorn';
import { projectFolder } from '../support/server.js';

const LAUNCHER = join(projectFolder, 'bin', 'sluice.cjs');

/** The launcher under a Node that says it is of this version. */
function asNode(version: string, ...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-launcher-'));
  try {
    const claims = join(folder, 'claims.cjs');
    writeFileSync(
      claims,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
    );
    return spawnSync(process.execPath, ['-r', claims, LAUNCHER, ...args], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('what is started first is read by every Node there has been', () => {
  const script = readFileSync(LAUNCHER, 'utf8').replace(/^#!.*/, '');
  assert.ok(parse(script, { ecmaVersion: 5 }));
});

test('a Node that is too old is told in one sentence, with exit code 2, and nothing else is loaded', () => {
  for (const version of ['0.10.48', '12.22.12', '18.20.8', '20.11.1']) {
    const { status, stdout, stderr } = asNode(version, 'list');
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^sluice needs Node\.js 20\.12 or newer, and this is [\d.]+: .*\n$/);
    assert.ok(stderr.includes(version));
  }
});

test('the oldest that is promised, and later ones, run the command', () => {
  const { engines } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  assert.equal(engines.node, '>=20.12');
  for (const version of ['20.12.0', '22.1.0', '24.0.0']) {
    const { status, stdout, stderr } = asNode(version, '--version');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^\d+\.\d+\.\d+/);
  }
});
