import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { append, merge, patch, replace } from '../../../src/core/target.js';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads, rowsAfter } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { thrown } from '../../support/thrown.js';

const SYSTEM = `
CREATE TABLE models (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE parts (id int PRIMARY KEY, model_id int NOT NULL REFERENCES models, amount int NOT NULL);
CREATE TABLE timers (id int PRIMARY KEY, running boolean NOT NULL);
CREATE TABLE audit (id int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (what) VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO models SELECT i, 'model ' || i FROM generate_series(1, 5) i;
INSERT INTO parts SELECT i, i, 0 FROM generate_series(1, 5) i;
INSERT INTO timers VALUES (1, false);
TRUNCATE audit;
`;

const models = (n: number) => Array.from({ length: n }, (_, i) => ({ id: i + 1, name: `new ${i + 1}` }));
const amounts = (n: number) => Array.from({ length: n }, (_, i) => ({ id: i + 1, model_id: 1, amount: 7 }));
const MODELS = { columns: ['id', 'name'] as const };
const PARTS = { columns: ['id', 'model_id', 'amount'] as const, key: ['id'] as const };

for (const [mode, target] of [
  ['replace', replace('parts', { columns: PARTS.columns })],
  ['merge', merge('parts', PARTS)],
  ['patch', patch('parts', PARTS)],
] as const)
  (mode === 'replace' || mode === 'merge' ? test : long)(
    `a write during the load stops a ${mode}: which table, how many statements, by whom, and what next`,
    async (t) => {
      const database = await testDatabase(t);
      await database.query(SYSTEM);
      const writer = await database.connect({ application_name: 'the old system' });
      const source = rowsAfter(amounts(5), async () => {
        await writer.query('UPDATE parts SET amount = 1 WHERE id = 1');
        await writer.query('UPDATE parts SET amount = 2 WHERE id = 1');
      });
      const { run, database: own } = engine(t, database);
      const error = await thrown(run(loads({ parts: [target, source] })));
      assert.equal(error.code, 'live_written_during_load');
      assert.equal(error.kind, 'refused');
      assert.match(error.message, /^2 statements wrote to public\.parts /);
      assert.match(
        String(error.facts.details),
        /public\.parts: 2 UPDATE statements \(2 rows\) by \w+ as the old system/,
      );
      assert.match(String(error.facts.next), /again {3}\(it reads what was written\)/);
      assert.match(String(error.facts.state), /nothing was published/);
      assert.deepEqual(await database.query('SELECT amount FROM parts WHERE id = 1'), [{ amount: 2 }]);
      assert.equal((await findBatch(own, '1')).status, 'failed');
      const left = await database.query(
        "SELECT tgname FROM pg_trigger WHERE tgname ~ 'sluice' UNION ALL SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'",
      );
      assert.deepEqual(left, []);
    },
  );

test('a write to a table that is only appended to, or of no concern, stops nothing', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const source = rowsAfter([{ id: 9, model_id: 1, amount: 1 }], async () => {
    await database.query('INSERT INTO parts VALUES (8, 1, 1)');
    await database.query('UPDATE timers SET running = true');
  });
  const { run } = engine(t, database);
  const { summary } = await run(loads({ parts: [append('parts', { columns: PARTS.columns }), source] }));
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM parts'), [{ n: 7 }]);
});

for (const target of [
  append('parts', { columns: PARTS.columns }),
  replace('parts', { columns: PARTS.columns, maxShrink: 80 }),
])
  (target.mode === 'replace' ? test : long)(
    `a write to a table that the pipeline only guards stops its ${target.mode}`,
    async (t) => {
      const database = await testDatabase(t);
      await database.query(SYSTEM);
      const source = (before: () => Promise<unknown>) =>
        loads(
          { parts: [target, rowsAfter([{ id: 9, model_id: 1, amount: 1 }], before)] },
          { guards: ['timers'] },
        );
      const { run } = engine(t, database);
      const starts = () => database.query('UPDATE timers SET running = true');
      const error = await thrown(run(source(starts)));
      assert.equal(error.code, 'live_written_during_load');
      assert.equal(error.facts.table, 'public.timers');
      assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM parts'), [{ n: 5 }]);
      const { summary } = await run(source(async () => {}));
      assert.equal(summary.status, 'completed');
      assert.deepEqual(await database.query("SELECT tgname FROM pg_trigger WHERE tgname ~ 'sluice'"), []);
    },
  );

test('a guarded table that does not exist is a usage error, before anything is written', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run } = engine(t, database);
  await assert.rejects(
    run(loads({ models: [replace('models', MODELS), models(5)] }, { guards: ['timer'] })),
    ({ code, kind, facts }: SluiceError) => {
      return code === 'no_such_table' && kind === 'usage' && /did you mean timers/.test(String(facts.next));
    },
  );
});

