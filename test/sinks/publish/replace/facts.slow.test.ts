import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import type { TestDatabase } from '../../../support/database.js';
import { testDatabase } from '../../../support/database.js';
import { changed, factsOf } from '../../../support/facts.js';
import { retainedBy, swap, undo } from '../../../support/swap.js';

const T = { schema: 'public', table: 't' };

/** Swaps `targets` for copies of themselves and back; asserts that no fact of the catalog differs after either. */
async function thereAndBack(database: TestDatabase, targets = [T]): Promise<void> {
  const before = await factsOf(database);
  const swapped = await swap(database, targets);
  assert.deepEqual(changed(before, await factsOf(database)), []);
  await undo(database, targets, retainedBy(swapped));
  assert.deepEqual(changed(before, await factsOf(database)), []);
}

const KINDS: Readonly<Record<string, string>> = {
  'a foreign key to a partitioned table, with its copies for the partitions': `
    CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (100);
    CREATE TABLE whole_2 PARTITION OF whole FOR VALUES FROM (100) TO (200);
    INSERT INTO whole SELECT generate_series(1, 150);
    CREATE TABLE t (id int PRIMARY KEY, v int REFERENCES whole); INSERT INTO t SELECT g, g FROM generate_series(1, 5) g`,
  'a foreign key of another table that goes by the younger of two unique indexes, the primary key': `
    CREATE TABLE t (id int NOT NULL, x int); CREATE UNIQUE INDEX elder ON t (id); ALTER TABLE t ADD PRIMARY KEY (id);
    CREATE TABLE u (t int REFERENCES t); CREATE TABLE v (t int REFERENCES t (id))`,
  'foreign keys of other tables that go by the elder of two unique constraints, whichever name sorts first': `
    CREATE TABLE t (id int PRIMARY KEY, x int, y int, CONSTRAINT zz UNIQUE (x, y)); ALTER TABLE t ADD CONSTRAINT aa UNIQUE (y, x);
    CREATE TABLE u (x int, y int, FOREIGN KEY (x, y) REFERENCES t (x, y)); CREATE TABLE v (y int, x int, FOREIGN KEY (y, x) REFERENCES t (y, x))`,
  'a foreign key of the table to one that has several unique indexes': `
    CREATE TABLE p (id int NOT NULL); CREATE UNIQUE INDEX elder ON p (id); ALTER TABLE p ADD PRIMARY KEY (id);
    CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p, q int REFERENCES p (id), up int REFERENCES t)`,
  'a deferrable primary key': `
    CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, x text); INSERT INTO t VALUES (1, 'a')`,
  'arrays declared with dimensions': `
    CREATE DOMAIN code AS text CHECK (VALUE <> '');
    CREATE TABLE t (id int PRIMARY KEY, a int[], b int[][] DEFAULT '{{1}}' NOT NULL, c varchar(9)[3][3], d text[] COLLATE "C", e code[],
      f "char"[], CONSTRAINT several CHECK (cardinality(a) > 0));
    ALTER TABLE t ALTER d SET STORAGE EXTERNAL, ALTER a SET STATISTICS 7; COMMENT ON CONSTRAINT several ON t IS 'not none'`,
  'comment and grants of the row type, and a constraint trigger’s comment': `
    CREATE TABLE t (id int PRIMARY KEY); COMMENT ON TYPE t IS 'a row';
    REVOKE USAGE ON TYPE t FROM PUBLIC; GRANT USAGE ON TYPE t TO pg_monitor WITH GRANT OPTION;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); COMMENT ON CONSTRAINT late ON t IS 'a remark'`,
  'a BEGIN ATOMIC function that depends on an extension': `
    CREATE TABLE t (id int PRIMARY KEY);
    CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END; ALTER FUNCTION f DEPENDS ON EXTENSION hstore`,
  'array types whose names tables have taken': `
    CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE _t (id int); CREATE TABLE __t (id int)`,
  'array types that were moved out of each other’s way': `
    CREATE TABLE _t (id int PRIMARY KEY); CREATE TABLE t (id int); CREATE TABLE __t (id int)`,
  'array types that were numbered, since the usual name was taken': `
    CREATE TABLE __t (id int); CREATE DOMAIN _t AS int; CREATE TABLE t (id int PRIMARY KEY)`,
  'an index on the whole row': `
    CREATE TABLE t (id int PRIMARY KEY, x int); CREATE INDEX whole_row ON t ((t IS NOT NULL)) WHERE t IS NOT NULL`,
  'a materialized view that was never filled': `
    CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW m AS SELECT * FROM v WITH NO DATA`,
};

test(`a swap and its undo keep ${Object.keys(KINDS).join('; ')}`, async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query('CREATE EXTENSION hstore');
  const schemas = Object.values(KINDS).map((_, at) => `kind_${at + 1}`);
  for (const [at, sql] of Object.values(KINDS).entries())
    await client.query(`CREATE SCHEMA ${schemas[at]}; SET search_path = ${schemas[at]}, public; ${sql}`);
  await client.end();
  await thereAndBack(
    database,
    schemas.map((schema) => ({ schema, table: 't' })),
  );
});

test('tables whose array types bear each other’s names are replaced together', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE _t (id int PRIMARY KEY)');
  await thereAndBack(database, [T, { schema: 'public', table: '_t' }]);
});

test('a type of the array type’s name that was made since the publish keeps no table from coming back', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (id int PRIMARY KEY)');
  const swapped = await swap(database, [T]);
  await database.query('CREATE TABLE _t (id int)');
  const before = await factsOf(database);
  await undo(database, [T], retainedBy(swapped));
  assert.deepEqual(changed(before, await factsOf(database)), []);
});

test('a grant on the row type that was made or taken since the publish is as it was then after an undo', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (id int PRIMARY KEY); GRANT USAGE ON TYPE t TO pg_monitor');
  const swapped = await swap(database, [T]);
  await database.query("REVOKE USAGE ON TYPE t FROM PUBLIC; COMMENT ON TYPE t IS 'new'");
  const before = await factsOf(database);
  await undo(database, [T], retainedBy(swapped));
  assert.deepEqual(changed(before, await factsOf(database)), []);
});

test('a materialized view that was never filled is not among those to be refreshed', async (t) => {
  const database = await testDatabase(t);
  await database.query(KINDS['a materialized view that was never filled'] as string);
  const client = await database.connect();
  assert.deepEqual((await surveyReplace(client, [T])).refresh, []);
  await database.query('REFRESH MATERIALIZED VIEW m');
  assert.deepEqual((await surveyReplace(client, [T])).refresh, [{ schema: 'public', name: 'm' }]);
});

for (const [what, sql, refusal] of [
  [
    'a CHECK of the whole row',
    'ALTER TABLE t ADD CONSTRAINT filled CHECK (t IS NOT NULL)',
    /constraint filled refers to the whole row/,
  ],
  [
    'statistics of one name in two schemas',
    'CREATE SCHEMA s; CREATE STATISTICS one ON id, x FROM t; CREATE STATISTICS s.one (mcv) ON id, x FROM t',
    /several statistics objects .* named one.*RENAME/,
  ],
] as const)
  test(`${what}: refused before anything is made`, async (t) => {
    const database = await testDatabase(t);
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, x int); ${sql}`);
    const { refusals } = await surveyReplace(await database.connect(), [T]);
    assert.match(refusals.map(({ reason, next }) => `${reason}: ${next.join('; ')}`).join('\n'), refusal);
    assert.ok(
      refusals.every(({ stays }) => stays),
      'a publish by differences is possible',
    );
  });
