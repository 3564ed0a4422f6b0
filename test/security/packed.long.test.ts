import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { projectFolder } from '../support/server.js';

test('what is published holds what commands need and nothing of the tests', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout, stderr } = spawnSync('npm', args, { cwd: projectFolder, encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  // One package, in a list or under its name.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>);
  const paths = (packed?.files ?? []).map(({ path }) => path);
  assert.deepEqual(
    paths.filter((path) =>
      /(^|\/)(tests?|coverage|\.sluice|\.ci)\/|\.test\.|\.log$|\.env$|migration_backup_/.test(path),
    ),
    [],
  );
  const needed = [
    ...[
      'dist/bundle/src/cli/main.js',
      'dist/bundle/src/sources/zstd/thread.js',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/transforms/index.js',
    ],
    ...['dist/sinks/index.js', 'src/db/ledger/schema.sql', 'README.md', 'LICENSE', 'CHANGELOG.md'],
  ];
  assert.deepEqual(
    needed.filter((path) => !paths.includes(path)),
    [],
  );
  for (const folder of ['dist/pipelines/', 'dist/samples/', 'samples/', 'docs/'])
    assert.ok(
      paths.some((path) => path.startsWith(folder)),
      folder,
    );
});
