import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ident } from '../../src/db/quote.js';
import { type Query, templateDatabase, testDatabase } from './database.js';

test('databases copied from one template start alike and stay apart', async (t) => {
  let prepared = 0;
  const words = async (query: Query) => {
    prepared++;
    await query("CREATE TABLE words AS SELECT 'a' AS word");
  };
  // A content of its own each run, so that an earlier run's template is not taken for this one's.
  const content = String(process.hrtime.bigint());
  const names = await Promise.all([1, 2, 3].map(() => templateDatabase('words', words, content)));
  assert.equal(prepared, 1);
  assert.equal(new Set(names).size, 1);
  const template = names[0] as string;
  const [one, two] = [await testDatabase(t, { template }), await testDatabase(t, { template })];
  await one.query("INSERT INTO words VALUES ('b')");
  assert.equal((await one.query('SELECT FROM words')).length, 2);
  assert.equal((await two.query('SELECT FROM words')).length, 1);
  assert.notEqual(await templateDatabase('words', words, `${content} changed`), template);
  const other = await templateDatabase('words', words, `${content} changed`);
  const cleaner = await testDatabase(t);
  await Promise.all([one, two].map(({ name }) => cleaner.query(`DROP DATABASE ${ident(name)} WITH (FORCE)`)));
  for (const name of [template, other]) await cleaner.query(`DROP DATABASE ${ident(name)}`);
});

test('a preparation that fails leaves no template behind', async (t) => {
  const broken = (query: Query) => query('SELECT nonsense').then(() => {});
  const content = String(process.hrtime.bigint());
  await assert.rejects(templateDatabase('broken', broken, content), { code: '42703' });
  await assert.rejects(templateDatabase('broken', broken, content), { code: '42703' });
  const { query } = await testDatabase(t);
  assert.deepEqual(await query("SELECT datname FROM pg_database WHERE datname LIKE 'tpl_broken%'"), []);
  const unfinished = await query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE datname LIKE 'new\\_tpl\\_broken%'",
  );
  for (const { datname } of unfinished) await query(`DROP DATABASE ${ident(datname)}`);
});
