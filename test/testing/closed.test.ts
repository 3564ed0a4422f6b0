import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { closeTestServer, testPipeline } from 'sluice/testing';
import { serverUrl, testDatabase } from '../support/database.js';
import { projectFolder } from '../support/server.js';
import { thingsPipeline } from '../support/things.js';

const TABLES = { things: { id: 'integer PRIMARY KEY', name: 'text' } };

const SCRIPT = `
import { flow, memory, pipeline, replace } from 'sluice';
import { testPipeline } from 'sluice/testing';
const things = pipeline({
  name: 'things',
  summary: 'Things',
  inputs: { things: memory('things', [{ id: '1', name: 'one' }]) },
  tables: { things: replace('things', { columns: ['id', 'name'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.things).into(tables.things)],
});
const { url } = await testPipeline(things, { tables: ${JSON.stringify(TABLES)} });
process.stdout.write(new URL(url).pathname.slice(1));
`;

test('databases of tests are gone when their process has nothing more to do, or is told that it has not', async (t) => {
  const server = await serverUrl();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    cwd: projectFolder,
    env: { PATH: process.env.PATH, SLUICE_TEST_URL: server },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  assert.deepEqual(await once(child, 'exit'), [0, null], said);
  const { url } = await testPipeline(thingsPipeline({ rows: 1 }), { tables: TABLES, server });
  await closeTestServer();
  const database = await testDatabase(t);
  const names = [said, new URL(url).pathname.slice(1)];
  assert.ok(
    names.every((name) => /^sluice_test_[0-9a-f]{12}$/.test(name)),
    names.join(),
  );
  assert.deepEqual(
    await database.query('SELECT datname FROM pg_database WHERE datname = ANY ($1)', [names]),
    [],
  );
});
