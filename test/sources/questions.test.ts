import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { Questions } from '../../src/sources/questions.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { until } from '../support/until.js';

/** What is asked, and how many sessions were opened for it. */
function asking(t: TestContext, database: TestDatabase, lingerMs?: number) {
  let opened = 0;
  const questions = new Questions(async () => {
    opened++;
    const client = new pg.Client({ connectionString: database.url, application_name: 'asks' });
    client.on('error', () => {});
    await client.connect();
    return { client, usersPath: '' };
  }, lingerMs);
  t.after(() => questions.end());
  const there = async () => {
    const sql =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'asks'";
    return (await database.query(sql)).length;
  };
  return {
    questions,
    there,
    opened: () => opened,
    pid: () =>
      questions.ask(
        async ({ client }) => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as number,
      ),
  };
}

test('questions share a session, which ends when none comes any more', async (t) => {
  const { pid, there, opened } = asking(t, await testDatabase(t), 100);
  const first = await pid();
  assert.deepEqual(await Promise.all([pid(), pid()]), [first, first]);
  await until('the session ends', async () => (await there()) === 0);
  assert.equal(opened(), 1);
  assert.notEqual(await pid(), first);
});

test('a session that is to stay does, until it is ended', async (t) => {
  const { questions, pid, there } = asking(t, await testDatabase(t));
  const first = await pid();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(await pid(), first);
  await questions.end();
  await until('the session ends', async () => (await there()) === 0);
});

test('where the server has ended it there is another one, and a question that is lost says so', async (t) => {
  const database = await testDatabase(t);
  const { questions, pid, there } = asking(t, database, 60_000);
  const first = await pid();
  await database.query('SELECT pg_terminate_backend($1)', [first]);
  await until('the session ends', async () => (await there()) === 0);
  assert.notEqual(await pid(), first);
  await assert.rejects(
    questions.ask(({ client }) => client.query('SELECT pg_terminate_backend(pg_backend_pid())')),
    /terminat/,
  );
  assert.notEqual(await pid(), first);
});
