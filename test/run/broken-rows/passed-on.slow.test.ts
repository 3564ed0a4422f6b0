import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { merge, patch, type Target } from '../../../src/core/target.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { csvFile, inShort, runAround } from '../../support/broken.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { loads } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { openDatabase } from '../../support/lots.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** The rows of a table as text, by key. */
async function rowsOf(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ row: string }>(
    `SELECT ${table}::text AS row FROM ${table} ORDER BY id`,
  );
  return rows.map(({ row }) => row);
}

/** Publishes lines without a reject, gives live then, and demands that the rollback gives what was before. */
async function thereAndBack(
  t: TestContext,
  database: TestDatabase,
  target: Target,
  lines: readonly string[],
): Promise<string[]> {
  const before = await rowsOf(database, target.table);
  const input = csvFile(t, 'in.csv', ...lines);
  const { ran, rejects } = await runAround(t, database, loads({ [target.table]: [target, input] }));
  assert.ok(!(ran instanceof SluiceError), String(ran));
  assert.deepEqual(inShort(rejects), []);
  const after = await rowsOf(database, target.table);
  const opened = openDatabase(t, database);
  await rollbackBatch(ran.summary.batch as string, { database: opened, log: quiet });
  await opened.close();
  assert.deepEqual(await rowsOf(database, target.table), before);
  return after;
}

test('a row takes a unique value that another row of the batch gives up, in whatever order they come', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE u (id int PRIMARY KEY, e varchar(40) NOT NULL UNIQUE, n int UNIQUE); CREATE TABLE c (u int REFERENCES u ON DELETE CASCADE);
    INSERT INTO u VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4); INSERT INTO c VALUES (1), (2), (3)`);
  const columns = ['id', 'e'] as const;
  const chains = [
    ['id,e', '1,b', '2,x'],
    ['id,e', '1,c', '3,b2'],
    ['id,e', '3,b2', '1,c'],
    ['id,e', '1,b', '2,c', '3,d', '4,e'],
    ['id,e', '1,b', '2,a'],
    ['id,e', '3,d', '2,a', '4,c', '1,b'],
  ];
  for (const target of [merge('u', { columns, key: ['id'] }), patch('u', { columns, key: ['id'] })]) {
    for (const lines of chains) {
      const after = await thereAndBack(t, database, target, lines);
      for (const line of lines.slice(1))
        assert.ok(
          after.some((row) => row.startsWith(`(${line},`)),
          line,
        );
    }
  }
  // Two indexes at once, one of which is nullable, and a new row that takes what a changed one gives up.
  const both = merge('u', { columns: ['id', 'e', 'n'], key: ['id'] });
  const exchanged = ['id,e,n', '1,b,3', '2,a,1', '3,x,4', '4,y,2', '5,c,5'];
  assert.deepEqual(await thereAndBack(t, database, both, exchanged), [
    '(1,b,3)',
    '(2,a,1)',
    '(3,x,4)',
    '(4,y,2)',
    '(5,c,5)',
  ]);
  const [children] = await database.query('SELECT count(*)::int AS n FROM c');
  assert.deepEqual(children, { n: 3 });
});

test('expression and partial indexes, exclusion constraints and deferrable ones pass values on as well', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE x (id int PRIMARY KEY, e text, k int, during int4range, d text UNIQUE DEFERRABLE, EXCLUDE USING gist (during WITH &&));
    CREATE UNIQUE INDEX ON x (lower(e)) WHERE k > 0;
    INSERT INTO x VALUES (1, 'A', 1, '[1,3)', 'p'), (2, 'B', 1, '[3,5)', 'q'), (3, 'b', 0, '[5,7)', 'r')`);
  const target = patch('x', { columns: ['id', 'e', 'k', 'during', 'd'], key: ['id'] });
  const after = await thereAndBack(t, database, target, [
    'id,e,k,during,d',
    '1,b,1,"[3,5)",q',
    '2,B,0,"[5,8)",p',
    '3,b,0,"[8,9)",r',
  ]);
  assert.deepEqual(after, ['(1,b,1,"[3,5)",q)', '(2,B,0,"[5,8)",p)', '(3,b,0,"[8,9)",r)']);
});

