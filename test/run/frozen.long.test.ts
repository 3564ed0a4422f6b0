import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import { PgDatabase } from '../../src/db/connect.js';
import { TIMING } from '../../src/db/network.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { runPipeline } from '../../src/run/run.js';
import type { TestDatabase } from '../support/database.js';
import { type FaultProxy, proxyTo, type Rule } from '../support/proxy.js';
import { thingsDatabase, thingsPipeline } from '../support/things.js';

/** A fifth of a second in place of half a minute. */
export const SOON = {
  ...TIMING,
  connectMs: 1_500,
  quietMs: 200,
  againMs: 150,
  askMs: 1_000,
  unreachableMs: 300,
  returnMs: 500,
  goodbyeMs: 300,
};
/** With these times, on a loaded machine. */
const BOUND_MS = 20_000;
const ENDS = { timeout: 120_000 };

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Runs `work` on the database behind the proxy; what it threw, within the bound. */
async function boundedly(
  proxy: FaultProxy,
  work: (database: PgDatabase) => Promise<unknown>,
): Promise<SluiceError | undefined> {
  const database = new PgDatabase({ url: proxy.url, described: 'it', from: 'test' }, SOON);
  const from = performance.now();
  try {
    await work(database);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof SluiceError, String(error));
    return error;
  } finally {
    await database.close();
    const took = performance.now() - from;
    assert.ok(took < BOUND_MS, `it took ${Math.round(took)} ms`);
  }
}

const publishing = (database: PgDatabase) => runPipeline(thingsPipeline({ rows: 20 }), { database, log });

async function places(t: TestContext) {
  const direct = await thingsDatabase(t);
  const proxy = await proxyTo(direct.url);
  t.after(() => proxy.close());
  return { direct, proxy };
}

async function live(direct: TestDatabase) {
  const [things] = await direct.query<{ n: number }>('SELECT count(*)::int AS n FROM things');
  const batches = await direct
    .query<{ status: string }>('SELECT status FROM sluice.migration_batch ORDER BY id DESC LIMIT 1')
    .catch(() => []);
  return { rows: things?.n, status: batches[0]?.status };
}

const holding = (text: string, session: RegExp, passing = false): Omit<Rule, 'fault'> => ({
  session,
  holding: { direction: 'up', text },
  passing,
});

/** Where the connection freezes, and what is true of live then. */
const PHASES: readonly [name: string, rule: Omit<Rule, 'fault'>, published: boolean][] = [
  ['the check', holding('pg_attribute', /control/), false],
  ['the load, before its COPY', holding('COPY', /load/), false],
  ['the load, at its COMMIT', holding('COMMIT', /load/, true), false],
  ['the preparation', holding('ADD CONSTRAINT', /control|index/), false],
  ['the publish, before its COMMIT', holding('COMMIT', /publish/), false],
  ['the publish, after its COMMIT', holding('COMMIT', /publish/, true), true],
];

test(
  'a connection that freezes at any phase ends the run in time, and what it says of live is so',
  ENDS,
  async (t) => {
    const { direct, proxy } = await places(t);
    for (const [name, rule, published] of PHASES) {
      await direct.query("TRUNCATE things; INSERT INTO things VALUES (0, 'the old one')");
      let happened = false;
      void proxy.on({ ...rule, fault: { kind: 'freeze' } }).then(() => {
        happened = true;
      });
      const error = await boundedly(proxy, publishing);
      assert.ok(happened, `${name}: it never came to that`);
      proxy.heal();
      const { rows, status } = await live(direct);
      assert.equal(rows, published || error === undefined ? 20 : 1, `${name}: ${error?.message}`);
      if (published) assert.equal(error, undefined, `${name}: ${error?.message}`);
      if (error === undefined) assert.equal(status, 'completed', name);
      else
        assert.match(error.facts.state ?? '', /nothing was (published|written)/, `${name}: ${error.message}`);
      // Nothing that it has left is in the way of the next one.
      assert.equal((await boundedly(proxy, publishing))?.message, undefined, name);
    }
  },
);

test(
  'a network that is gone at the answer to COMMIT is said as an outcome that is not known',
  ENDS,
  async (t) => {
    const { direct, proxy } = await places(t);
    const stop = new AbortController();
    // Thirty seconds are waited for the server to come back, but for whoever wants to stop.
    void proxy
      .on({ ...holding('COMMIT', /publish/, true), fault: { kind: 'freeze' }, all: true })
      .then(() => setTimeout(() => stop.abort(), 3_000));
    const error = await boundedly(proxy, (database) =>
      runPipeline(thingsPipeline({ rows: 20 }), { database, log, signal: stop.signal }),
    );
    assert.equal(error?.code, 'outcome_unknown', error?.message);
    proxy.heal();
    assert.deepEqual(await live(direct), { rows: 20, status: 'completed' });
  },
);

test('a rollback whose connection freezes ends in time, and what it says of live is so', ENDS, async (t) => {
  const { direct, proxy } = await places(t);
  for (const [passing, undone] of [
    [false, false],
    [true, true],
  ] as const) {
    await direct.query("TRUNCATE things; INSERT INTO things VALUES (0, 'the old one')");
    const ran = await boundedly(proxy, publishing);
    assert.equal(ran, undefined);
    const [batch] = await direct.query<{ id: string }>(
      'SELECT max(id)::text AS id FROM sluice.migration_batch',
    );
    void proxy.on({ ...holding('COMMIT', /publish/, passing), fault: { kind: 'freeze' } });
    const error = await boundedly(proxy, (database) =>
      rollbackBatch(batch?.id as string, { database, log, events: {} }),
    );
    proxy.heal();
    const { rows, status } = await live(direct);
    const back = error === undefined;
    if (undone) assert.ok(back, error?.message);
    assert.deepEqual([rows, status], back ? [1, 'rolled_back'] : [20, 'completed'], error?.message);
  }
});
