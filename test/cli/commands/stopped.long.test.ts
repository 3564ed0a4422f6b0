import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { logOf, type Running, sluice, startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { leftGuards, leftSchemas } from '../../support/lots.js';
import { thingsDatabase } from '../../support/things.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

const LIVE = [{ id: 0, name: 'the old one' }];

/** A command that is in the middle of its load, waiting for its source. */
async function loading(t: TestContext) {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  const env = { SLUICE_DATABASE_URL: database.url };
  const running: Running = startSluice(
    ['run', 'things.ts', '--yes', '--set', 'wait=yes', '--set', 'rows=5000'],
    { cwd, env },
  );
  t.after(() => running.child.kill('SIGKILL'));
  await running.said('the source waits');
  return { database, cwd, running, run: (args: string) => sluice(args.split(' '), { cwd, env }) };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`${signal} in the middle of a load ends with 130: nothing is published, nothing is left`, async (t) => {
    const { database, cwd, running } = await loading(t);
    running.child.kill(signal);
    // A terminal that is closed hangs up once by its shell and once by the kernel.
    if (signal === 'SIGHUP') {
      await running.said('stopping');
      running.child.kill(signal);
    }
    const { code, stdout, stderr } = await running.ended;
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`stopped by ${signal}`));
    assert.match(stderr, /nothing was published; live tables are untouched; batch 1 is failed/);
    assert.deepEqual(await database.query('SELECT * FROM things'), LIVE);
    assert.deepEqual(await leftSchemas(database), []);
    assert.deepEqual(await leftGuards(database), []);
    assert.ok(existsSync(logOf(cwd, '1')));
  });

test('after kill -9 in the middle of a load: interrupted, said by the next run, which works; cleanup takes the rest', async (t) => {
  const { database, running, run } = await loading(t);
  running.child.kill('SIGKILL');
  await running.ended;
  // The server needs a moment to see that its client is gone.
  for (;;) {
    const [there] = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sluice %'",
    );
    if (there === undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(await database.query('SELECT * FROM things'), LIVE);
  const status = await run('status 1');
  assert.match(status.stdout, /status +interrupted/);
  assert.match(status.stdout, /next: sluice run .*things\.ts .*\(live is untouched; start again\)/);

  const again = await run('run things.ts --yes');
  assert.equal(again.code, 0, again.stderr);
  assert.match(
    again.stderr,
    /batch 1 \(things\) was interrupted; nothing of it is live\n +next: sluice cleanup {3}\(/,
  );
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 10 }]);

  const listed = await run('cleanup --json');
  const kinds = (JSON.parse(listed.stdout) as { kind: string; batch: string }[]).map(
    (each) => `${each.kind} ${each.batch}`,
  );
  assert.ok(kinds.includes('staging 1'), kinds.join());
  assert.match(listed.stderr, /nothing was dropped\n +next: sluice cleanup --json --execute/);
  const cleaned = await run('cleanup --execute');
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.deepEqual(await leftSchemas(database), ['sluice_old_2']);
  assert.deepEqual(await leftGuards(database), []);
  assert.match((await run('status 1')).stdout, /status +failed/);
});
