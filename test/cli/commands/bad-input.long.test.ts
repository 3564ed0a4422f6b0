import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Ended, sluice, startSluice } from '../../support/cli.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { eventsDatabase } from '../../support/events.js';
import { tempFolder } from '../../support/files.js';

const HEADER = 'id,phone,note,on_day\n';
const GOOD = `${HEADER}1,030,fine,2026-01-01\n`;

interface Bad {
  readonly name: string;
  /** The file's content; or what makes the file at that path. */
  readonly content: string | Uint8Array | ((path: string) => void);
  readonly file?: string;
  readonly code: number;
  readonly says: RegExp;
}

const BAD: readonly Bad[] = [
  {
    name: 'a truncated gzip file',
    content: gzipSync(GOOD + '2,030,fine,2026-01-01\n'.repeat(20_000)).subarray(0, 900),
    file: 'bad.csv.gz',
    code: 1,
    says: /bad\.csv\.gz.*the gzip data end too early/,
  },
  {
    name: 'a binary file',
    content: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3, 0, 0, 0, 0xff, 0xfe, 0, 0, 9]),
    code: 3,
    says: /binary/,
  },
  { name: 'UTF-16', content: Buffer.from(`\ufeff${GOOD}`, 'utf16le'), code: 3, says: /UTF-16/ },
  { name: 'an empty file', content: '', code: 3, says: /is empty: not even a header/ },
  {
    name: 'a header with a column twice',
    content: 'id,note,id\n1,a,2\n',
    code: 2,
    says: /the name "id" stands 2 times in the header, in columns 1, 3\n/,
  },
  {
    name: 'a header with SQL in it',
    content: 'id,"note""); DROP TABLE events; --"\n1,a\n',
    code: 2,
    says: /DROP TABLE events/,
  },
  {
    name: '__proto__ as a column',
    content: 'id,__proto__\n1,a\n',
    code: 2,
    says: /__proto__/,
  },
  {
    name: 'two thousand columns',
    content: `id,${Array.from({ length: 1999 }, (_, i) => `c${i}`).join(',')}\n1${',x'.repeat(1999)}\n`,
    code: 2,
    says: /has 1999 columns that public\.events lacks/,
  },
  {
    name: 'JSON that is nested too deep',
    content: `{"id":"1","note":"x"}\n{"id":"2","note":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`,
    file: 'bad.jsonl',
    code: 3,
    says: /nested more than 1000 levels deep/,
  },
  {
    name: 'a number beyond 64 bits',
    content: `${HEADER}9223372036854775808,030,big,2026-01-01\n`,
    code: 3,
    says: /line 2: id is "9223372036854775808"; expected: integer/,
  },
  {
    name: 'a JSON number beyond 64 bits',
    content: '{"id":9223372036854775808,"note":"big"}\n',
    file: 'bad.jsonl',
    code: 3,
    says: /line 1: id is "9223372036854775808"; expected: integer/,
  },
  {
    name: 'a day that does not exist',
    content: `${HEADER}1,030,leap,2026-02-29\n`,
    code: 3,
    says: /line 2: on_day is "2026-02-29"/,
  },
  {
    name: 'a NUL byte in a value',
    content: `${HEADER}1,030,${'x'.repeat(9000)},2026-01-01\n2,030,a\0b,2026-01-01\n`,
    code: 3,
    says: /NUL|binary/,
  },
  { name: 'a directory', content: (path) => mkdirSync(path), code: 2, says: /is a directory, not a file/ },
];

/** `sluice copy` of a file into events; whatever it says, live must be as it was. */
async function copies(database: TestDatabase, cwd: string, file: string): Promise<Ended> {
  const ended = await sluice(['copy', file, '--into', 'events', '--yes'], {
    cwd,
    env: { DATABASE_URL: database.url },
  });
  return ended;
}

async function untouched(database: TestDatabase): Promise<void> {
  assert.deepEqual(await database.query('SELECT id::int, note FROM events'), [
    { id: 0, note: 'the old one' },
  ]);
  const left = await database.query("SELECT FROM pg_namespace WHERE nspname ~ '^sluice_'");
  assert.equal(left.length, 0);
}

test('bad input publishes nothing, ends with the code, and says what is wrong', async (t: TestContext) => {
  const database = await eventsDatabase(t);
  for (const { name, content, file = 'bad.csv', code, says } of BAD)
    await t.test(name, async () => {
      const cwd = tempFolder(t);
      if (typeof content === 'function') content(join(cwd, file));
      else writeFileSync(join(cwd, file), content);
      const ended = await copies(database, cwd, file);
      await untouched(database);
      assert.match(ended.stderr, says);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, /nothing was (written|published)/);
    });
});

test('only a header adds nothing, and that is done', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'none.csv'), HEADER);
  const ended = await copies(database, cwd, 'none.csv');
  assert.equal(ended.code, 0, ended.stderr);
});

test('a file that may not be read is refused', {
  skip: process.getuid?.() === 0 && 'root may read all',
}, async (t) => {
  const database = await eventsDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'closed.csv'), GOOD);
  chmodSync(join(cwd, 'closed.csv'), 0);
  const ended = await copies(database, cwd, 'closed.csv');
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /no permission to read closed\.csv/);
});

test('a FIFO is read to its end', { skip: process.platform === 'win32' }, async (t) => {
  const database = await eventsDatabase(t);
  const cwd = tempFolder(t);
  const fifo = join(cwd, 'pipe.csv');
  execFileSync('mkfifo', [fifo]);
  writeFileSync(join(cwd, 'good.csv'), GOOD);
  const running = startSluice(['copy', fifo, '--into', 'events', '--yes'], {
    cwd,
    env: { DATABASE_URL: database.url },
    input: '',
  });
  await piped(createReadStream(join(cwd, 'good.csv')), createWriteStream(fifo));
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await database.query('SELECT id::int FROM events ORDER BY id'), [{ id: 0 }, { id: 1 }]);
});

test('a gigabyte on one line is refused at the limit, which is named', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = tempFolder(t);
  const running = startSluice(['copy', '-', '--into', 'events', '--yes'], {
    cwd,
    env: { DATABASE_URL: database.url },
  });
  const megabyte = Buffer.alloc(1 << 20, 'x');
  let sent = 0;
  const line = Readable.from(
    (function* () {
      yield Buffer.from(`${HEADER}1,030,`);
      for (; sent < 1024; sent++) yield megabyte;
    })(),
  );
  const stdin = running.child.stdin;
  assert.ok(stdin !== null);
  await piped(line, stdin).catch(() => {});
  const ended = await running.ended;
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /the record that starts on line 2 is longer than 16777216 bytes/);
  assert.match(ended.stderr, /maxRecordBytes/);
  // Far less than a gigabyte was taken.
  assert.ok(sent < 100, `${sent} MiB were taken`);
  await untouched(database);
});

test('a thousand columns are loaded', async (t) => {
  const database = await testDatabase(t);
  const names = Array.from({ length: 1000 }, (_, i) => `c${i}`);
  await database.query(
    `CREATE TABLE wide (id int PRIMARY KEY, ${names.map((name) => `${name} text`).join(', ')})`,
  );
  const cwd = tempFolder(t);
  writeFileSync(
    join(cwd, 'wide.csv'),
    `id,${names.join(',')}\n${'1,v'.replace('v', names.map(() => 'v').join(','))}\n`,
  );
  const ended = await sluice(['copy', 'wide.csv', '--into', 'wide', '--yes'], {
    cwd,
    env: { DATABASE_URL: database.url },
  });
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await database.query('SELECT id, c999 FROM wide'), [{ id: 1, c999: 'v' }]);
});
