import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copying } from '../support/copying.js';
import { sqliteFile } from '../support/sqlite.js';

/** What a copy into a new table counted. */
async function copied(t: TestContext, file: (cwd: string) => string, ...more: string[]) {
  const copies = await copying(t);
  const ran = await copies.copy(
    ...[file(copies.cwd), '--into', 'q', '--create', '--max-rejects', '5', '--json', ...more],
  );
  const { read, rejected } = JSON.parse(ran.stdout) as { read: number; rejected: number };
  return { code: ran.code, read, rejected, rows: (await copies.rowsOf('q')).length };
}

const ONE_BAD = { code: 4, read: 3, rejected: 1, rows: 2 };

test('rows of SQLite that are rejected as they are read are counted, whatever reads them', async (t) => {
  const bad = () =>
    sqliteFile(
      t,
      `CREATE TABLE a (id INTEGER, v TEXT); INSERT INTO a VALUES (1, 'a'), (2, 'b'), (3, CAST(x'6e0078' AS TEXT))`,
    );
  for (const more of [[], ['--jobs', '1'], ['--jobs', '2'], ['--query', 'SELECT * FROM a']])
    assert.deepEqual(await copied(t, bad, ...more), ONE_BAD, more.join(' '));
});

test('so are those of a CSV file that turns out to have no places to be cut at', async (t) => {
  const bad = (cwd: string) => {
    const path = join(cwd, 'cr.csv');
    writeFileSync(path, 'id,v\r1,a\r2,b\r3,n\0x\r');
    return path;
  };
  assert.deepEqual(await copied(t, bad), ONE_BAD);
});
