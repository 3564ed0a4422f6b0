import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, validation } from '../../src/core/pipeline.js';
import type { Database } from '../../src/core/run.js';
import { append, merge, patch, replace } from '../../src/core/target.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { query } from '../../src/sources/postgres/index.js';
import { EMPTY, testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';

/** Settings of a database that change what is read as text, how long may be worked, and where things stand. */
const HOSTILE = {
  DateStyle: 'German, DMY',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '-10',
  bytea_output: 'escape',
  standard_conforming_strings: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  xmloption: 'document',
  TimeZone: 'Asia/Kathmandu',
  statement_timeout: '30s',
  lock_timeout: '10',
  idle_in_transaction_session_timeout: '20',
  idle_session_timeout: '30',
  array_nulls: 'off',
  transform_null_equals: 'on',
  client_min_messages: 'debug1',
  client_encoding: 'LATIN1',
  quote_all_identifiers: 'on',
  work_mem: '64kB',
};

test('settings of the database change neither what is published nor what is compared', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(`
    CREATE EXTENSION intarray;
    CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1), (2);
    CREATE FUNCTION tg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES parent, n text DEFAULT 'a\\b',
      d date DEFAULT '2020-02-01', at timestamptz DEFAULT '2020-02-01 00:00+00', iv interval DEFAULT '-1 day 02:03:04',
      f float8 DEFAULT 0.1, b bytea DEFAULT '\\x01', a text[] DEFAULT '{NULL,b}', x xml DEFAULT '<a/><b/>',
      CHECK (d > '2019-01-02'), CHECK (f < 0.123456789012));
    CREATE INDEX ON t (d) WHERE at > '2020-01-01 00:00+00'; CREATE VIEW v AS SELECT * FROM t WHERE d > '2020-01-02';
    CREATE TRIGGER tg BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.b <> '\\x00') EXECUTE FUNCTION tg('a\\b');
    CREATE TABLE child (id int REFERENCES t);
    INSERT INTO t (id, p) VALUES (1, 1), (2, 2)`);
  const state = () => database.query('SELECT t.*::text FROM t ORDER BY id');
  const before = await state();
  const settings = Object.entries(HOSTILE).map(
    ([name, to]) => `ALTER DATABASE ${database.name} SET ${name} = '${to}'`,
  );
  // Index and table stand where the database's default is not.
  const inPlace = await database.connect();
  await inPlace.query('SET allow_in_place_tablespaces = on');
  await inPlace.query("CREATE TABLESPACE elsewhere LOCATION ''").catch(() => {});
  await inPlace.query(
    [...settings, `ALTER DATABASE ${database.name} SET default_tablespace = elsewhere`].join('; '),
  );

  const on = engine(t, database);
  const columns = ['id', 'p', 'n', 'd', 'iv'] as const;
  const row = (id: number, n: string) => ({
    id: String(id),
    p: '1',
    n,
    d: '2021-02-03',
    iv: '1 day -01:00:00',
  });
  for (const target of [
    replace('t', { columns, omit: ['at', 'f', 'b', 'a', 'x'] }),
    merge('t', { columns, key: ['id'] }),
    patch('t', { columns, key: ['id'] }),
    append('t', { columns }),
  ]) {
    const id = target.mode === 'append' ? 9 : 1;
    const { summary } = await on.run(loads({ x: [target, [row(id, target.mode)]] }), { maxShrink: 50 });
    assert.equal(summary.status, 'completed', target.mode);
    assert.deepEqual(await database.query(`SELECT n, d::text, iv::text FROM t WHERE id = ${id}`), [
      { n: target.mode, d: '2021-02-03', iv: '1 day -01:00:00' },
    ]);
    await rollbackBatch(summary.batch as string, { database: on.database, log: on.log });
    assert.deepEqual(await state(), before, target.mode);
  }
});

/** Whatever the planner decides by, or gives a node of a plan. */
const OF_PLANS = `SELECT name, setting FROM pg_catalog.pg_settings
  WHERE category LIKE 'Query Tuning%' OR category = 'Resource Usage / Memory' AND name <> 'maintenance_work_mem'`;

test('a user’s queries are planned by the settings that the role has, wherever they are run', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(`CREATE TABLE t (name text PRIMARY KEY, setting text);
    ALTER DATABASE ${database.name} SET work_mem = '3MB'; ALTER DATABASE ${database.name} SET random_page_cost = 1.5`);
  const theirs = (await (await database.connect()).query(`${OF_PLANS} ORDER BY name`)).rows;
  const inSteps = new Map<string, unknown>();
  const ask = (where: string) => async (context: { readonly database: Database }) => {
    inSteps.set(where, await context.database.query(`${OF_PLANS} ORDER BY name`));
    return [];
  };
  const { summary } = await engine(t, database).run(
    loads(
      { x: [replace('t', { columns: ['name', 'setting'] }), query(OF_PLANS)] },
      {
        checks: [check('settings', 'they are asked', ask('check'))],
        // As many as are asked at once, so that each session has one.
        validations: ['first', 'second', 'third', 'fourth'].map((name) =>
          validation(name, 'they are asked', ask(name)),
        ),
      },
    ),
  );
  assert.equal(summary.status, 'completed');
  assert.ok(theirs.length > 30);
  assert.deepEqual(await database.query('SELECT * FROM t ORDER BY name'), theirs);
  assert.deepEqual([...inSteps.keys()].sort(), ['check', 'first', 'fourth', 'second', 'third']);
  for (const [where, settings] of inSteps) assert.deepEqual(settings, theirs, where);
});
