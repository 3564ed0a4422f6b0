import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Row } from '../../../src/core/row.js';
import { append, merge } from '../../../src/core/target.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import { memory } from '../../../src/sources/memory.js';
import { csvFile, inShort, runAround } from '../../support/broken.js';
import { testDatabase } from '../../support/database.js';
import { loads } from '../../support/engine.js';
import { leftSchemas, openDatabase } from '../../support/lots.js';

const published = (ran: unknown) => assert.ok(!(ran instanceof SluiceError), String(ran));

test('what a BEFORE trigger fixes is no reject, and what it spoils or refuses is one', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY);
    CREATE TABLE tr (id int PRIMARY KEY, n int NOT NULL CONSTRAINT positive CHECK (n > 0), p int REFERENCES parents);
    CREATE FUNCTION fix() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.n IS NULL AND NEW.id < 100 THEN NEW.n := 2; END IF;
      IF NEW.n = -1 THEN NEW.n := 1; ELSIF NEW.n = 13 THEN NEW.n := 0; ELSIF NEW.n = 66 THEN RAISE EXCEPTION 'not %', NEW.n; END IF;
      IF NEW.p = 1 THEN INSERT INTO parents VALUES (1) ON CONFLICT DO NOTHING; END IF; RETURN NEW; END $$;
    CREATE TRIGGER fix BEFORE INSERT OR UPDATE ON tr FOR EACH ROW EXECUTE FUNCTION fix()`);
  const rows = Array.from({ length: 400 }, (_, i) => ({
    id: String(i + 1),
    n: '5',
    p: i % 50 === 0 ? '1' : null,
  }));
  const bad: Record<number, Row> = {
    10: { n: '-1' },
    15: { n: null },
    115: { n: null },
    20: { n: '13' },
    30: { n: '66' },
    40: { p: '2' },
    41: { p: '3' },
    399: { n: '-5' },
  };
  const made = rows.map((row, i) => ({ ...row, ...bad[i + 1] }));
  for (const target of [
    append('tr', { columns: ['id', 'n', 'p'] }),
    merge('tr', { columns: ['id', 'n', 'p'], key: ['id'] }),
  ]) {
    const { ran, rejects } = await runAround(t, database, loads({ tr: [target, memory('tr', made)] }));
    published(ran);
    assert.deepEqual(inShort(rejects), [
      '20 check_violation positive n=13',
      '30 refused_by_server null null=null',
      '40 foreign_key_violation tr_p_fkey p=2',
      '41 foreign_key_violation tr_p_fkey p=3',
      '115 not_null_violation null n=null',
      '399 check_violation positive n=-5',
    ]);
    const [live] = await database.query('SELECT count(*)::int AS rows, min(n) AS least FROM tr');
    assert.deepEqual(live, { rows: 394, least: 1 });
    await database.query('TRUNCATE tr, parents');
  }
  assert.deepEqual(await leftSchemas(database), ['sluice_old_1', 'sluice_old_2']);
});

test('rows that an exclusion constraint keeps apart, from live and from each other, are rejects', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE ex (id int, during int4range, CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (id < 100));
    INSERT INTO ex VALUES (0, '[1,5)')`);
  const input = csvFile(
    t,
    'ex.csv',
    'id,during',
    '1,"[4,6)"',
    '2,"[10,20)"',
    '3,"[15,30)"',
    '4,"[20,25)"',
    '101,"[1,99)"',
  );
  const { ran, rejects } = await runAround(
    t,
    database,
    loads({ ex: [append('ex', { columns: ['id', 'during'] }), input] }),
  );
  published(ran);
  assert.deepEqual(inShort(rejects), [
    '2 exclusion_violation apart id, during=1, [4,6)',
    '4 exclusion_violation apart id, during=3, [15,30)',
  ]);
  // Where nothing is published yet, they are told all the same.
  const staged = await runAround(
    t,
    database,
    loads({ ex: [append('ex', { columns: ['id', 'during'] }), input] }),
    { publish: false },
  );
  assert.equal((staged.ran as SluiceError).code, 'too_many_rejects');
  assert.equal(staged.rejects.length, 4);
});

test('a swap that meets what came to live since the load refuses and keeps staging', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE s (id int PRIMARY KEY)');
  const pipeline = loads({ s: [append('s', { columns: ['id'] }), [{ id: '1' }, { id: '2' }]] });
  const { ran } = await runAround(t, database, pipeline, { publish: false, guard: 'off' });
  published(ran);
  await database.query('INSERT INTO s VALUES (2)');
  const opened = openDatabase(t, database);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  await assert.rejects(
    swapBatch(pipeline, await findStaged(opened, '1'), { database: opened, log }),
    (error: SluiceError) => {
      assert.equal(error.code, 'rows_not_publishable');
      assert.match(error.facts.details?.join() ?? '', /1 row has a value of id that live has already/);
      return true;
    },
  );
  assert.equal((await findStaged(opened, '1')).status, 'staged');
});

test('identities, serials and numbers by a trigger follow the order of the input, whatever the rows’ width', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE SEQUENCE numbers; CREATE TABLE i (id bigint GENERATED ALWAYS AS IDENTITY, n int PRIMARY KEY, w text);
    CREATE TABLE d (id text DEFAULT 'x' || nextval('numbers'), n int PRIMARY KEY, w text);
    CREATE TABLE b (id int, n int PRIMARY KEY, w text);
    CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := nextval('numbers'); RETURN NEW; END $$;
    CREATE TRIGGER number BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION number()`);
  const rows = Array.from({ length: 3000 }, (_, i) => ({ n: String(i), w: 'x'.repeat((i * 7) % 300) }));
  for (const table of ['i', 'd', 'b'])
    for (const target of [
      append(table, { columns: ['n', 'w'] }),
      merge(table, { columns: ['n', 'w'], key: ['n'] }),
    ]) {
      published((await runAround(t, database, loads({ [table]: [target, rows] }))).ran);
      const [lost] = await database.query(
        `SELECT count(*)::int AS n FROM (SELECT n - lag(n) OVER (ORDER BY ltrim(id::text, 'x')::bigint) AS step FROM ${table}) x WHERE step <> 1`,
      );
      assert.deepEqual(lost, { n: 0 }, `${target.mode} into ${table}`);
      await database.query(`TRUNCATE ${table}`);
    }
});
