import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import library from 'node-sqlite3-wasm';
import { type Copying, copying } from '../support/copying.js';

const PEOPLE = `
CREATE TABLE people (
  "Id" INTEGER PRIMARY KEY, name TEXT, big BIGINT, share REAL, picture BLOB,
  active BOOLEAN, born DATETIME, zip TEXT, empty TEXT
);
INSERT INTO people VALUES
  (1, 'Grüße, 東京 😀', 9223372036854775807, 0.1, x'00ff', 1, 1700000000, '01234', NULL),
  (2, '', -9223372036854775808, 1e300, NULL, 0, 1700000001, '99999', NULL),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
`;
const TAGS = "CREATE TABLE tags (name TEXT); INSERT INTO tags VALUES ('a');";
const VIEW = 'CREATE VIEW grown AS SELECT "Id", name FROM people WHERE active;';

/** An SQLite file in the folder of the copy; its name. */
function made({ cwd }: Copying, name: string, sql: string): string {
  const database = new library.Database(join(cwd, name));
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
  return name;
}

/** Scratch goes to a folder of the test's own. */
function ownScratch(t: TestContext, { cwd }: Copying): string {
  const before = process.env.TMPDIR;
  const folder = join(cwd, 'tmp');
  mkdirSync(folder);
  process.env.TMPDIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return folder;
}

test('the only table of an SQLite file needs no flag, and types are proposed for it', async (t) => {
  const copies = await copying(t);
  const scratch = ownScratch(t, copies);
  const file = made(copies, 'old.db', PEOPLE);
  const ran = await copies.copy(file, '--into', 'people', '--create', '--key', 'id');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await copies.typesOf('people'), {
    id: 'integer',
    name: 'text',
    big: 'bigint',
    share: 'double precision',
    picture: 'text',
    active: 'boolean',
    born: 'timestamp with time zone',
    zip: 'text',
    empty: 'text',
  });
  assert.deepEqual(await copies.rowsOf('people'), [
    '(1,"Grüße, 東京 😀",9223372036854775807,0.1,"\\\\x00ff",t,"2023-11-14 22:13:20+00",01234,)',
    '(2,"",-9223372036854775808,1e+300,,f,"2023-11-14 22:13:21+00",99999,)',
    '(3,,,,,,,,)',
  ]);
  assert.deepEqual(readdirSync(scratch), [], 'the copy of the file is left');
});

test('of several tables one is named, or a view, or a query; without one each is offered as a command', async (t) => {
  const copies = await copying(t, 'CREATE TABLE kept (id integer PRIMARY KEY, name text)');
  const file = made(copies, 'old.db', PEOPLE + TAGS + VIEW);
  const unsaid = await copies.copy(file, '--into', 'kept');
  assert.equal(unsaid.code, 2);
  assert.match(unsaid.stderr, /old\.db has 2 tables/);
  assert.match(unsaid.stderr, /sluice copy old\.db --into kept --yes .*--table people/);
  const wrong = await copies.copy(file, '--into', 'kept', '--table', 'peple');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /peple.*did you mean people|did you mean people/s);
  const both = await copies.copy(file, '--into', 'kept', '--table', 'tags', '--query', 'SELECT 1');
  assert.equal(both.code, 2, both.stderr);
  for (const how of [
    ['--table', 'people', '--skip-columns', 'big,share,picture,active,born,zip,empty'],
    ['--table', 'grown', '--map', 'Id=id'],
    ['--query', 'SELECT "Id" AS id, name FROM people ORDER BY id;'],
  ]) {
    const ran = await copies.copy(file, '--into', 'kept', '--mode', 'merge', ...how);
    assert.equal(ran.code, 0, ran.stderr);
  }
  assert.deepEqual(await copies.rowsOf('kept'), ['(1,"Grüße, 東京 😀")', '(2,"")', '(3,)']);
});

test('an SQLite file is known by its first bytes, whatever it is called, and text by its own', async (t) => {
  const copies = await copying(t, 'CREATE TABLE tags (name text)');
  const file = made(copies, 'backup', TAGS);
  assert.equal((await copies.copy(file, '--into', 'tags')).code, 0);
  writeFileSync(join(copies.cwd, 'tags.db'), 'name\nb\n');
  const text = await copies.copy('tags.db', '--into', 'tags');
  assert.equal(text.code, 2);
  assert.match(text.stderr, /not an SQLite database: it begins with text/);
  assert.equal((await copies.copy('tags.db', '--into', 'tags', '--format', 'csv')).code, 0);
  assert.deepEqual(await copies.rowsOf('tags'), ['(a)', '(b)']);
});

test('options that say how text is written are refused for an SQLite file', async (t) => {
  const copies = await copying(t, 'CREATE TABLE tags (name text)');
  const file = made(copies, 'old.db', TAGS);
  for (const flag of ['--columns=name', '--delimiter=;', '--encoding=latin1', '--at=a', '--no-header']) {
    const ran = await copies.copy(file, '--into', 'tags', flag);
    assert.equal(ran.code, 2, ran.stderr);
    assert.match(ran.stderr, /does not apply to sqlite/, flag);
  }
  const csv = await copies.copy('-', '--format', 'csv', '--into', 'tags', '--table', 'a');
  assert.match(csv.stderr, /table does not apply to csv/);
});

test('a damaged file, and one without tables, are told as what they are', async (t) => {
  const copies = await copying(t, 'CREATE TABLE tags (name text)');
  made(copies, 'none.db', 'CREATE TABLE a (b); DROP TABLE a');
  const none = await copies.copy('none.db', '--into', 'tags');
  assert.equal(none.code, 3, none.stderr);
  assert.match(none.stderr, /without tables/);
  writeFileSync(join(copies.cwd, 'broken.db'), `SQLite format 3\0${'x'.repeat(4000)}`);
  const broken = await copies.copy('broken.db', '--into', 'tags');
  assert.equal(broken.code, 1, broken.stderr);
  assert.match(broken.stderr, /damaged|not a database/);
  assert.deepEqual(await copies.rowsOf('tags'), []);
});

test('rejects of an SQLite file name row, column and value, and are given back corrected', async (t) => {
  const copies = await copying(t, 'CREATE TABLE people (id integer PRIMARY KEY, age smallint NOT NULL)');
  const file = made(
    copies,
    'old.db',
    "CREATE TABLE people (Id INTEGER PRIMARY KEY, Age); INSERT INTO people VALUES (1, 33), (2, 'old'), (3, 70000)",
  );
  const ran = await copies.copy(file, '--into', 'people', '--max-rejects', '2');
  assert.equal(ran.code, 4, ran.stderr);
  const [batch] = await copies.database.query<{ id: string }>('SELECT id FROM sluice.migration_batch');
  const { stdout } = await copies.command('rejects', batch?.id as string, '--format', 'csv');
  assert.match(stdout, /old/);
  const fixed = stdout.replace(/\bold\b/, '40').replace('70000', '70');
  writeFileSync(join(copies.cwd, 'fixed.csv'), fixed);
  const again = await copies.copy('fixed.csv', '--into', 'people', '--only-rejects-of', batch?.id as string);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(await copies.rowsOf('people'), ['(1,33)', '(2,40)', '(3,70)']);
});
