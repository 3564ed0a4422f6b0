import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRoom } from '../../src/db/connect.js';
import { testDatabase } from '../support/database.js';

test('a session for large tables has room to sort, and keeps what it has where that is more', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query("SET work_mem = '4MB'; SET maintenance_work_mem = '1GB'");
  await withRoom(client);
  const { rows } = await client.query(
    "SELECT current_setting('work_mem') AS work, current_setting('maintenance_work_mem') AS upkeep",
  );
  assert.deepEqual(rows, [{ work: '128MB', upkeep: '1GB' }]);
});
