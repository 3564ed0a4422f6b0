import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publish } from '../../sinks/publish/attempt.js';
import { surveyReplace } from '../../sinks/publish/replace/survey.js';
import { windowPart } from '../../sinks/publish/window.js';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { testDatabase } from '../support/database.js';

test('a prepared transaction that holds a lock is refused by the survey and by the publish, under its name', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE a (x int); CREATE TABLE b (x int)');
  const gid = `half done ${database.name}`;
  await database.query(`BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION '${gid}'`);
  try {
    const survey = await surveyReplace(await database.connect(), [{ schema: 'public', table: 'a' }]);
    assert.match(JSON.stringify(survey.refusals), new RegExp(gid));
    const lock = (table: string) => ({ schema: 'public', table, mode: 'ACCESS EXCLUSIVE' as const });
    const published = (sql: { readonly dependents?: readonly string[]; readonly table: string }) =>
      publish(
        database.connect,
        [windowPart(`public.${sql.table}`, { dependents: sql.dependents ?? [], locks: [lock(sql.table)] })],
        { attempts: 3, ledger: [], onRetry: () => {}, resolve: async () => 'not' },
      ).then(
        () => assert.fail('published'),
        (error: SluiceError) => error,
      );
    // Known beforehand; and met by a statement whose table nobody has named.
    for (const window of [{ table: 'a' }, { table: 'b', dependents: ['LOCK TABLE public.a'] }]) {
      const { code, facts } = await published(window);
      assert.equal(code, 'prepared_transaction');
      assert.match(
        facts.details?.join() ?? '',
        new RegExp(`^prepared transaction '${gid}' .* on (public\\.)?a$`),
      );
    }
  } finally {
    // Nobody can drop the database while it is there.
    await database.query(`ROLLBACK PREPARED '${gid}'`);
  }
});
