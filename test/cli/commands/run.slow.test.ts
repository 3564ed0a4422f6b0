import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { logOf, sluice } from '../../support/cli.js';
import { WITHOUT_LEDGER } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';
import { asExpected, contents, exported, leftSchemas, lotSystem, sample } from '../../support/lots.js';
import { thingsDatabase } from '../../support/things.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

/** A LOT system, and `sluice` on it in a folder of its own. */
async function lots(t: TestContext, sql = '') {
  const database = await lotSystem(t, { sql });
  const cwd = tempFolder(t);
  const env = { SLUICE_DATABASE_URL: database.url };
  return {
    database,
    cwd,
    run: (args: string, input?: string | Uint8Array) =>
      sluice(args.split(' '), { cwd, env, ...(input === undefined ? {} : { input }) }),
  };
}

/** A user's own pipeline in a folder outside the project. */
async function userThings(t: TestContext) {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  const env = { SLUICE_DATABASE_URL: database.url };
  return { database, cwd, run: (args: string) => sluice(args.split(' '), { cwd, env }) };
}

test('a whole migration by the command line: check, rehearse, run, look, again, roll back', async (t) => {
  const { database, cwd, run } = await lots(t);
  const before = await contents(database);

  const check = await run('check lot-consolidation');
  assert.equal(check.code, 0);
  assert.equal(check.stdout, '');
  assert.match(check.stderr, /checks passed\n +next: sluice run lot-consolidation --dry-run\n/);
  assert.deepEqual(readdirSync(cwd), []);

  const rehearsed = await run('run lot-consolidation --rehearse --yes --quiet --json');
  assert.equal(rehearsed.code, 0, rehearsed.stderr);
  assert.equal(rehearsed.stderr, '');
  assert.equal(JSON.parse(rehearsed.stdout).status, 'rehearsed');
  assert.deepEqual(await contents(database), before);

  const ran = await run('run lot-consolidation --yes --json');
  assert.equal(ran.code, 0, ran.stderr);
  const summary = JSON.parse(ran.stdout) as Record<string, unknown>;
  assert.equal(ran.stdout.trimEnd().split('\n').length, 1, 'one object, on one line');
  for (const key of [
    'batch',
    'pipeline',
    'status',
    'read',
    'loaded',
    'rejected',
    'skipped',
    'published',
    'seconds',
    'rows_per_second',
    'lock_ms',
  ])
    assert.ok(key in summary, key);
  assert.deepEqual(
    [summary.batch, summary.pipeline, summary.status, summary.read, summary.rejected, summary.skipped],
    ['2', 'lot-consolidation', 'completed', 373, 0, 35],
  );
  assert.deepEqual(summary.loaded, { lots: 6, serials: 370 });
  assert.deepEqual(summary.published, { lots: 'replace', serials: 'replace' });
  assert.equal(typeof summary.lock_ms, 'number');
  assert.match(ran.stderr, /LI14PSA2511 +63 +3 +250 +LI14PSA2511001 +LI14PSA2511250/);
  assert.match(ran.stderr, /sluice rollback 2 +put everything back/);
  assert.doesNotMatch(ran.stderr, new RegExp(`${String.fromCharCode(27)}\\[`), 'no colours off a terminal');
  assert.deepEqual(await asExpected(database), {
    lots: await sample('expected/lots.csv'),
    serials: await sample('expected/serials.csv'),
  });

  const backup = readdirSync(cwd).find((name) => /^migration_backup_\d{8}_\d{6}\.json$/.test(name));
  assert.ok(backup !== undefined);
  const log = logOf(cwd, '2');
  assert.equal(statSync(log).mode & 0o777, 0o600);
  const lines = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { Body: string });
  assert.ok(lines.some((line) => line.Body === 'LOTs consolidated'));
  assert.ok(
    lines.some((line) => line.Body.startsWith('check: ')),
    'the log holds what came before the batch had its id',
  );

  const again = await run('run lot-consolidation --yes');
  assert.equal(again.code, 0);
  assert.equal(again.stdout, '');
  assert.match(again.stderr, /batch 3: nothing to do: live already holds exactly these rows/);

  const status = await run('status --json');
  assert.equal(status.stderr, '');
  assert.deepEqual(
    (JSON.parse(status.stdout) as { id: string; status: string }[]).map(
      (each) => `${each.id} ${each.status}`,
    ),
    ['3 completed', '2 completed', '1 rolled_back'],
  );
  const report = await run('report 2');
  assert.match(
    report.stdout,
    /^rows of the tables\n[\s\S]*public\.lots +replace +6 [\s\S]*\nconsolidations\n5 groups: 11 LOTs become 5/,
  );

  const rolled = await run('rollback 2 --yes --json');
  assert.equal(rolled.code, 0, rolled.stderr);
  assert.equal(JSON.parse(rolled.stdout).status, 'rolled_back');
  assert.deepEqual(await contents(database), before);

  const cleaned = await run('cleanup --older-than 0 --execute');
  assert.equal(cleaned.code, 0);
  assert.deepEqual(await leftSchemas(database), []);
});

