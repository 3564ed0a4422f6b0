import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageFile } from '../../src/core/package.js';

/** What a command has loaded: packages by name, and the houses of our own code. */
function loadedBy(args: readonly string[]): { packages: string[]; houses: string[]; stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-loaded-'));
  const into = join(folder, 'loaded');
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--import',
        packageFile('dist', 'test', 'support', 'load-hooks.js'),
        packageFile('dist', 'src', 'cli', 'main.js'),
        ...args,
      ],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, SLUICE_TEST_LOADED: into } },
    );
    assert.equal(status, 0, stderr);
    const loaded = readFileSync(into, 'utf8').split('\n');
    const found = (pattern: RegExp) =>
      [...new Set(loaded.map((each) => pattern.exec(each)?.[1] ?? ''))].filter(Boolean).sort();
    return {
      packages: found(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/),
      houses: found(/\/dist\/((?:src\/)?[a-z]+)\//).filter((house) => house !== 'test'),
      stdout,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What makes aligned tables. */
const TABLE = [
  'ansi-regex',
  'cli-table3',
  'emoji-regex',
  'is-fullwidth-code-point',
  'string-width',
  'strip-ansi',
];

test('--version loads no package, and nothing of what works', () => {
  for (const flag of ['--version', '-V']) {
    const { packages, houses, stdout } = loadedBy([flag]);
    assert.deepEqual(packages, []);
    assert.deepEqual(houses, ['src/cli', 'src/core']);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  }
});

for (const args of [['--help'], ['run', '--help'], ['help', 'copy'], ['list', '--json']])
  test(`${args.join(' ')} loads what reads the command line, and no other package`, () => {
    const { packages, stdout } = loadedBy(args);
    assert.deepEqual(packages, ['commander']);
    assert.notEqual(stdout, '');
  });

test('what connects loads no HTTP client of Node’s', () => {
  const code = `
    process.argv[2] = '--version';
    await import(process.argv[1]);
    await import('pg');
    const clients = process.moduleLoadList.filter((name) => name.includes('undici'));
    process.stdout.write(clients.join());`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', code, packageFile('dist', 'src', 'cli', 'main.js')],
    { cwd: packageFile(), encoding: 'utf8' },
  );
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/, stderr);
});

test('list loads what makes tables besides, and no pipeline’s sources, stages or sinks', () => {
  const { packages, houses, stdout } = loadedBy(['list']);
  assert.deepEqual(packages, [...TABLE, 'commander'].sort());
  for (const house of ['src/sources', 'sinks', 'transforms', 'src/copy'])
    assert.ok(!houses.includes(house), house);
  assert.match(stdout, /lot-consolidation/);
});
