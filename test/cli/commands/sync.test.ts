import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';

const BEFORE = ['(1,Ada,10.00,first)', '(2,Grace,20.00,second)'];

test('a table that cannot be replaced is synced by the command that the refusal shows, and rolled back', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'all.csv'), 'id,customer,total,note\n2,Grace,21,second\n3,Joan,30,\n');
  writeFileSync(join(cwd, 'loose.csv'), 'a,b\n1,2\n');
  writeFileSync(join(cwd, 'bad.csv'), 'id,customer,total,note\n2,Grace,21,second\nthree,Joan,30,\n');
  const env = { NO_COLOR: '1', DATABASE_URL: database.url };
  const command = (args: readonly string[]) => sluice(args, { cwd, env });
  const copy = (args: readonly string[]) => command(['copy', ...args, '--into', 'orders', '--yes']);
  const rows = async () =>
    (await database.query<{ row: string }>('SELECT t::text AS row FROM orders t ORDER BY 1')).map(
      ({ row }) => row,
    );
  const assertRan = (ran: { code: number | null; stderr: string }, code: number, ...said: RegExp[]) => {
    assert.equal(ran.code, code, ran.stderr);
    for (const each of said) assert.match(ran.stderr, each);
  };
  await database.query(
    "CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL, total numeric(8,2), note text DEFAULT 'none'); INSERT INTO orders VALUES (1, 'Ada', 10, 'first'), (2, 'Grace', 20, 'second'); CREATE FUNCTION owed(orders) RETURNS numeric LANGUAGE sql AS 'SELECT 1'; CREATE TABLE loose (a int, b int)",
  );
  const refused = await copy(['all.csv', '--mode', 'replace', '--omit', 'note', '--skip-columns', 'note']);
  assertRan(refused, 3, /function public\.owed\(public\.orders\): it uses the table's row type/);
  assertRan(refused, 3, /sluice copy all\.csv --mode sync --skip-columns note --into orders --yes/);
  assertRan(refused, 3, /or use plain columns there, or drop it/);

  const dry = await copy(['all.csv', '--mode', 'sync', '--dry-run', '--json']);
  assert.equal(JSON.parse(dry.stdout).changes['public.orders'].deleted, null);
  const ran = await copy(['all.csv', '--mode', 'sync', '--json']);
  const summary = JSON.parse(ran.stdout);
  assert.deepEqual(summary.changes['public.orders'], {
    ...{ staged: 2, inserted: 1, updated: 1, unchanged: 0, missing: 0 },
    ...{ suppressed: 0, deleted: 1, deletes_suppressed: 0 },
  });
  assert.equal(summary.published['public.orders'], 'sync');
  assert.deepEqual(await rows(), ['(2,Grace,21.00,second)', '(3,Joan,30.00,)']);
  const status = await command(['status', summary.batch]);
  assert.match(status.stdout, /public\.orders +│? *sync.*1 inserted, 1 updated, 1 deleted/);
  assert.match((await command(['report', summary.batch])).stdout, /public\.orders +sync +2 +1 +1 +0 +1/);
  assert.equal((await command(['rollback', summary.batch, '--yes'])).code, 0);
  assert.deepEqual(await rows(), BEFORE);

  assertRan(
    await command(['copy', 'loose.csv', '--into', 'loose', '--mode', 'sync', '--yes']),
    2,
    /public\.loose has no primary key: --mode sync must be told how rows are found/,
  );
  assertRan(await copy(['all.csv', '--mode', 'sync', '--omit', 'note']), 2, /--omit is for --mode replace/);
  // The rejects of a dry run are a part of their input: alone they would delete the rest.
  await copy(['bad.csv', '--mode', 'sync', '--dry-run', '--rejects-into', 'fixed']);
  const alone = await copy(['fixed/file.csv', '--mode', 'sync']);
  assertRan(alone, 3, /every other row of public\.orders would be deleted/, /--mode merge/);
  assert.deepEqual(await rows(), BEFORE);
});
