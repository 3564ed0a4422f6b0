import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';

test('a command that npm has found is said to be typed so; what is read by programs says its name alone', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  const status = ['status', '--database-url', database.url];
  const typed = (by: Readonly<Record<string, string>>, ...more: readonly string[]) =>
    sluice([...status, '404', ...more], { cwd, env: by });
  assert.match((await typed({})).stderr, /next: +sluice status/);
  for (const by of ['exec', 'run-script'])
    assert.match((await typed({ npm_command: by })).stderr, /next: +npx sluice status/);
  const { next } = JSON.parse((await typed({ npm_command: 'exec' }, '--json')).stdout).error;
  assert.match([next].flat().join(), /^sluice status/);
});
