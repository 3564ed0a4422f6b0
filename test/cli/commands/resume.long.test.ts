import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sluice, startSluice } from '../../support/cli.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { leftSchemas } from '../../support/lots.js';
import { until } from '../../support/until.js';

/** In parts of 4 MiB, of which there are five. */
const ROWS = 40_000;

/** A copy of a big file whose last part takes the server for ever. */
async function slowCopy(t: TestContext, ...flags: string[]) {
  const database = await testDatabase(t);
  // The server takes its time over a row of the last part, so that the load is broken off in the middle of it.
  const takes = (time: string) =>
    database.query(`CREATE OR REPLACE FUNCTION taken(integer) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN IF $1 = ${ROWS - 10} THEN PERFORM pg_sleep(${time}); END IF; RETURN true; END $$`);
  await takes('600');
  await database.query(
    'CREATE DOMAIN taken_id AS integer CHECK (taken(VALUE)); CREATE TABLE big (id taken_id PRIMARY KEY, filler text)',
  );
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  const filler = 'x'.repeat(500);
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},${filler}\n`);
  writeFileSync(join(cwd, 'big.csv'), `id,filler\n${lines.join('')}`);
  const options = { cwd, env: { SLUICE_DATABASE_URL: database.url } };
  const first = startSluice(['copy', 'big.csv', '--into', 'big', '--yes', ...flags], options);
  t.after(() => first.child.kill('SIGKILL'));
  await until('two committed parts', async () => {
    const [there] = await database.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_part') IS NOT NULL AS there",
    );
    const parts = there?.there === true ? await database.query('SELECT FROM sluice.migration_part') : [];
    assert.equal(first.child.exitCode, null, 'it was done before it could be killed');
    return parts.length > 1;
  });
  return { database, options, first, takes };
}

async function assertAllThere(database: TestDatabase): Promise<void> {
  const [counted] = await database.query(
    'SELECT count(*)::int AS n, count(DISTINCT id)::int AS distinct FROM big',
  );
  assert.deepEqual(counted, { n: ROWS, distinct: ROWS });
}

test('a copy that is killed in mid-load is offered by status and by the next run, and --resume ends it', async (t) => {
  const { database, options, first, takes } = await slowCopy(t);
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  await takes('0');
  const goOn = /sluice copy big\.csv --into big --resume 1/;
  const status = await until('the news that it is gone', async () => {
    const { stdout } = await sluice(['status', '1'], options);
    return /interrupted/.test(stdout) && stdout;
  });
  assert.match(status, goOn);
  const other = await sluice(['copy', '-', '--into', 'big', '--yes', '--rehearse'], {
    ...options,
    input: 'id,filler\n-1,x\n',
  });
  assert.match(other.stderr, goOn);
  const resumed = await sluice(['copy', 'big.csv', '--into', 'big', '--yes', '--resume', '1'], options);
  assert.equal(resumed.code, 0, resumed.stderr);
  await assertAllThere(database);
  const again = await sluice(['copy', 'big.csv', '--into', 'big', '--yes', '--resume', '1'], options);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /batch 1 cannot be resumed: it is completed, and there is nothing left to be/);
  assert.match(
    again.stderr,
    /next: {2}sluice status 1 .*\n.*or load its input once more: sluice copy big\.csv/,
  );
});

test('a copy that is stopped drops what is loaded, or keeps it as --keep-staging asks, and --resume ends it', async (t) => {
  const { database, options, first, takes } = await slowCopy(t, '--keep-staging');
  first.child.kill('SIGINT');
  const stopped = await first.ended;
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.match(stopped.stderr, /nothing was published; .*batch 1 is failed; its staging is kept/);
  assert.match(stopped.stderr, /sluice copy big\.csv --into big --yes --keep-staging --resume 1/);
  assert.deepEqual(await database.query('SELECT FROM big'), []);
  await takes('0');
  const resumed = await sluice(['copy', 'big.csv', '--into', 'big', '--yes', '--resume', '1'], options);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stderr, /big\.csv is read on at line \d+/);
  await assertAllThere(database);
});

test('a copy that is stopped without --keep-staging leaves nothing to resume', async (t) => {
  const { database, options, first } = await slowCopy(t);
  first.child.kill('SIGTERM');
  const stopped = await first.ended;
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.deepEqual(await leftSchemas(database), []);
  const resumed = await sluice(['copy', 'big.csv', '--into', 'big', '--yes', '--resume', '1'], options);
  assert.equal(resumed.code, 2);
  assert.match(
    resumed.stderr,
    /batch 1 cannot be resumed: nothing of it is loaded, or its staging was dropped/,
  );
  assert.match(
    resumed.stderr,
    /next: {2}sluice status 1 .*\n.*then start afresh: sluice copy big\.csv --into big/,
  );
});

test('a copy from stdin that was refused cannot be resumed, and the way to begin anew is said', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE little (id int)');
  const options = { cwd: tmpdir(), env: { SLUICE_DATABASE_URL: database.url }, input: 'id\n1\nx\n' };
  const first = await sluice(['copy', '-', '--into', 'little', '--yes'], options);
  assert.equal(first.code, 3, first.stderr);
  const resumed = await sluice(['copy', '-', '--into', 'little', '--yes', '--resume', '1'], options);
  assert.equal(resumed.code, 2);
  assert.match(resumed.stderr, /batch 1 cannot be resumed: stdin could be read only once/);
  assert.match(resumed.stderr, /next: {2}start afresh: sluice copy - --into little --yes/);
});

test('--keep-staging is refused where nothing could be resumed', async (t) => {
  const { url } = await testDatabase(t);
  const refused = await sluice(['copy', 'a.csv', '--into', 'b', '--keep-staging', '--guard', 'lock'], {
    cwd: tmpdir(),
    env: { SLUICE_DATABASE_URL: url },
  });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--keep-staging keeps what can be resumed/);
});
