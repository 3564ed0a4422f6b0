import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropRetained } from '../../../../sinks/publish/replace/discard.js';
import { surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../../support/database.js';
import { changed, factsOf } from '../../../support/facts.js';
import { makeFixture, TARGETS } from '../../../support/fixture.js';
import { PATIENT } from '../../../support/patience.js';
import { retainedBy, swap } from '../../../support/swap.js';

const T = { schema: 'public', table: 't' };

async function refusalsOf(database: TestDatabase, role?: string): Promise<string[]> {
  const client = await database.connect();
  if (role) await client.query(`SET SESSION AUTHORIZATION ${role}`);
  const survey = await surveyReplace(client, [T]);
  for (const { next, stays, reason } of survey.refusals) assert.ok(stays || next.length > 0, reason);
  return survey.refusals.map((each) => `${each.object}: ${each.reason}`);
}

const cases: readonly [number: string, what: string, sql: string, expected: RegExp][] = [
  ['24', 'a published table', 'CREATE PUBLICATION p FOR TABLE t', /published by p/],
  [
    '24',
    'a table in a published schema',
    'CREATE PUBLICATION p FOR TABLES IN SCHEMA public',
    /published by p/,
  ],
  ['24', 'a publication of all tables', 'CREATE PUBLICATION p FOR ALL TABLES', /published by p/],
  [
    '24',
    'a subscribed table',
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE); INSERT INTO pg_subscription_rel SELECT oid, 't'::regclass, 'r' FROM pg_subscription WHERE subname = 's'",
    /receives changes from subscription/,
  ],
  [
    '25',
    'a function of the row type',
    'CREATE FUNCTION f(t) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    /function public\.f\(public\.t\): it uses the table's row type/,
  ],
  [
    '25',
    'a function returning rows',
    'CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS $$ SELECT * FROM t $$',
    /function public\.f\(\): it uses the table's row type/,
  ],
  [
    '25',
    "another table's column of the row type",
    'CREATE TABLE u (x t[])',
    /column x of table public\.u: it uses the table's row type/,
  ],
  [
    '25',
    'a whole-row view',
    'CREATE VIEW v AS SELECT whole FROM t whole',
    /column whole of view public\.v: it uses the table's row type/,
  ],
  [
    '25',
    'a domain over the row type',
    'CREATE DOMAIN d AS t',
    /type public\.d: it uses the table's row type/,
  ],
  [
    '25',
    'a default on an identity sequence',
    "CREATE TABLE u (x int DEFAULT nextval('t_id_seq'))",
    /default value for column x of table public\.u: it depends/,
  ],
  [
    '25',
    'an index with a constant of the table',
    "CREATE TABLE u (x oid); CREATE INDEX i ON u ((x = 't'::regclass))",
    /index public\.i: it depends on the table's table/,
  ],
  [
    '25',
    'a constraint trigger FROM the table',
    'CREATE TABLE u (x int); CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER k AFTER INSERT ON u FROM t FOR EACH ROW EXECUTE FUNCTION g()',
    /trigger k on table public\.u: it depends/,
  ],
  [
    '25',
    'a direct materialized view',
    'CREATE MATERIALIZED VIEW m AS SELECT * FROM t',
    /materialized view public\.m: it reads the table directly/,
  ],
  [
    '25',
    'an aggregate in an operator class of nobody',
    'CREATE OPERATOR CLASS oc FOR TYPE t USING hash AS STORAGE t',
    /operator/,
  ],
  ['25', 'inheritance', 'CREATE TABLE u () INHERITS (t)', /u inherits from it, and would be left behind/],
  [
    '25',
    'inheriting',
    'CREATE TABLE u (y int); ALTER TABLE t ADD y int, INHERIT u',
    /inherits from public\.u/,
  ],
  [
    '25',
    'an invalid index',
    "CREATE INDEX broken ON t (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass",
    /index broken: the index is invalid/,
  ],
  [
    '25',
    'disabled triggers behind a key',
    'CREATE TABLE u (x int REFERENCES t); ALTER TABLE t DISABLE TRIGGER ALL',
    /triggers behind foreign key u_x_fkey are disabled/,
  ],
  [
    '25',
    'a key on a partitioned table',
    'CREATE TABLE u (x int REFERENCES t) PARTITION BY LIST (x)',
    /the key is on a partitioned table/,
  ],
  [
    '25',
    'a trigger that depends on an extension',
    'CREATE EXTENSION hstore; CREATE INDEX i ON t (id); ALTER INDEX i DEPENDS ON EXTENSION hstore',
    /depending on an extension/,
  ],
];

for (const [number, what, sql, expected] of cases) {
  test(`SWAP ${number}: ${what} is refused by name with the way out`, async (t) => {
    const database = await testDatabase(t, { template: EMPTY });
    await database.query('CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x text)');
    await database.query(sql);
    const refusals = await refusalsOf(database);
    assert.ok(
      refusals.some((line) => expected.test(line)),
      `no refusal matches ${expected}: ${JSON.stringify(refusals)}`,
    );
    await assert.rejects(swap(database, [T]), { code: 'cannot_replace' });
    await database.query(
      "DELETE FROM pg_subscription_rel; DO $$ BEGIN IF EXISTS (SELECT FROM pg_subscription WHERE subname = 's' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())) THEN DROP SUBSCRIPTION s; END IF; END $$",
    );
  });
}

