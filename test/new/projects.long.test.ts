import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startSluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';
import { DEVELOPMENT, packedProject } from '../support/packed.js';

// What `npm install` would fetch beside Sluice is linked: the tarball and this checkout are all that is needed, and no
// registry. The types of Node and the compiler are what a project's devDependencies name.

/** A project as `sluice new` of the packed tarball makes it, and what runs in it. */
async function project(t: TestContext, template: string, ...more: readonly string[]) {
  const packed = packedProject(t, DEVELOPMENT);
  const modules = join(packed, 'node_modules');
  const main = join(modules, 'sluice', 'dist', 'bundle', 'src', 'cli', 'main.js');
  const made = await startSluice(['new', 'mine', '--template', template, ...more], {
    main,
    cwd: packed,
    input: '',
  }).ended;
  assert.equal(made.code, 0, made.stderr);
  // Node and the compiler find the packages of the folder above.
  const cwd = join(packed, 'mine');
  const database = await testDatabase(t);
  const sluice = (...args: readonly string[]) =>
    startSluice(args, { main, cwd, input: '', env: { DATABASE_URL: database.url } }).ended;
  const node = (...args: readonly string[]) =>
    spawnSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
    });
  return {
    cwd,
    database,
    sluice,
    node,
    tsc: () => node(join(modules, 'typescript', 'bin', 'tsc'), '--pretty', 'false'),
  };
}

const PIPELINES = [
  ['csv', 'orders', 3],
  ['query', 'customers', 2],
  ['sqlite', 'tasks', 2],
] as const;

for (const [template, table, rows] of PIPELINES)
  test(`a new ${template} project compiles strictly, passes its test, runs and is rolled back`, async (t) => {
    const { cwd, database, sluice, node, tsc } = await project(t, template);
    assert.equal(tsc().stdout, '');
    const tested = node('--test', 'dist/test/pipeline.test.js');
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /pass [12]\n/);
    if (template === 'query') await database.query(readFileSync(join(cwd, 'old-system.sql'), 'utf8'));
    const checked = await sluice('check', './pipeline.ts');
    assert.equal(checked.code, 0, checked.stderr);
    const ran = await sluice('run', './pipeline.ts', '--yes', '--json');
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await database.query(`SELECT FROM ${table}`)).length, rows);
    const { batch } = JSON.parse(ran.stdout) as { readonly batch: string };
    const undone = await sluice('rollback', batch, '--yes');
    assert.equal(undone.code, 0, undone.stderr);
  });

test('a new copy project compiles, passes its test, and its command loads the sample', async (t) => {
  const { cwd, database, sluice, node, tsc } = await project(t, 'copy');
  assert.equal(tsc().stdout, '');
  const tested = node('--test', 'dist/test/rows.test.js');
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.match(tested.stdout, /pass 1\n/);
  const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
  const [, ...words] = (scripts.start as string).split(' ');
  const ran = await sluice(...words, '--yes');
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal((await database.query('SELECT FROM orders')).length, 3);
});

test('a project of a sample with awkward names compiles and passes its test', async (t) => {
  const folder = packedProject(t);
  const sample = join(folder, 'Old Parts.csv');
  writeFileSync(sample, 'Group;Part No.;class;"it\'s ""it"""\nA;1;x;\nA;2;;y\n');
  const { node, tsc, cwd } = await project(t, 'csv', '--sample', sample);
  assert.equal(tsc().stdout, '');
  const tested = node('--test', 'dist/test/pipeline.test.js');
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.deepEqual(readdirSync(join(cwd, 'data')), ['Old Parts.csv']);
});
