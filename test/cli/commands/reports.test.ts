import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { bakery } from '../../support/bakery.js';
import { sluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { thingsDatabase } from '../../support/things.js';

/** 300 rows that end in a table and in a report; a third of what comes behind them is skipped. */
const REPORTED = `
import { append, flow, memory, pipeline, validation } from 'sluice';
import { filter } from 'sluice/transforms';
import { report } from 'sluice/sinks';
const rows = Array.from({ length: 450 }, (_, n) => ({ id: String(n + 1), name: \`a "quoted", \${n}\` }));
export default pipeline({
  name: 'reported',
  summary: 'things with a report',
  inputs: { things: memory('things', rows) },
  tables: { things: append('things', { columns: ['id', 'name'] }) },
  mask: process.env.MASKED === '1' ? ['name'] : [],
  flows: ({ inputs, tables }) => [
    flow(inputs.things)
      .through(filter((row) => Number(row.id) % 3 !== 0, 'third'))
      .fork(
        (rows) => rows.into(tables.things),
        (rows) => rows.into(report('all / things', () => ({ columns: ['id', 'name'], summary: () => ['told above'] }))),
      ),
  ],
  validations: [
    validation('never', 'refuses', async () => [{ severity: 'error', message: 'it is refused' }]),
  ],
  figures: (accounts) => ({ every_third: accounts.length }),
});
`;

async function reported(t: TestContext) {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'reported.js'), REPORTED);
  return {
    cwd,
    run: (args: string, more: Record<string, string> = {}) =>
      sluice(['run', './reported.js', ...args.split(' ')], {
        cwd,
        env: { SLUICE_DATABASE_URL: database.url, ...more },
      }),
    rows: (folder: string) =>
      parse(readFileSync(join(cwd, folder, 'all-things.csv'), 'utf8'), { columns: true }) as Record<
        string,
        string
      >[],
  };
}

test('a dry run shows some rows of a report, offers all, and writes all where that is asked', async (t) => {
  const { cwd, run, rows } = await reported(t);
  const dry = await run('--dry-run');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stderr, /all \/ things\n {2}told above\n/);
  assert.match(dry.stderr, /… and 288 more/);
  assert.match(
    dry.stderr,
    /sluice run \.\/reported\.js --dry-run --reports-into reports +all rows of the reports/,
  );
  const whole = await run('--dry-run --reports-into reports --json');
  assert.match(whole.stderr, /300 rows of the report all \/ things in reports.all-things\.csv/);
  assert.doesNotMatch(whole.stderr, /sluice run .*--reports-into/, 'nothing that would write over them');
  assert.equal(rows('reports').length, 300);
  assert.deepEqual(rows('reports')[1], { id: '2', name: 'a "quoted", 1' });
  assert.equal(statSync(join(cwd, 'reports', 'all-things.csv')).mode & 0o777, 0o600);
  const again = await run('--dry-run --reports-into reports');
  assert.equal(again.code, 2);
  assert.match(again.stderr, /reports has files already/);
});

test('a run that is refused says its reports and figures, and writes the reports, too', async (t) => {
  const { run, rows } = await reported(t);
  const refused = await run('--yes --reports-into reports');
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /all \/ things\n {2}told above\n/);
  assert.match(refused.stderr, /read +450 rows\n +skipped +150 rows: third 150\n +every third +1\n/);
  assert.equal(rows('reports').length, 300);
});

test('what is masked is masked in the files, and --no-source-data writes none', async (t) => {
  const { cwd, run, rows } = await reported(t);
  await run('--dry-run --reports-into masked', { MASKED: '1' });
  assert.equal(rows('masked').length, 300);
  assert.ok(rows('masked').every(({ name }) => !name?.includes('quoted')));
  const none = await run('--dry-run --no-source-data --reports-into none');
  assert.match(none.stderr, /--no-source-data keeps them out of files, too/);
  assert.equal(existsSync(join(cwd, 'none')), false);
});

test('recipe-snapshots: every run without a recipe is in the file', async (t) => {
  const database = await bakery(t, {
    sql: 'INSERT INTO production_runs (recipe_id) SELECT 999999 FROM generate_series(1, 300)',
  });
  const cwd = tempFolder(t);
  const env = { SLUICE_DATABASE_URL: database.url };
  const ran = await sluice(['run', 'recipe-snapshots', '--dry-run', '--reports-into', 'all'], { cwd, env });
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(readdirSync(join(cwd, 'all')).sort(), ['runs-without-a-recipe.csv', 'snapshots.csv']);
  const file = readFileSync(join(cwd, 'all', 'runs-without-a-recipe.csv'), 'utf8');
  assert.equal(file.trimEnd().split('\n').length, 304, 'those of the sample, these, and a header');
});
