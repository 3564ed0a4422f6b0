import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyConsistently } from '../../../src/sources/sqlite/copy.js';
import { SqliteFile } from '../../../src/sources/sqlite/database.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { asCrashed, openSqlite, sqliteFile } from '../../support/sqlite.js';

const signal = new AbortController().signal;

async function open(t: TestContext, path: string): Promise<SqliteFile> {
  const file = await SqliteFile.open(path, tempFolder(t), signal);
  t.after(() => file.close());
  return file;
}

/** Every file beside the database, with its content. */
function traces(path: string): Record<string, string> {
  const folder = dirname(path);
  return Object.fromEntries(
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isFile()
        ? [
            [
              entry.name,
              createHash('sha256')
                .update(readFileSync(join(folder, entry.name)))
                .digest('hex'),
            ],
          ]
        : [],
    ),
  );
}

const MANY = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)';

test('what is committed and not checkpointed is read, and the original is left as it was', async (t) => {
  const path = openSqlite(t, (application) => {
    application.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    application.exec('CREATE TABLE tasks (id INTEGER PRIMARY KEY, name TEXT)');
    application.exec(`INSERT INTO tasks ${MANY} SELECT i, 'task ' || i FROM n`);
  });
  assert.ok(statSync(`${path}-wal`).size > 32, 'the log holds the rows');
  const before = traces(path);
  const file = await open(t, path);
  assert.deepEqual(await file.all('SELECT count(*) AS n FROM tasks'), [{ n: 2000 }]);
  await file.close();
  assert.deepEqual(traces(path), before);
});

test('what a writer has not committed is not read: in the log', async (t) => {
  const path = openSqlite(t, (application) => {
    application.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 5');
    application.exec(
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO tasks VALUES (1, 'one')",
    );
    // The cache is small: pages of the transaction are in the log before it ends.
    application.exec(
      `BEGIN; UPDATE tasks SET name = 'changed'; INSERT INTO tasks ${MANY} SELECT i + 1, hex(randomblob(300)) FROM n`,
    );
  });
  assert.deepEqual(await (await open(t, path)).all('SELECT * FROM tasks'), [{ id: 1, name: 'one' }]);
});

test('what a writer has not committed is not read: in the file itself, by its journal', async (t) => {
  const path = openSqlite(t, (application) => {
    application.exec('CREATE TABLE tasks (id INTEGER PRIMARY KEY, name TEXT)');
    application.exec(`INSERT INTO tasks ${MANY} SELECT i, 'as it was' FROM n; PRAGMA cache_size = 2`);
    application.exec("BEGIN; UPDATE tasks SET name = 'half done' || hex(randomblob(200))");
  });
  assert.match(readFileSync(path, 'latin1'), /half done/, 'the file holds what is not committed');
  const question = 'SELECT count(*) AS n, min(name) AS name FROM tasks';
  const committed = [{ n: 2000, name: 'as it was' }];
  assert.deepEqual(await (await open(t, path)).all(question), committed);
  const crashed = asCrashed(t, path);
  const before = traces(crashed);
  assert.deepEqual(await (await open(t, crashed)).all(question), committed);
  assert.deepEqual(traces(crashed), before, 'the journal is the application’s to roll back');
});

test('a file that is written to all the time is not copied, and the message says what to do', async (t) => {
  const path = sqliteFile(t, 'CREATE TABLE tasks (id INTEGER)');
  const fd = openSync(path, 'r+');
  t.after(() => closeSync(fd));
  let counter = 0;
  const writing = setInterval(() => writeSync(fd, Buffer.from([++counter & 0xff]), 0, 1, 27), 1);
  t.after(() => clearInterval(writing));
  await assert.rejects(
    copyConsistently(path, join(tempFolder(t), 'copy.db'), { signal, patience: 60 }),
    (error: Error & { code: string; facts: { next: string[] } }) => {
      assert.equal(error.code, 'source_busy');
      assert.match(error.message, /app\.db is written to all the time/);
      assert.match(error.facts.next.join(), /\.backup copy\.db/);
      return true;
    },
  );
});

test('a copy is its owner’s only', async (t) => {
  const path = sqliteFile(t, 'CREATE TABLE tasks (id INTEGER)');
  chmodSync(path, 0o644);
  const to = join(tempFolder(t), 'copy.db');
  await copyConsistently(path, to, { signal });
  assert.equal(statSync(to).mode & 0o777, 0o600);
});

test('what is no database is named for what it is', async (t) => {
  const say = async (content: string | Uint8Array, wanted: RegExp) => {
    const path = tempFile(t, 'app.db', content);
    const scratch = mkdtempSync(join(tempFolder(t), 's'));
    await assert.rejects(SqliteFile.open(path, scratch, signal), wanted);
    assert.deepEqual(readdirSync(scratch), [], 'nothing is left in scratch');
  };
  await say('', /app\.db is empty: no SQLite database/);
  await say('id,name\n1,one\n', /is not an SQLite database: it begins with text/);
  await say(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), /is gzip.*unpacked/);
  await say(createHash('sha512').update('key').digest(), /not an SQLite database, or it is an encrypted one/);
  await assert.rejects(
    SqliteFile.open(join(tempFolder(t), 'ap.db'), tempFolder(t), signal),
    /there is no file/,
  );
});

test('a damaged file says what is damaged and how to save the rest', async (t) => {
  const path = sqliteFile(
    t,
    `CREATE TABLE tasks (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO tasks ${MANY} SELECT i, hex(randomblob(100)) FROM n`,
  );
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(8192, 0xff), 0, 8192, 4096 * 10);
  closeSync(fd);
  const file = await open(t, path);
  await assert.rejects(
    file.all('SELECT sum(length(name)) FROM tasks'),
    (error: Error & { code: string; facts: { next: string[] } }) => {
      assert.equal(error.code, 'corrupt_database');
      assert.match(error.message, /app\.db is damaged: database disk image is malformed/);
      assert.match(error.facts.next.join('\n'), /integrity_check[\s\S]*\.recover/);
      return true;
    },
  );
});
