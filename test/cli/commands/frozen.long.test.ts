import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { proxyTo, type Rule } from '../../support/proxy.js';
import { thingsDatabase } from '../../support/things.js';
import { until } from '../../support/until.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

/** Two seconds, and half as much again for a machine that has other work. */
const HEEDED_MS = 3_000;

const ENDS = { timeout: 240_000 };

async function command(t: TestContext) {
  const database = await thingsDatabase(t);
  const proxy = await proxyTo(database.url);
  t.after(() => proxy.close());
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  const start = (args: string, url = proxy.url) => {
    const running = startSluice(args.split(' '), { cwd, env: { SLUICE_DATABASE_URL: url } });
    t.after(() => running.child.kill('SIGKILL'));
    return running;
  };
  const done = async (args: string) => {
    const ended = await start(args, database.url).ended;
    assert.equal(ended.code, 0, `${args}: ${ended.stderr}`);
    return ended;
  };
  /** Starts it, lets the network freeze there, sends SIGTERM, and gives how it ended. */
  const frozen = async (args: string, where: Omit<Rule, 'fault'>) => {
    const happened = proxy.on({ ...where, fault: { kind: 'freeze' }, all: true });
    const running = start(args);
    const early = running.ended.then((ended) => {
      throw new Error(`${args} ended before it came to that: ${ended.stderr}`);
    });
    early.catch(() => {});
    await Promise.race([happened, early]);
    const from = performance.now();
    running.child.kill('SIGTERM');
    const ended = await running.ended;
    const took = Math.round(performance.now() - from);
    t.diagnostic(`${args}: ${took} ms`);
    assert.ok(took < HEEDED_MS, `${args}: ${took} ms\n${ended.stderr}`);
    proxy.heal();
    await until('its sessions are gone', async () => {
      const left = await database.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sluice %'",
      );
      return left.length === 0;
    });
    return ended;
  };
  return { database, done, frozen };
}

const at = (text: string, passing = false): Omit<Rule, 'fault'> => ({
  holding: { direction: 'up', text },
  passing,
});

test('on a network that freezes every command heeds the first signal', ENDS, async (t) => {
  const { database, done, frozen } = await command(t);
  await done('run things.ts --yes');
  for (const [args, where] of [
    ['status', at('application_name')],
    ['status 1', at('migration_batch')],
    ['rejects 1', at('migration_reject')],
    ['validate 1', at('migration_batch')],
    ['cleanup', at('migration_batch')],
    ['check things.ts', at('pg_attribute')],
    ['rollback 1 --yes', at('sluice_undone')],
    ['run things.ts --yes', at('COPY')],
    ['run things.ts --yes --set rows=11', { ...at('LOCK TABLE'), session: /publish/ }],
  ] as const) {
    const { code, stderr } = await frozen(args, where);
    if (code === 1) assert.match(stderr, /outcome is not known/, `${args}: ${stderr}`);
    else assert.equal(code, 130, `${args}: ${stderr}`);
    if (!args.includes('rows=11'))
      assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 10 }]);
  }
  // What was on its way when the command gave up gets there in the end, and the ledger says so.
  const { stdout } = await done('status --json');
  const [latest] = JSON.parse(stdout) as { status: string }[];
  const n = latest?.status === 'completed' ? 11 : 10;
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n }]);
});

test(
  'a swap whose network freezes heeds the first signal, and says what it does not know',
  ENDS,
  async (t) => {
    const { done, frozen } = await command(t);
    await done('run things.ts --yes --no-swap');
    const { code, stderr } = await frozen('swap 1 --pipeline things.ts --yes', {
      ...at('COMMIT', true),
      session: /publish/,
    });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /its outcome is not known/);
    assert.match(stderr, /next: +sluice status/);
  },
);