for (const [what, sql, expected] of [
  ['a partitioned table', 'CREATE TABLE t (id int) PARTITION BY LIST (id)', /it is a partitioned table/],
  [
    'a partition',
    'CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE t PARTITION OF p DEFAULT',
    /is a partition/,
  ],
  ['a typed table', 'CREATE TYPE ct AS (id int); CREATE TABLE t OF ct', /typed \(OF public\.ct\)/],
  [
    'a foreign table',
    "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE t (id int) SERVER s OPTIONS (program 'true')",
    /it is a foreign table/,
  ],
  ['a view', 'CREATE VIEW t AS SELECT 1 AS id', /it is a view/],
  [
    'an extension',
    'CREATE EXTENSION hstore; CREATE TABLE t (id int); ALTER EXTENSION hstore ADD TABLE t',
    /belongs to an extension/,
  ],
] as const) {
  test(`SWAP 25: ${what} as the target is refused`, async (t) => {
    const database = await testDatabase(t, { template: EMPTY });
    await database.query(sql);
    assert.match((await refusalsOf(database)).join('\n'), expected);
  });
}

test('SWAP 25: a table that is not there is refused', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await assert.rejects(refusalsOf(database), { code: 'no_such_table' });
});

test('a temporary view of another session is refused while it lasts', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query('CREATE TABLE t (id int)');
  await database.query('CREATE TEMP VIEW tv AS SELECT * FROM t');
  assert.match((await refusalsOf(database)).join('\n'), /temporary view/);
});

test('a role that owns nothing is told everything that it lacks, before any write', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await makeFixture(database);
  await database.query(
    'CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE u (x int REFERENCES t)',
  );
  const refusals = (await refusalsOf(database, 'fx_guest')).join('\n');
  assert.match(refusals, /the table belongs to \w+/);
  assert.match(refusals, /may not create schemas in database/);
  assert.match(refusals, /may not create in schema public/);
  assert.match(refusals, /view public\.v: it belongs to \w+/);
  assert.match(refusals, /u_x_fkey.*it belongs to \w+/);
});

for (const [what, sql] of [
  ['type', 'ALTER TABLE t ALTER x TYPE varchar'],
  ['modifier', 'ALTER TABLE t ALTER n TYPE numeric(12,2)'],
  ['order', 'ALTER TABLE t DROP n, ADD n numeric(10,2)'],
] as const) {
  test(`SWAP 26: a column's ${what} that changed in live during the load is refused`, async (t) => {
    const database = await testDatabase(t, { template: EMPTY });
    await database.query('CREATE TABLE t (id int PRIMARY KEY, n numeric(10,2), x text)');
    await assert.rejects(
      swap(database, [T], {
        fill: async () => {
          await database.query(sql);
        },
      }),
      { code: 'shape' },
    );
  });
}

test('an index that was added during the load is carried; one added after the preparation stops the publish', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query('CREATE TABLE t (id int PRIMARY KEY, x text)');
  await swap(database, [T], {
    fill: async () => {
      await database.query('CREATE INDEX added ON t (x); GRANT SELECT ON t TO PUBLIC');
    },
  });
  const indexes = await database.query(
    "SELECT indexdef FROM pg_indexes WHERE tablename = 't' AND schemaname = 'public' AND indexname = 'added'",
  );
  assert.equal(indexes.length, 1);
  await assert.rejects(
    swap(database, [T], {
      names: { staging: 'sluice_x', old: 'sluice_y' },
      beforePublish: async () => {
        await database.query("COMMENT ON TABLE t IS 'changed'");
      },
    }),
    { code: 'catalog_changed' },
  );
});

test('least privileges: a role that is a member of the owners, with CREATE on the database, swaps and undoes without loss', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await makeFixture(database);
  await database.query(
    `DO $$ BEGIN CREATE ROLE fx_runner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
  );
  await database.query(
    `DO $$ BEGIN GRANT fx_owner, fx_granter, fx_reader TO fx_runner; EXCEPTION WHEN OTHERS THEN NULL; END $$`,
  );
  // Forced, it would concern the members of the owner, who are refused then.
  await database.query(
    `GRANT CREATE ON DATABASE ${database.name} TO fx_runner; ALTER TABLE shop.customers NO FORCE ROW LEVEL SECURITY`,
  );
  const before = await factsOf(database);
  const swapped = await swap(database, TARGETS, { role: 'fx_runner' });
  assert.deepEqual(changed(before, await factsOf(database)), []);
  const client = await database.connect();
  await client.query('SET SESSION AUTHORIZATION fx_runner');
  for (const table of retainedBy(swapped).reverse()) await dropRetained(client, table, PATIENT);
  await client.end();
  assert.deepEqual(changed(before, await factsOf(database)), []);
});
