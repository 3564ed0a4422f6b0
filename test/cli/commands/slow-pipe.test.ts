import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';
import { leftGuards } from '../../support/lots.js';
import { thingsDatabase } from '../../support/things.js';
import { until } from '../../support/until.js';

for (const mode of ['replace', 'merge', 'sync', 'patch'])
  (mode === 'replace' ? test : long)(
    `the guard stands while rows of a pipe are still to come: a write meanwhile refuses the ${mode}`,
    async (t) => {
      const database = await thingsDatabase(t);
      await database.query("INSERT INTO things VALUES (1, 'another old one')");
      const args = ['copy', '-', '--format', 'csv', '--into', 'things', '--mode', mode, '--yes'];
      const { child, ended } = startSluice(args, {
        cwd: tempFolder(t),
        env: { SLUICE_DATABASE_URL: database.url },
      });
      // One row is there, and the rest takes its time.
      child.stdin?.write('id,name\n0,the new one\n');
      await until('the guard', async () => {
        const found = await database.query("SELECT FROM pg_trigger WHERE tgrelid = 'things'::regclass");
        return found.length > 0;
      });
      await database.query("UPDATE things SET name = 'written meanwhile'");
      child.stdin?.end('1,another\n');
      const { code, stderr } = await ended;
      assert.equal(code, 3, stderr);
      assert.match(stderr, /1 statement wrote to public\.things since the source was read/);
      const names = await database.query('SELECT DISTINCT name FROM things');
      assert.deepEqual(names, [{ name: 'written meanwhile' }]);
    },
  );

test('a pipe that gives nothing behind its header is stopped by the first signal', async (t) => {
  const database = await thingsDatabase(t);
  const running = startSluice(
    ['copy', '-', '--format', 'csv', '--into', 'things', '--mode', 'sync', '--yes'],
    {
      cwd: tempFolder(t),
      env: { SLUICE_DATABASE_URL: database.url },
    },
  );
  running.child.stdin?.write('id,name\n');
  await running.said('loading staging');
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 130);
  assert.deepEqual(await leftGuards(database), []);
});
