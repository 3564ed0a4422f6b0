import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sluice, startSluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';
import { until } from '../support/until.js';

/** In two segments of 8 MiB and the beginning of a third. */
const ROWS = 40_000;

test('a copy that is killed in mid-load is offered by status and by the next run, and --resume ends it', async (t) => {
  const database = await testDatabase(t);
  // The server takes its time over a row of the third segment, so that the load is killed in the middle of it.
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
  const first = startSluice(['copy', 'big.csv', '--into', 'big', '--yes'], options);
  t.after(() => first.child.kill('SIGKILL'));
  await until('a committed segment', async () => {
    const [there] = await database.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_segment') IS NOT NULL AS there",
    );
    const segments =
      there?.there === true ? await database.query('SELECT FROM sluice.migration_segment') : [];
    assert.equal(first.child.exitCode, null, 'it was done before it could be killed');
    return segments.length > 0;
  });
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  await takes('0');
  const goOn = /sluice copy big\.csv --into big --mode append --resume 1/;
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
  const [counted] = await database.query(
    'SELECT count(*)::int AS n, count(DISTINCT id)::int AS distinct FROM big',
  );
  assert.deepEqual(counted, { n: ROWS, distinct: ROWS });
  const again = await sluice(['copy', 'big.csv', '--into', 'big', '--yes', '--resume', '1'], options);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /batch 1 cannot be resumed: it is completed/);
});
