import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sluice, startSluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';

const ROWS = 300_000;

test('a copy that is killed in mid-load is offered by status and by the next run, and --resume ends it', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE big (id integer PRIMARY KEY, filler text)');
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  // More than two segments of 8 MiB.
  const filler = 'x'.repeat(50);
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},${filler}\n`);
  writeFileSync(join(cwd, 'big.csv'), `id,filler\n${lines.join('')}`);
  const options = { cwd, env: { SLUICE_DATABASE_URL: database.url } };
  const first = startSluice(['copy', 'big.csv', '--into', 'big', '--yes'], options);
  for (;;) {
    const [there] = await database.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_segment') IS NOT NULL AS there",
    );
    const segments =
      there?.there === true ? await database.query('SELECT FROM sluice.migration_segment') : [];
    if (segments.length > 0) break;
    assert.equal(first.child.exitCode, null, 'it was done before it could be killed');
    await sleep(2);
  }
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  const goOn = /sluice copy big\.csv --into big --mode append --resume 1/;
  for (let i = 0; ; i++) {
    const { stdout } = await sluice(['status', '1'], options);
    if (/interrupted/.test(stdout)) {
      assert.match(stdout, goOn);
      break;
    }
    assert.ok(i < 20, stdout);
    await sleep(200);
  }
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
