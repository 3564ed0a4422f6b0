import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';

test('a table is named as SQL names it, and every hint is a name as it is typed', async (t) => {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'f.csv'), 'id,v\n1,x\n');
  const env = { NO_COLOR: '1', DATABASE_URL: database.url };
  const run = (...args: string[]) => sluice(args, { cwd, env });
  const into = (name: string, ...more: string[]) => run('copy', 'f.csv', '--into', name, '--yes', ...more);
  await database.query(`
    CREATE SCHEMA a; CREATE SCHEMA "x.y";
    CREATE TABLE "a.b" (id int, v text); CREATE TABLE a.b (id int, v text); CREATE TABLE "c.d" (id int, v text);
    CREATE TABLE "Mixed" (id int, v text); CREATE TABLE mixed (id int, v text); CREATE TABLE plain (id int, v text);
    CREATE TABLE "select" (id int, v text); CREATE TABLE "x.y"."Z ""q""" (id int, v text);
    CREATE VIEW seen AS SELECT * FROM "Mixed"`);
  const where: Record<string, string> = {
    '"a.b"': 'public."a.b"',
    'a.b': 'a.b',
    'c.d': 'public."c.d"',
    'public.a.b': 'public."a.b"',
    Mixed: '"Mixed"',
    '"mixed"': 'mixed',
    PUBLIC: '',
    'Public.PLAIN': 'plain',
    select: '"select"',
    '"x.y"."Z ""q"""': '"x.y"."Z ""q"""',
  };
  for (const [name, table] of Object.entries(where)) {
    const before = table === '' ? [] : await database.query(`SELECT FROM ${table}`);
    const ran = await into(name);
    assert.equal(ran.code, table === '' ? 2 : 0, `${name}: ${ran.stderr}`);
    if (table !== '')
      assert.equal((await database.query(`SELECT FROM ${table}`)).length, before.length + 1, name);
  }

  assert.match((await into('"a.b')).stderr, /"a\.b is no name of a table: its quotes do not pair/);
  // As it is shown, for SQL and then for the shell, it can be typed.
  const typo = await into('"x.y"."Z ""p"""');
  const hint = /did you mean "x\.y"\."Z ""q"""\? (sluice copy .*)$/m.exec(typo.stderr)?.[1] as string;
  const words = execFileSync('sh', ['-c', `set -- ${hint.replace(/^sluice /, '')}; printf '%s\\n' "$@"`], {
    encoding: 'utf8',
  });
  assert.equal((await run(...words.trimEnd().split('\n'))).code, 0);
  assert.match(
    (await into('seen')).stderr,
    /seen is a view; [\s\S]*it reads public\."Mixed": sluice copy f\.csv --into 'public\."Mixed"'/,
  );

  // What SQL folds is folded where a table is made; a rollback takes a name in any of its spellings.
  assert.equal((await into('New', '--create')).code, 0);
  assert.equal((await into('"x.y"."New one"', '--create')).code, 0);
  assert.deepEqual(
    await database.query(
      "SELECT relname FROM pg_class WHERE relname IN ('New', 'new', 'New one', 'new one') ORDER BY 1",
    ),
    [{ relname: 'New one' }, { relname: 'new' }],
  );
  const [last] = await database.query<{ id: string }>(
    'SELECT max(id)::text AS id FROM sluice.migration_batch',
  );
  const wrong = await run('rollback', last?.id as string, '--table', 'other', '--yes');
  assert.match(wrong.stderr, /rollback \d+ --table '"x\.y"\."New one"'/);
  assert.equal((await run('rollback', last?.id as string, '--table', '"New one"', '--yes')).code, 0);
});
