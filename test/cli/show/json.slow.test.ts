import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sluice, startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { thingsDatabase } from '../../support/things.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

/** Nobody listens there. */
const NOWHERE = 'postgres://me:secret@127.0.0.1:1/db';

/** The one object that a command has printed on stdout. */
function answer(stdout: string, args: string): Record<string, unknown> {
  assert.match(stdout, /^\{.*\}\n$/, `${args}: one object on one line`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const codeOf = (told: Record<string, unknown>) => (told.error as { code: string } | null)?.code;

/** `sluice` in a folder with the pipeline things.ts and the file t.csv. */
async function folder(t: TestContext) {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  writeFileSync(join(cwd, 't.csv'), 'id,name\n1,a\n');
  const run = async (args: string, url = database.url) => {
    const ended = await sluice(args.split(' '), { cwd, env: { SLUICE_DATABASE_URL: url } });
    return { ...ended, told: answer(ended.stdout, args) };
  };
  return { database, cwd, run };
}

test('every command that answers in JSON does so, too, where it cannot even begin', async (t) => {
  const { run } = await folder(t);
  for (const args of [
    'run ./things.ts --yes',
    'load ./things.ts --yes',
    'copy t.csv --into things --yes',
    'swap 1 --yes',
    'rollback 1 --yes',
    'check ./things.ts',
    'plan ./things.ts',
    'assess ./things.ts',
    'backup ./things.ts',
    'validate 1',
    'status',
    'status 1',
    'rejects 1',
    'report 1',
    'cleanup',
    'init',
    'mappings okvet',
  ]) {
    const { told, code, stderr } = await run(`${args} --json`, NOWHERE);
    assert.notEqual(code, 0, args);
    assert.ok(['failed', 'refused', 'usage'].includes(String(told.status)), args);
    assert.ok(stderr.includes((told.error as { message: string }).message), `${args}: stderr says the same`);
  }
  const missing = await run('restore-check nowhere --json');
  assert.notEqual(codeOf(missing.told), undefined);
});

test('wrong usage is answered in JSON as well', async (t) => {
  const { run } = await folder(t);
  const unknown = await run('run ./things.ts --josn --json');
  assert.deepEqual([unknown.code, unknown.told.status, codeOf(unknown.told)], [2, 'usage', 'bad_option']);
  const contradiction = await run('run ./things.ts --dry-run --rehearse --json');
  assert.deepEqual([contradiction.code, codeOf(contradiction.told)], [2, 'which']);
  const asks = await run('run ./things.ts --json');
  assert.deepEqual([asks.code, asks.told.status, codeOf(asks.told)], [2, 'usage', 'needs_yes']);
});

test('a run, load, copy and swap that are refused answer with the keys of one that is not, and what was counted', async (t) => {
  const { database, run } = await folder(t);
  await database.query("INSERT INTO things SELECT i, 'old' FROM generate_series(100, 199) i");
  const good = await run('run ./things.ts --set rows=60 --rehearse --json');
  assert.equal(good.code, 0, good.stderr);
  const keys = Object.keys(good.told).sort();
  assert.equal(good.told.error, null);
  for (const [args, code, kind, error] of [
    ['run ./things.ts --set rows=40 --yes', 3, 'refused', 'would_shrink'],
    ['run ./things.ts --set rows=40 --dry-run', 3, 'refused', 'would_shrink'],
    ['load ./things.ts --set rows=40 --yes', 3, 'refused', 'would_shrink'],
    ['run ./things.ts --set rows=200 --set bad=3 --yes', 3, 'refused', 'too_many_rejects'],
    ['copy t.csv --into things --mode replace --yes', 3, 'refused', 'would_shrink'],
    ['copy nowhere.csv --into things --yes', undefined, undefined, undefined],
    ['swap 99 --yes', undefined, undefined, undefined],
  ] as const) {
    const ended = await run(`${args} --json`);
    assert.deepEqual(Object.keys(ended.told).sort(), keys, args);
    assert.equal(typeof codeOf(ended.told), 'string', args);
    if (code === undefined) continue;
    assert.deepEqual([ended.code, ended.told.status, codeOf(ended.told)], [code, kind, error], ended.stderr);
    assert.equal(ended.told.batch === null, args.includes('--dry-run'), args);
    assert.ok(Number(ended.told.read) > 0, args);
  }
  const rejected = await run('run ./things.ts --set rows=200 --set bad=3 --yes --json');
  const { read, rejected: rows, reject_reasons, published } = rejected.told;
  assert.deepEqual([read, rows, published], [200, 3, {}]);
  assert.notDeepEqual(reject_reasons, {});
  const allowed = await run('run ./things.ts --set rows=40 --max-shrink 70% --yes --json');
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.deepEqual(allowed.told.loaded, { things: 39 });
});

test('a run that is stopped answers with its batch and what it has read', async (t) => {
  const { database, cwd } = await folder(t);
  const running = startSluice(['run', './things.ts', '--set', 'wait=yes', '--yes', '--json'], {
    cwd,
    env: { SLUICE_DATABASE_URL: database.url },
  });
  await running.said('the source waits');
  running.child.kill('SIGINT');
  const { code, stdout } = await running.ended;
  const told = answer(stdout, 'run');
  assert.deepEqual([code, told.status, told.batch, codeOf(told)], [130, 'interrupted', '1', 'interrupted']);
});
