import assert from 'node:assert/strict';
import { test } from 'node:test';
import { primaryKey } from '../../../src/db/catalog/primary-key.js';
import { testDatabase } from '../../support/database.js';

test('a primary key is its columns in their order, without those that its index includes', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE none (a int UNIQUE);
    CREATE TABLE keyed (a int, b int, c int, PRIMARY KEY (c, a) INCLUDE (b))`);
  const at = (table: string) => ({ schema: 'public', table });
  assert.deepEqual(await primaryKey(database, at('keyed')), ['c', 'a']);
  assert.deepEqual(await primaryKey(database, at('none')), []);
  assert.deepEqual(await primaryKey(database, at('nowhere')), []);
});
