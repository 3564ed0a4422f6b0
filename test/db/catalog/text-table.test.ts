import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takesItsRowsAgain, textTable } from '../../../src/db/catalog/text-table.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';

async function oidOf(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ oid: number }>("SELECT 't'::regclass::oid::int8::int AS oid");
  return row?.oid ?? 0;
}

/** What `ask` answers of a table that is made so, each made anew. */
async function answers<T>(
  database: TestDatabase,
  tables: readonly string[],
  ask: (oid: number) => Promise<T>,
): Promise<Record<string, T>> {
  const found: [string, T][] = [];
  for (const made of tables) {
    await database.query(`BEGIN; CREATE TABLE t (${made}); COMMIT`);
    found.push([made, await ask(await oidOf(database))]);
    await database.query('DROP TABLE t');
  }
  return Object.fromEntries(found);
}

test('a text means one value for ever where the types are built in and ask nobody', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    "CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE SCHEMA s; CREATE TYPE s.text AS ENUM ('x')",
  );
  const plain = ['a int, b text', 'a varchar(3), b numeric(8,2), c timestamptz, d jsonb, e bytea, f uuid'];
  const others = ['a mood', 'a positive', 'a int, b s.text', 'a int[]', 'a regclass', 'a money', 'a xml'];
  const computed = ['a int, b int GENERATED ALWAYS AS (a + 1) STORED'];
  const known = await answers(database, [...plain, ...others, ...computed], async (oid) => {
    return (await textTable(database, oid))?.names;
  });
  assert.deepEqual(known, {
    ...{ [plain[0] as string]: ['a', 'b'], [plain[1] as string]: ['a', 'b', 'c', 'd', 'e', 'f'] },
    ...Object.fromEntries([...others, ...computed].map((each) => [each, undefined])),
  });
});

test('the rules are others for another column, type, database and time zone', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (a int, b varchar(3))');
  const oid = await oidOf(database);
  const rules = async () => (await textTable(database, oid))?.rules;
  const seen = [await rules()];
  assert.equal(await rules(), seen[0]);
  for (const change of [
    'ALTER TABLE t ALTER b TYPE varchar(4)',
    'ALTER TABLE t ALTER b TYPE text',
    'ALTER TABLE t ALTER b TYPE text COLLATE "C"',
    'ALTER TABLE t RENAME b TO c',
    'ALTER TABLE t DROP c, ADD c text COLLATE "C"',
    'ALTER TABLE t ADD d int',
    "SET TimeZone = 'Asia/Kathmandu'",
  ]) {
    await database.query(change);
    seen.push(await rules());
  }
  assert.equal(new Set(seen).size, 8);
});

test('a table takes its rows again where its constraints ask nothing else', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'`);
  const takes = [
    'a int PRIMARY KEY, b text NOT NULL UNIQUE',
    "a int CHECK (a > 0 AND a = ANY ('{1,2}')), b text CHECK (length(b) < 5 OR b IS NULL)",
    "a text CHECK (a IN ('x', 'y') AND coalesce(a, 'z') <> 'q')",
  ];
  const not = [
    'a int REFERENCES parent',
    'a int CHECK (fine(a))',
    'a timestamptz CHECK (a < now())',
    'a timestamptz CHECK (a < CURRENT_TIMESTAMP)',
    "a timestamptz CHECK (a::text <> '')",
    'a int, EXCLUDE USING btree (a WITH =)',
  ];
  const found = await answers(database, [...takes, ...not], (oid) => takesItsRowsAgain(database, oid));
  assert.deepEqual(found, {
    ...Object.fromEntries(takes.map((each) => [each, true])),
    ...Object.fromEntries(not.map((each) => [each, false])),
  });
  for (const change of [
    'ALTER TABLE t ADD CHECK (a > 5) NOT VALID',
    'CREATE UNIQUE INDEX ON t ((a + 1))',
    'CREATE UNIQUE INDEX ON t (a) WHERE a > 1',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
    'CREATE TABLE child () INHERITS (t)',
  ]) {
    await database.query('CREATE TABLE t (a int)');
    const oid = await oidOf(database);
    assert.equal(await takesItsRowsAgain(database, oid), true);
    await database.query(change);
    assert.equal(await takesItsRowsAgain(database, oid), false, change);
    await database.query('DROP TABLE t CASCADE');
  }
});
