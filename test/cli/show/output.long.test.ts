import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAIN, startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { leftGuards, leftSchemas } from '../../support/lots.js';
import { thingsDatabase } from '../../support/things.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

/** A system to publish into, and `sluice` in a shell that sends its output wherever a line says. */
async function shelled(t: TestContext) {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'things.csv'), 'id,name\n1,one\n2,two\n');
  const env = { ...process.env, SLUICE_DATABASE_URL: database.url };
  const shell = async (line: string) => {
    const child = spawn('bash', ['-c', `sluice() { ${process.execPath} ${MAIN} "$@"; }; ${line}`], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      stderr += more;
    });
    child.stdout.resume();
    const [code] = await once(child, 'close');
    return { code: code as number, stderr };
  };
  return { database, cwd, shell };
}
const COPY = 'sluice copy things.csv --into things --mode merge --yes';

test('a run whose reader goes away in its midst goes on to its end, and leaves no guard behind', async (t) => {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  const running = startSluice(['run', 'things.ts', '--yes', '--set', 'rows=5000', '--log-format', 'json'], {
    cwd,
    env: { SLUICE_DATABASE_URL: database.url },
  });
  t.after(() => running.child.kill('SIGKILL'));
  await running.said('loading staging');
  running.child.stderr?.destroy();
  running.child.stdout?.destroy();
  assert.equal((await running.ended).code, 0);
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 4999 }]);
  assert.deepEqual(await database.query('SELECT status FROM sluice.migration_batch'), [
    { status: 'completed' },
  ]);
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), ['sluice_old_1']);
});

for (const [what, line] of [
  ['stderr is on a full disk', `${COPY} 2>/dev/full`],
  ['stderr is closed', `${COPY} 2>&-`],
  ['both are on a full disk', `${COPY} --json >/dev/full 2>/dev/full`],
  ['a reader has had enough', `set -o pipefail; ${COPY} --json 2>&1 | head -n 1`],
] as const)
  test(`${what}: the exit code says what became of the data`, async (t) => {
    const { database, shell } = await shelled(t);
    assert.equal((await shell(line)).code, 0);
    assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 3 }]);
    assert.deepEqual(await leftGuards(database), []);
    const refused = await shell(line.replace('--mode merge', '--mode append'));
    assert.equal(refused.code, 3);
    assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 3 }]);
  });

test('a full disk under stdout: a run says so and what it did; what only tells something fails', async (t) => {
  const { shell } = await shelled(t);
  const run = await shell(`${COPY} --json >/dev/full`);
  assert.equal(run.code, 0);
  assert.match(run.stderr, /stdout could not be written: ENOSPC.*the exit code says what was done/);
  const status = await shell('sluice status --json >/dev/full');
  assert.equal(status.code, 1);
  assert.match(status.stderr, /stdout could not be written: ENOSPC.*what is there is not all of it/);
  assert.equal((await shell('sluice --help >/dev/full')).code, 1);
  for (const how of ['', ' --format jsonl', ' --compress gz']) {
    const exported = await shell(`sluice export things${how} >/dev/full`);
    assert.equal(exported.code, 1);
    assert.match(exported.stderr, /stdout could not be written: ENOSPC.*what is there is not all of it/);
    assert.doesNotMatch(exported.stderr, /✓/);
  }
});

test('output that a file takes only in part is no success; a reader that has had enough is one', async (t) => {
  const { cwd, shell } = await shelled(t);
  const cut = await shell('ulimit -f 1; sluice list --json > cut.json');
  assert.equal(readFileSync(join(cwd, 'cut.json')).length, 1024);
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /stdout could not be written: EFBIG/);
  const piped = await shell('set -o pipefail; sluice list --json | true');
  assert.deepEqual(piped, { code: 0, stderr: '' });
});
