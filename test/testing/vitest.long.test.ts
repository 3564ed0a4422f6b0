import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { serverUrl } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { packedProject } from '../support/packed.js';

const TEST = `
import { afterAll, expect, test } from 'vitest';
import { flow, memory, pipeline, replace } from 'sluice';
import { closeTestServer, faults, testPipeline, testStage } from 'sluice/testing';
import { filter } from 'sluice/transforms';

afterAll(closeTestServer);

const parts = pipeline({
  name: 'parts',
  summary: 'Parts',
  inputs: { parts: memory('parts', [{ id: '1', name: 'bolt' }, { id: '2', name: 'nut' }]) },
  tables: { parts: replace('parts', { columns: ['id', 'name'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.parts).into(tables.parts)],
});
const tables = { parts: { id: 'integer PRIMARY KEY', name: 'text NOT NULL' } };

test('a stage', async () => {
  const { rows, skipped } = await testStage(filter((row) => row.n !== '2', 'two'), [{ n: '1' }, { n: '2' }]);
  expect(rows.map((row) => row.n)).toEqual(['1']);
  expect(skipped).toEqual({ two: 1 });
});

test('a pipeline', async () => {
  const tested = await testPipeline(parts, { tables });
  expect(tested.tables.parts).toEqual([{ id: 1, name: 'bolt' }, { id: 2, name: 'nut' }]);
  expect((await tested.rollback()).after).toEqual(tested.before);
});

test('a fault', async () => {
  const bad = faults.badRow({ input: 'parts', at: 2, values: { id: 'two' } });
  await expect(testPipeline(parts, { tables, faults: [bad] })).rejects.toMatchObject({ code: 'too_many_rejects' });
});
`;

test('the kit works with vitest, from the package as it is published', async (t) => {
  const project = packedProject(t);
  const tools = tempFolder(t);
  writeFileSync(join(tools, 'package.json'), '{ "private": true }');
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', 'vitest@^3'];
  const installed = spawnSync('npm', args, { cwd: tools, encoding: 'utf8' });
  if (installed.status !== 0) return t.skip(`vitest cannot be had: ${installed.stderr.slice(0, 300)}`);
  const vitest = join(tools, 'node_modules', 'vitest');
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(vitest, join(project, 'node_modules', 'vitest'));
  writeFileSync(join(project, 'parts.test.js'), TEST);
  const ran = spawnSync(
    process.execPath,
    [join(vitest, 'vitest.mjs'), 'run', '--root', project, '--testTimeout', '120000'],
    {
      cwd: project,
      encoding: 'utf8',
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_TEST_CONTEXT: undefined,
        CI: '1',
        SLUICE_TEST_URL: await serverUrl(),
      },
    },
  );
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /3 passed/);
});