test('a tree whose new row takes a value that a changed row gives up, and is its parent, goes in and out again', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE tree (id int PRIMARY KEY, slug text NOT NULL UNIQUE, parent int REFERENCES tree);
    INSERT INTO tree VALUES (1, 'root', NULL), (2, 'leaf', 1)`);
  const target = merge('tree', { columns: ['id', 'slug', 'parent'], key: ['id'] });
  const after = await thereAndBack(t, database, target, [
    'id,slug,parent',
    '3,leaf,1',
    '2,stem,3',
    '1,trunk,',
  ]);
  assert.deepEqual(after, ['(1,trunk,)', '(2,stem,3)', '(3,leaf,1)']);
});

test('triggers see each row change once, from what it was to what it is', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE au (id int PRIMARY KEY, e text UNIQUE); CREATE TABLE seen (was text, now text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (OLD.e, NEW.e); RETURN NULL; END $$;
    CREATE TRIGGER note AFTER UPDATE ON au FOR EACH ROW EXECUTE FUNCTION note();
    INSERT INTO au VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
  const target = patch('au', { columns: ['id', 'e'], key: ['id'] });
  await thereAndBack(t, database, target, ['id,e', '1,b', '2,c', '3,d']);
  const seen = await database.query("SELECT was || '-' || now AS change FROM seen ORDER BY 1");
  assert.deepEqual(
    seen.map(({ change }) => change),
    ['a-b', 'b-a', 'b-c', 'c-b', 'c-d', 'd-c'],
  );
  // A circle would need a value in between, which the trigger would see.
  const circle = csvFile(t, 'circle.csv', 'id,e', '1,b', '2,a', '3,z');
  const { ran, rejects } = await runAround(t, database, loads({ au: [target, circle] }));
  assert.ok(!(ran instanceof SluiceError), String(ran));
  assert.deepEqual(inShort(rejects), ['2 unique_violation au_e_key e=b', '3 unique_violation au_e_key e=a']);
  assert.match(
    String((rejects[0] as { message?: string }).message),
    /^e is "b"; expected: .*in a circle.*DEFERRABLE/,
  );
  assert.deepEqual(await rowsOf(database, 'au'), ['(1,a)', '(2,b)', '(3,z)']);
});

test('who was to give a value up and is rejected itself keeps it, along the whole chain', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE ch (id int PRIMARY KEY, a text UNIQUE, b text UNIQUE, n int CHECK (n > 0));
    INSERT INTO ch VALUES (1, 'a', 'p', 1), (2, 'b', 'q', 1), (3, 'c', 'r', 1), (4, 'd', 's', 1)`);
  const target = merge('ch', { columns: ['id', 'a', 'b', 'n'], key: ['id'] });
  // 3 takes a taken value of b, which is asked behind a: so 2 may not have its a, and 1 not that of 2.
  const input = csvFile(t, 'ch.csv', 'id,a,b,n', '1,b,p,1', '2,c,q,1', '3,x,s,1', '5,y,y,-1');
  const { ran, rejects } = await runAround(t, database, loads({ ch: [target, input] }));
  assert.ok(!(ran instanceof SluiceError), String(ran));
  assert.deepEqual(inShort(rejects), [
    '2 unique_violation ch_a_key a=b',
    '3 unique_violation ch_a_key a=c',
    '4 unique_violation ch_b_key b=s',
    '5 check_violation ch_n_check n=-1',
  ]);
});

long('a long chain is one step a row, and rows that wait for nobody are one statement', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE pos (id int PRIMARY KEY, at int NOT NULL UNIQUE, CHECK (at > 0)); CREATE TABLE told (n int);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO told SELECT count(*) FROM news; RETURN NULL; END $$;
    CREATE TRIGGER tell AFTER UPDATE ON pos REFERENCING NEW TABLE AS news FOR EACH STATEMENT EXECUTE FUNCTION tell();
    INSERT INTO pos SELECT n, n FROM generate_series(1, 3000) n; INSERT INTO pos SELECT n, n FROM generate_series(10001, 11000) n`);
  const lines = [
    ...Array.from({ length: 3000 }, (_, i) => `${i + 1},${i + 2}`),
    ...Array.from({ length: 1000 }, (_, i) => `${10001 + i},${20001 + i}`),
  ];
  await thereAndBack(t, database, patch('pos', { columns: ['id', 'at'], key: ['id'] }), ['id,at', ...lines]);
  const [most] = await database.query('SELECT max(n) AS most, count(*)::int AS statements FROM told');
  assert.deepEqual(most, { most: 1001, statements: 6000 });
});

test('where a trigger refuses a row, the others pass their values on all the same', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE tg (id int PRIMARY KEY, e text UNIQUE);
    CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.e = 'no' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER no BEFORE INSERT OR UPDATE ON tg FOR EACH ROW EXECUTE FUNCTION no();
    INSERT INTO tg SELECT n, 'e' || n FROM generate_series(1, 9) n`);
  const target = patch('tg', { columns: ['id', 'e'], key: ['id'] });
  const input = csvFile(t, 'tg.csv', 'id,e', '1,e2', '2,e3', '3,e9', '7,e8', '8,no', '9,x');
  const { ran, rejects } = await runAround(t, database, loads({ tg: [target, input] }));
  assert.ok(!(ran instanceof SluiceError), String(ran));
  assert.deepEqual(inShort(rejects), [
    '5 unique_violation tg_e_key e=e8',
    '6 refused_by_server null null=null',
  ]);
  assert.deepEqual((await database.query("SELECT string_agg(e, ' ' ORDER BY id) AS e FROM tg"))[0], {
    e: 'e2 e3 e9 e4 e5 e6 e7 e8 x',
  });
});