test('a dry run by the command line writes no file and no ledger', async (t) => {
  const { database, cwd, run } = await lots(t);
  await database.query(WITHOUT_LEDGER);
  const { code, stdout, stderr } = await run('run lot-consolidation --dry-run --json');
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).batch, null);
  assert.deepEqual(readdirSync(cwd), []);
  assert.deepEqual(await database.query("SELECT FROM pg_namespace WHERE nspname ~ 'sluice'"), []);
});

test('off a terminal a run without --yes shows the plan and writes nothing', async (t) => {
  const { database, cwd, run } = await lots(t);
  const { code, stdout, stderr } = await run('run lot-consolidation');
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /public\.serials +replace[\s\S]*then: sluice run lot-consolidation --yes\n/);
  assert.deepEqual(readdirSync(cwd), []);
  assert.deepEqual(await leftSchemas(database), []);
});

long('a gzipped export in any order of lines, piped in, gives what the tables give', async (t) => {
  const { database, run } = await lots(t);
  const [head, ...lines] = await exported(database);
  const mixed = lines
    .map((line, at) => [(at * 101) % lines.length, line] as const)
    .sort((a, b) => a[0] - b[0]);
  const text = [head, ...mixed.map((each) => each[1])].join('\n');
  const { code, stderr } = await run(
    'run lot-consolidation --source - --yes --set backup=off',
    gzipSync(text),
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(await asExpected(database), {
    lots: await sample('expected/lots.csv'),
    serials: await sample('expected/serials.csv'),
  });
});

test('a wrong column in the export is named, with the nearest, before anything is written', async (t) => {
  const { database, cwd, run } = await lots(t);
  const [head, ...lines] = await exported(database);
  writeFileSync(
    join(cwd, 'old.csv'),
    [(head as string).replace('serial_number', 'serial_nr'), ...lines].join('\n'),
  );
  const { code, stderr } = await run('run lot-consolidation --source old.csv --yes');
  assert.equal(code, 3);
  assert.match(stderr, /serial_number/);
  assert.match(stderr, /serial_nr/);
  assert.deepEqual(await leftSchemas(database), []);
});

long(
  'LOTs that cannot be consolidated stay as they are, are listed, and the run ends with 4; so does the next',
  async (t) => {
    const { database, run } = await lots(t, await sample('left/missing-line.sql'));
    const ran = await run('run lot-consolidation --yes --json');
    assert.equal(ran.code, 4, ran.stderr);
    const told = JSON.parse(ran.stdout);
    assert.deepEqual([told.status, told.left, told.rejected], ['completed', 2, 0]);
    assert.equal(told.skip_reasons.missing_line, 2);
    assert.match(ran.stderr, /1 LOT with 2 serials stays as it is: correct what is wrong with it/);
    assert.match(ran.stderr, /901 +WF-KR-251121D-001 +2 +LOT WF-KR-251121D-001 has no production line/);
    assert.equal((await run('run lot-consolidation --yes')).code, 4);
    await database.query('UPDATE lots SET production_line_id = 1 WHERE id = 901');
    const corrected = await run('run lot-consolidation --yes');
    assert.equal(corrected.code, 0, corrected.stderr);
    assert.deepEqual(
      await database.query(
        'SELECT count(*)::int AS n FROM serials s JOIN lots l ON l.id = s.lot_id WHERE s.id IN (90101, 90102) AND starts_with(s.serial_number, l.lot_number)',
      ),
      [{ n: 2 }],
    );
  },
);

test('a refusal ends with 3, names the offenders, and the rejects are there to be read', async (t) => {
  const { database, run, cwd } = await lots(t);
  const [head, first, second, ...lines] = await exported(database);
  const nameless = [first, second].map((line) => (line as string).replace(/^[^,]*/, ''));
  writeFileSync(join(cwd, 'old.csv'), [head, ...nameless, ...lines].join('\n'));
  const ran = await run('run lot-consolidation --source old.csv --yes --json');
  assert.equal(ran.code, 3);
  const told = JSON.parse(ran.stdout);
  assert.deepEqual(
    [told.status, told.batch, told.read, told.rejected, told.loaded, told.error.code],
    ['refused', '1', 373, 2, {}, 'too_many_rejects'],
  );
  assert.match(ran.stderr, /2 of 373 rows were rejected[\s\S]*the line names no LOT[\s\S]*sluice rejects 1/);
  assert.match(ran.stderr, /nothing was published; live tables are untouched; batch 1 is failed/);
  assert.deepEqual(readdirSync(cwd).sort(), ['.sluice', 'old.csv']);
  const rejects = await run('rejects 1 --json');
  assert.equal(rejects.code, 0);
  const stored = rejects.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { reason: string });
  assert.deepEqual(
    stored.map((each) => each.reason),
    ['missing_lot_id', 'missing_lot_id'],
  );
  const status = await run('status 1');
  assert.match(status.stdout, /status +failed/);
  assert.match(status.stdout, /next: sluice rejects 1/);
});

