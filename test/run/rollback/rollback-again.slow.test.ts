import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Row } from '../../../src/core/row.js';
import { append, merge, patch, replace, sync, type Target } from '../../../src/core/target.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { checksums } from '../../support/window.js';

const COLUMNS = { columns: ['id', 'name'] as const };
const KEY = { ...COLUMNS, key: ['id'] as const };
const BY = {
  replace: replace('t', COLUMNS),
  merge: merge('t', KEY),
  mergeAll: sync('t', KEY),
  patch: patch('t', KEY),
  append: append('t', COLUMNS),
};
type How = keyof typeof BY;

/** A table of five rows, publishes of it one after the other, and their rollbacks. */
async function table(t: TestContext) {
  const database = await testDatabase(t);
  await database.query(
    "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, 5) i",
  );
  const { run, database: own, log } = engine(t, database);
  const client = await database.connect();
  const load = async (target: Target, rows: readonly Row[], options = {}) =>
    (await run(loads({ t: [target, rows] }), options)).summary.batch as string;
  let n = 0;
  return {
    database,
    own,
    sum: () => checksums(client, 't'),
    /** Another publish: every other row differs from the last one's, and rows of its own are added by all but a patch. */
    next: (how: How) => {
      n += 1;
      const changed = Array.from({ length: 5 }, (_, i) => ({
        id: i + 1,
        name: i % 2 === n % 2 ? `b${n}` : 'same',
      }));
      const added = { id: 10 + n, name: `added ${n}` };
      const rows = how === 'append' ? [added] : how === 'patch' ? changed.slice(1) : [...changed, added];
      return load(BY[how], how === 'mergeAll' ? rows.slice(1) : rows);
    },
    load,
    undo: (batch: string, discardWrites = false) =>
      rollbackBatch(batch, { database: own, log, discardWrites }),
  };
}

const writtenSince = (error: SluiceError) => {
  assert.equal(error.code, 'written_since');
  return true;
};

for (const hows of [
  ['replace', 'merge'],
  ['merge', 'mergeAll', 'merge'],
  ['append', 'append', 'merge', 'replace'],
  ['replace', 'merge', 'mergeAll', 'patch'],
  ['replace', 'mergeAll', 'replace', 'merge', 'append'],
] as const satisfies readonly (readonly How[])[])
  (hows.length === 3 ? test : long)(
    `${hows.join(', then ')}: rolled back one by one, the latest first, each leaves what was before it`,
    async (t) => {
      const { sum, next, undo } = await table(t);
      const states = [await sum()];
      const batches: string[] = [];
      for (const how of hows) {
        batches.push(await next(how));
        states.push(await sum());
      }
      for (const batch of batches.reverse()) {
        assert.deepEqual(await sum(), states.pop());
        await undo(batch);
      }
      assert.deepEqual(await sum(), states.pop());
    },
  );

long('batches that came and went one after the other leave a replace that can be rolled back', async (t) => {
  const { sum, next, undo } = await table(t);
  const before = await sum();
  const first = await next('replace');
  const published = await sum();
  for (const how of ['merge', 'mergeAll', 'patch', 'merge'] as const) {
    await undo(await next(how));
    assert.deepEqual(await sum(), published);
  }
  await undo(first);
  assert.deepEqual(await sum(), before);
});

for (const [when, write] of [
  ['before the later batch, to a row that it changes', 'before'],
  ['after the later batch was rolled back, to a row that it had changed', 'after'],
  ['between, to a row that the later batch left alone', 'between'],
  ['before the later batch, by deleting a row', 'deleted'],
] as const)
  test(`a write of somebody else is still found: ${when}`, async (t) => {
    const { database, sum, load, undo } = await table(t);
    const before = await sum();
    const rows = (name: string) => [1, 2, 3].map((id) => ({ id, name: `${name}${id}` }));
    const first = await load(BY.replace, [...rows('a'), { id: 4, name: 'a4' }, { id: 5, name: 'a5' }]);
    if (write === 'before') await database.query("UPDATE t SET name = 'theirs' WHERE id = 1");
    if (write === 'deleted') await database.query('DELETE FROM t WHERE id = 4');
    const second = await load(BY.merge, rows('b'));
    if (write === 'between') await database.query("UPDATE t SET name = 'theirs' WHERE id = 4");
    await undo(second);
    if (write === 'after') await database.query("UPDATE t SET name = 'theirs' WHERE id = 1");
    const now = await sum();
    await assert.rejects(undo(first), writtenSince);
    assert.deepEqual(await sum(), now);
    await undo(first, true);
    assert.deepEqual(await sum(), before);
  });

for (const guard of ['journal', 'lock'] as const)
  test(`rows of a table without a key are known after a merge over them came and went (--guard ${guard})`, async (t) => {
    const { database, sum, load, undo } = await table(t);
    await database.query("ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t VALUES (7, 'x')");
    const before = await sum();
    const first = await load(BY.append, [
      { id: 7, name: 'x' },
      { id: 8, name: 'y' },
    ]);
    const second = await load(BY.merge, [{ id: 8, name: 'z' }], { guard });
    await undo(second);
    await database.query("UPDATE t SET name = 'theirs' WHERE id = 2");
    await undo(first);
    await database.query("UPDATE t SET name = 'n2' WHERE id = 2");
    assert.deepEqual(await sum(), before);
  });

test('where the images of an undone batch are cleaned up, nobody can tell whose its rows were: refused, not lost', async (t) => {
  const { own, next, undo } = await table(t);
  const first = await next('replace');
  await undo(await next('merge'));
  for (const leftover of (await findLeftovers(own, 0)).filter(({ batch }) => batch === '2'))
    await dropLeftover(own, leftover);
  await assert.rejects(undo(first), writtenSince);
});
