import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { urlOfDatabase } from '../../../src/db/address.js';
import { freshDatabase } from '../../../src/db/embedded/fresh.js';
import { ident } from '../../../src/db/quote.js';
import { serverUrl } from '../../support/database.js';
import { ask } from '../../support/embedded.js';
import { until } from '../../support/until.js';

/** A name that no database has, in capitals and with blanks; dropped after `t`. */
async function freeName(t: TestContext) {
  const name = `Demo ${randomBytes(6).toString('hex')}`;
  const server = await serverUrl();
  t.after(() => ask(server, `DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`));
  return { name, server, url: urlOfDatabase(server, name) };
}

test('a database is made, made anew, and holds nothing of what was in it', async (t) => {
  const { name, server, url } = await freeName(t);
  await freshDatabase(server, name);
  await ask(url, 'CREATE TABLE lots AS SELECT 1 AS id');
  assert.equal(await ask(url, 'SELECT current_database()'), name);
  await freshDatabase(server, name);
  assert.equal(await ask(url, "SELECT to_regclass('lots')"), null);
});

test('a database of that name that somebody else has made is refused and keeps what is in it', async (t) => {
  const { name, server, url } = await freeName(t);
  await ask(server, `CREATE DATABASE ${ident(name)}`);
  await ask(url, 'CREATE TABLE lots AS SELECT 1 AS id');
  await assert.rejects(freshDatabase(server, name), { code: 'not_a_demo' });
  assert.equal(await ask(url, 'SELECT count(*)::int FROM lots'), 1);
});

test('a database that somebody looks at is refused, naming the session, and keeps what is in it', async (t) => {
  const { name, server, url } = await freeName(t);
  await freshDatabase(server, name);
  const looking = new URL(url);
  looking.searchParams.set('application_name', 'a look');
  const session = ask(looking.href, 'CREATE TABLE lots (id int); SELECT pg_sleep(30)').catch(
    (error) => error,
  );
  await until('the session that looks', async () => {
    const there = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'a look'";
    return (await ask(server, there)) === 1;
  });
  await assert.rejects(
    freshDatabase(server, name),
    (error: { code: string; facts: { details: string[] } }) => {
      assert.equal(error.code, 'demo_in_use');
      assert.match(String(error.facts.details), /^pid \d+ \(\w+, a look; /);
      return true;
    },
  );
  await ask(
    server,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'a look'`,
  );
  assert.equal(((await session) as { code?: string }).code, '57P01');
  await freshDatabase(server, name);
});
