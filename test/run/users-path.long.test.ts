import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, merge, patch, replace, sync } from '../../src/core/target.js';
import { query } from '../../src/index.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';

const COLUMNS = ['email', 'tags', 'code'] as const;

test("what the application's code names without a schema is found, and types of extensions are compared as their own", async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE SCHEMA app; ALTER DATABASE ${database.name} SET search_path = app, public; SET search_path = app, public;
    CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext;
    CREATE TABLE codes (c text PRIMARY KEY); INSERT INTO codes VALUES ('a'), ('b');
    CREATE TABLE audit (what text);
    CREATE FUNCTION known(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM codes WHERE c = $1); END';
    CREATE FUNCTION first_code() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT min(c) FROM codes); END';
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NULL; END';
    CREATE TABLE people (email ext.citext PRIMARY KEY, tags ext.hstore, code text DEFAULT first_code() CHECK (known(code)));
    CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON people FOR EACH STATEMENT EXECUTE FUNCTION noted();
    INSERT INTO people VALUES ('Ann@x', 'a=>1', 'a'), ('bob@x', 'b=>2', 'b'); TRUNCATE audit`);
  const on = engine(t, database);
  const state = () => database.query('SELECT email::text, tags::text, code FROM app.people ORDER BY 1');
  const before = await state();
  const columns = [...COLUMNS];
  const ANN = { email: 'ANN@X', tags: '"a"=>"9"', code: 'b' };
  const CARL = { email: 'carl@x', tags: '"c"=>"3"', code: 'a' };
  for (const [target, rows, after] of [
    [
      merge('people', { columns, key: ['email'] }),
      [ANN, CARL],
      ['Ann@x "a"=>"9"', 'bob@x "b"=>"2"', 'carl@x "c"=>"3"'],
    ],
    [sync('people', { columns, key: ['email'] }), [ANN, CARL], ['Ann@x "a"=>"9"', 'carl@x "c"=>"3"']],
    [patch('people', { columns, key: ['email'] }), [ANN], ['Ann@x "a"=>"9"', 'bob@x "b"=>"2"']],
    [
      append('people', { columns: ['email', 'tags'] }),
      [{ email: CARL.email, tags: CARL.tags }],
      ['Ann@x "a"=>"1"', 'bob@x "b"=>"2"', 'carl@x "c"=>"3"'],
    ],
    [
      replace('people', { columns: ['email', 'tags'], omit: ['code'] }),
      [{ email: ANN.email, tags: ANN.tags }],
      ['ANN@X "a"=>"9"'],
    ],
  ] as const) {
    const { summary } = await on.run(loads({ people: [target, rows] }), { maxShrink: 100 });
    assert.equal(summary.status, 'completed', target.mode);
    assert.deepEqual(
      (await state()).map(({ email, tags }) => `${email} ${tags}`),
      after,
      target.mode,
    );
    await rollbackBatch(summary.batch as string, { database: on.database, log: on.log });
    assert.deepEqual(await state(), before, target.mode);
  }
  assert.ok((await database.query('SELECT FROM audit')).length > 6);

  // A row that breaks such a CHECK is found beforehand, with its value.
  const { summary } = await on.run(
    loads({ people: [append('people', { columns }), [CARL, { ...CARL, email: 'd@x', code: 'zz' }]] }),
    { maxRejects: { rows: 1 } },
  );
  assert.equal(summary.rejected, 1);
  const [reject] = await database.query('SELECT column_name, value FROM sluice.migration_reject');
  assert.deepEqual(reject, { column_name: 'code', value: 'zz' });
  // A key that differs in case alone is taken.
  const taken = on.run(loads({ people: [append('people', { columns }), [{ ...CARL, email: 'BOB@x' }]] }));
  await assert.rejects(taken, /1 of 1 row was rejected/);
  // And the user's own queries are read along it.
  const read = loads({
    people: [merge('people', { columns, key: ['email'] }), query('SELECT email, tags, code FROM people')],
  });
  assert.equal((await on.run(read)).summary.read, 3);
});
