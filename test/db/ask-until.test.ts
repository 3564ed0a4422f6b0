import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askUntil } from '../../src/db/ask-until.js';
import { testDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';

test('a question has an answer, or its time is over; the session is as it was then', async (t) => {
  const { database } = engine(t, await testDatabase(t));
  const forever = Number.POSITIVE_INFINITY;
  assert.deepEqual(await askUntil(database, forever, 'SELECT 1 AS one'), { one: 1 });
  assert.equal(await askUntil(database, forever, 'SELECT 1 AS one WHERE false'), undefined);
  assert.equal(await askUntil(database, performance.now() - 1, 'SELECT 1 AS one'), undefined);
  assert.equal(await askUntil(database, performance.now() + 50, 'SELECT pg_sleep(60) AS slept'), undefined);
  await assert.rejects(askUntil(database, forever, 'SELECT 1 / 0 AS one'), /division by zero/);
  const [after] = await database.query<{ timeout: string; idle: boolean }>(
    `SELECT current_setting('statement_timeout') AS timeout, pg_current_xact_id_if_assigned() IS NULL AS idle`,
  );
  assert.deepEqual(after, { timeout: '0', idle: true });
});
