import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failed, interrupted, refused } from '../../src/core/errors/author.js';
import { validation } from '../../src/core/pipeline.js';
import { isConnectionLoss } from '../../src/db/server-error.js';
import { endsAsking } from '../../src/run/end/failure.js';
import { runOn } from '../support/lots.js';
import { thingsDatabase, thingsPipeline } from '../support/things.js';
import { validated, wrong } from '../support/validated.js';

test('all asking ends where the run is to stop or the database is out of reach; any other error is an answer', () => {
  for (const error of [interrupted(), failed('no_connection', 'away'), failed('connection_lost', 'gone')])
    assert.ok(endsAsking(error), error.message);
  for (const error of [refused('check_refused', 'no'), new Error('a bug')])
    assert.ok(!endsAsking(error), error.message);
});

test('validations asked again end with the connection; what one of them cannot ask is its finding', async (t) => {
  const database = await thingsDatabase(t);
  let sql = 'SELECT 1 AS one';
  const asking = validation('asks', 'It asks.', async ({ database: asked }) => {
    await asked.query(sql);
    return [];
  });
  const pipeline = thingsPipeline({ more: { validations: [asking] } });
  await runOn(t, database, pipeline);
  sql = 'SELECT FROM nowhere';
  assert.match(
    wrong(await validated(t, database, pipeline, '1')).join(),
    /asks: it could not be asked: .*nowhere/,
  );
  sql = 'SELECT pg_terminate_backend(pg_backend_pid())';
  await assert.rejects(validated(t, database, pipeline, '1'), isConnectionLoss);
});
