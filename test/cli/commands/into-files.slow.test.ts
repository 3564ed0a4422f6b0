import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAIN, sluice, startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { until } from '../../support/until.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

const ROWS_OUT = 'id,name\n1,THING 1!\n2,THING 2!\n';

/** A pipeline whose table is nowhere, in a folder of its own, which the embedded server would leave files in. */
function place(t: TestContext) {
  const cwd = tempFolder(t);
  const path = writeUserPipeline(tempFolder(t));
  const run = (...args: string[]) => sluice(['run', path, ...args], { cwd });
  return { cwd, path, run, names: () => readdirSync(cwd).sort() };
}

test('rows of a table’s pipeline go into a file: nobody is asked, no server is started, nothing else is left', async (t) => {
  const { cwd, run, names } = place(t);
  const ended = await run('--into', 'out/%t.csv', '--set', 'rows=2', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  const said = JSON.parse(ended.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [said.status, said.batch, said.read, said.files],
    ['written', null, 2, [{ path: 'out/things.csv', what: '2 rows' }]],
  );
  assert.match(ended.stderr, /database +none[\s\S]*into +out\/things\.csv[\s\S]*all files are whole/);
  assert.equal(readFileSync(join(cwd, 'out', 'things.csv'), 'utf8'), ROWS_OUT);
  assert.deepEqual(names(), ['out']);
  const again = await run('--into', 'out/', '--set', 'rows=2');
  assert.equal(again.code, 2);
  assert.match(again.stderr, /out\/things\.csv is there already[\s\S]*--overwrite/);
  assert.equal((await run('--into', 'out/', '--overwrite')).code, 0);
});

test('the same on stdout, as CSV or JSON Lines, with all that is said on stderr', async (t) => {
  const { run } = place(t);
  const csv = await run('--into', '-', '--set', 'rows=2');
  assert.deepEqual([csv.code, csv.stdout], [0, ROWS_OUT], csv.stderr);
  const json = await run('--into', '-', '--set', 'rows=1', '--format', 'jsonl', '--quiet');
  assert.deepEqual([json.code, json.stdout, json.stderr], [0, '{"id":"1","name":"THING 1!"}\n', '']);
});

test('exit codes are those of any run: rejects beyond the limit, within it, wrong usage', async (t) => {
  const { cwd, path, run, names } = place(t);
  const bad = join(cwd, 'bad.csv');
  writeFileSync(bad, 'id,name\n1,a\n2\n');
  const rows = ['--source', bad];
  const refused = await run(...rows, '--into', 'x.csv');
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /no file was made/);
  assert.deepEqual(names(), ['bad.csv']);
  const within = await run(...rows, '--into', 'x.csv', '--max-rejects', '1', '--rejects-into', 'rejects');
  assert.equal(within.code, 4, within.stderr);
  assert.equal(readFileSync(join(cwd, 'x.csv'), 'utf8'), 'id,name\n1,A!\n');
  assert.deepEqual(names(), ['bad.csv', 'rejects', 'x.csv']);
  for (const [args, why] of [
    [['--into', 'y.csv', '--resume', '1'], /--resume is about tables/],
    [['--into', 'y.csv', '--no-swap'], /--no-swap is about tables/],
    [['--into', 'y.csv', '--rehearse'], /--rehearse is about tables/],
    [['--into', 'y.csv', '--guard', 'lock'], /--guard is about tables/],
    [['--into', 'y.csv', '--no-triggers'], /--no-triggers is about tables/],
    [['--into', 'y-%n.csv'], /%n numbers files/],
    [['--into', 'y.parquet'], /have no types/],
    [['--into', '-', '--json'], /where the data goes/],
    [['--format', 'csv'], /--format is of files/],
  ] as const) {
    const ended = await sluice(['run', path, ...args], { cwd });
    assert.equal(ended.code, 2, `${args.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, why);
  }
  assert.deepEqual(names(), ['bad.csv', 'rejects', 'x.csv']);
});

test('who exports a pipeline is told how', async (t) => {
  const { cwd, path } = place(t);
  const ended = await sluice(['export', path], { cwd });
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /is a pipeline[\s\S]*sluice run \S+things\.ts --into out\/%t\.csv/);
});

test('a reader of stdout that has had enough is no failure, and the rest is not read', async (t) => {
  const { cwd, path } = place(t);
  const args = ['run', path, '--into', '-', '--set', 'rows=20000', '--set', 'wait=yes'];
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (more) => {
    said += more;
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  assert.equal(code, 0, said);
});

test('a signal stops it, and no file is left', async (t) => {
  const { cwd, path, names } = place(t);
  const running = startSluice(['run', path, '--into', 'x.csv', '--set', 'wait=yes'], { cwd, input: '' });
  await running.said('the source waits');
  await until('the file is begun', async () => names().some((name) => name.endsWith('.part')));
  running.child.kill('SIGTERM');
  const ended = await running.ended;
  assert.equal(ended.code, 130, ended.stderr);
  assert.match(ended.stderr, /no file was made/);
  assert.deepEqual(names(), []);
});

test('what is killed leaves no file of that name, only an unfinished one', async (t) => {
  const { cwd, path, names } = place(t);
  const running = startSluice(['run', path, '--into', 'x.csv', '--set', 'wait=yes'], { cwd, input: '' });
  await running.said('the source waits');
  await until('the file is begun', async () => names().some((name) => name.endsWith('.part')));
  running.child.kill('SIGKILL');
  await running.ended;
  assert.deepEqual(names(), [`x.csv.${running.child.pid}.part`]);
});