long('the backup file alone brings the old contents back by the command line', async (t) => {
  const { database, cwd, run } = await lots(t);
  const before = await contents(database);
  assert.equal((await run('run lot-consolidation --yes')).code, 0);
  const backup = readdirSync(cwd).find((name) => name.startsWith('migration_backup')) as string;
  const restored = await run(`rollback --backup-file ${backup} --yes`);
  assert.equal(restored.code, 0, restored.stderr);
  assert.deepEqual(await contents(database), before);
});

test('a pipeline of the user’s own runs, with its settings; its rejects within the limit end with 4', async (t) => {
  const { database, cwd, run } = await userThings(t);
  const ran = await run('run things.ts --yes --json --set rows=20 --log-file my.log');
  assert.equal(ran.code, 0, ran.stderr);
  const summary = JSON.parse(ran.stdout) as { skipped: number; loaded: object };
  assert.deepEqual(summary.loaded, { things: 19 });
  assert.equal(summary.skipped, 1);
  assert.deepEqual(await database.query('SELECT * FROM things WHERE id = 7'), [{ id: 7, name: 'THING 7!' }]);
  assert.ok(readFileSync(join(cwd, 'my.log'), 'utf8').includes('"Body"'));
  assert.deepEqual(readdirSync(cwd).sort(), ['lib', 'my.log', 'things.ts']);

  const within = await run('run things.ts --yes --json --set rows=20 --set bad=3 --max-rejects 15%');
  assert.equal(within.code, 4, within.stderr);
  assert.equal(JSON.parse(within.stdout).rejected, 3);
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 16 }]);
  const stopped = await run('run things.ts --yes --set bad=3 --max-rejects 3 --stop-on-error');
  assert.equal(stopped.code, 3);
  assert.match(stopped.stderr, /--stop-on-error was given/);
});

test('a staged batch of a user’s pipeline is swapped by its id and the file, which is named again', async (t) => {
  const { database, run } = await userThings(t);
  const loaded = await run('load ./things.ts --yes --json');
  assert.equal(loaded.code, 0, loaded.stderr);
  assert.equal(JSON.parse(loaded.stdout).status, 'staged');
  assert.match(loaded.stderr, /sluice swap 1 --pipeline \S*things\.ts/);
  const unnamed = await run('swap 1 --yes');
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /sluice swap 1 --yes --pipeline \S*things\.ts/);
  const swapped = await run('swap 1 --pipeline ./things.ts --yes --json');
  assert.equal(swapped.code, 0, swapped.stderr);
  assert.equal(JSON.parse(swapped.stdout).status, 'completed');
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 10 }]);
  assert.equal((await run('swap 1 --pipeline ./things.ts --yes')).code, 2);
});

test('.env in the working directory names the database, and what is set already wins', async (t) => {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  writeFileSync(join(cwd, '.env'), `SLUICE_DATABASE_URL=${database.url}\n`);
  const read = await sluice(['run', 'things.ts', '--dry-run', '--quiet', '--json'], { cwd });
  assert.equal(read.code, 0, read.stderr);
  const set = await sluice(['status'], { cwd, env: { SLUICE_DATABASE_URL: 'postgres://127.0.0.1:1/other' } });
  assert.equal(set.code, 1);
  assert.match(set.stderr, /127\.0\.0\.1:1\/other as \S+ \(from SLUICE_DATABASE_URL\)/);
});

test('with --log-format json stderr holds the log’s lines', async (t) => {
  const { run } = await userThings(t);
  const { code, stderr } = await run('run things.ts --yes --quiet --log-format json');
  assert.equal(code, 0, stderr);
  const messages = stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { Body: string }).Body);
  assert.ok(messages.some((message) => message.startsWith('publish: ')));
});
