import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextLines } from '../../../src/cli/show/next.js';
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

test('so is one that another program is to ask', async (t) => {
  const before = process.env.npm_command;
  t.after(() => {
    if (before === undefined) delete process.env.npm_command;
    else process.env.npm_command = before;
  });
  const line = 'psql "$(sluice db url demo)"';
  delete process.env.npm_command;
  assert.deepEqual(nextLines(line), [line]);
  process.env.npm_command = 'exec';
  assert.deepEqual(nextLines(line), ['psql "$(npx sluice db url demo)"']);
  assert.deepEqual(nextLines(line, 'record'), [line]);
});