for (const mode of ['replace', 'merge', 'patch'] as const)
  (mode === 'replace' ? test : long)(
    `--guard lock keeps writers out of a ${mode} until it has committed, and lets readers in`,
    async (t) => {
      const database = await testDatabase(t);
      await database.query(SYSTEM);
      const writer = await database.connect();
      let wrote: Promise<unknown> | undefined;
      let waited = false;
      const source = rowsAfter(
        models(6).slice(mode === 'patch' ? 1 : 0, mode === 'patch' ? 5 : 6),
        async () => {
          assert.equal((await writer.query('SELECT FROM models')).rowCount, 5);
          // A statement that waits has a snapshot older than the load, which a replace does not outrun: it gives up.
          if (mode === 'replace') await writer.query("SET lock_timeout = '150ms'");
          const write = () => writer.query("UPDATE models SET name = 'written' WHERE id = 1");
          wrote = mode === 'replace' ? assert.rejects(write(), { code: '55P03' }) : write();
          waited = await Promise.race([
            wrote.then(() => false),
            new Promise<true>((r) => setTimeout(r, 100, true)),
          ]);
        },
      );
      const target = {
        replace: replace('models', MODELS),
        merge: merge('models', { ...MODELS, key: ['id'] }),
        patch: patch('models', { ...MODELS, key: ['id'] }),
      }[mode];
      const { run } = engine(t, database);
      const { summary } = await run(loads({ models: [target, source] }), { guard: 'lock' });
      await wrote;
      assert.equal(waited, true);
      assert.equal(summary.status, 'completed');
      const [first, second] = await database.query('SELECT name FROM models ORDER BY id');
      const written = { replace: 'new 1', merge: 'written', patch: 'written' }[mode];
      assert.deepEqual([first, second], [{ name: written }, { name: 'new 2' }]);
      const rest = await database.query('SELECT FROM parts JOIN models m ON m.id = model_id');
      assert.equal(rest.length, 5);
    },
  );

long(
  '--guard lock gives way to a reader that holds the table, and keeps writers out between attempts',
  async (t) => {
    const database = await testDatabase(t);
    await database.query(SYSTEM);
    const reader = await database.connect();
    const source = rowsAfter(models(6), () => reader.query('BEGIN; SELECT FROM models'));
    const { run } = engine(t, database);
    const gaveWay: string[] = [];
    const warn = (text: string) => {
      if (/gave way/.test(text) && gaveWay.push(text) === 1) void reader.query('COMMIT');
    };
    const { summary } = await run(loads({ models: [replace('models', MODELS), source] }), {
      guard: 'lock',
      events: { warn },
    });
    assert.equal(summary.status, 'completed');
    assert.match(gaveWay[0] ?? '', /gave way: .*in the way: pid \d+/);
  },
);

long('where the session that keeps writers out is killed, nothing is published', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const source = rowsAfter(models(6), async () => {
    await database.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name ~ 'guard$' AND datname = current_database()",
    );
    await database.query("UPDATE models SET name = 'written'");
  });
  const { run } = engine(t, database);
  const error = await thrown(run(loads({ models: [replace('models', MODELS), source] }), { guard: 'lock' }));
  assert.equal(error.code, 'guard_lost');
  assert.deepEqual(await database.query('SELECT DISTINCT name FROM models'), [{ name: 'written' }]);
});

test('--guard lock is refused where its lock would block the run itself, or would not last', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run } = engine(t, database);
  const both = loads({
    parts: [replace('parts', { columns: PARTS.columns }), amounts(5)],
    models: [merge('models', { ...MODELS, key: ['id'] }), models(5)],
  });
  const error = await thrown(run(both, { guard: 'lock' }));
  assert.equal(error.code, 'check_refused');
  assert.match(String(error.facts.details), /parts_model_id_fkey of public\.parts, to public\.models/);
  await assert.rejects(run(both, { guard: 'lock', publish: false }), { code: 'guard_ends', kind: 'usage' });
  assert.equal((await run(both)).summary.status, 'completed');
});

long('--guard off publishes over what was written', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const source = rowsAfter(models(5), () => database.query("UPDATE models SET name = 'lost'"));
  const { run } = engine(t, database);
  await run(loads({ models: [replace('models', MODELS), source] }), { guard: 'off' });
  assert.deepEqual(await database.query("SELECT FROM models WHERE name = 'lost'"), []);
});

for (const [name, target] of [
  ['append', append('parts', { columns: PARTS.columns })],
  ['merge', merge('parts', PARTS)],
] as const)
  (name === 'append' ? test : long)(
    `--no-triggers publishes an ${name} without the table's triggers, also when it is swapped in later`,
    async (t) => {
      const database = await testDatabase(t);
      await database.query(SYSTEM);
      const { run, database: own, log } = engine(t, database);
      const of = (id: number) => loads({ parts: [target, [{ id, model_id: 1, amount: 3 }]] });
      await run(of(11));
      assert.equal((await database.query('SELECT FROM audit')).length, 1);
      await run(of(12), { noTriggers: true });
      const loaded = await run(of(13), { noTriggers: true, publish: false });
      const { findStaged, swapBatch } = await import('../../../src/run/swap.js');
      await swapBatch(of(13), await findStaged(own, loaded.summary.batch as string), { database: own, log });
      assert.equal((await database.query('SELECT FROM audit')).length, 1);
      assert.equal((await database.query('SELECT FROM parts')).length, 8);
      await database.query('UPDATE parts SET amount = 0 WHERE id = 13');
      assert.equal((await database.query('SELECT FROM audit')).length, 2);
    },
  );
