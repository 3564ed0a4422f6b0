import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';

async function setUp(t: TestContext) {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE things (id int PRIMARY KEY, note text, n int, doc jsonb)');
  const cwd = tempFolder(t);
  const run = (command: string) => sluice(command.split(' '), { cwd, env: { DATABASE_URL: database.url } });
  const write = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  const rows = async () =>
    (
      await database.query<{ r: string }>(
        "SELECT concat_ws(' ', id, note, n, doc) AS r FROM things ORDER BY id",
      )
    ).map(({ r }) => r);
  return { database, run, write, rows };
}

test('rejects of a copy go back by what the copy was told, whatever dialect they are saved in', async (t) => {
  const { run, write, rows } = await setUp(t);
  write('in.csv', 'No|Note|n|junk\n1|ok|1|j\n2|-5|x|j\n3|@home|y|j\n');
  const first = await run(
    'copy in.csv --into things --delimiter | --map No=id --skip-columns junk --max-rejects 2 --yes',
  );
  assert.equal(first.code, 4, first.stderr);
  assert.match(first.stderr, /sluice copy fixed\.csv --into things --only-rejects-of 1/);
  const given = await run('rejects 1 --format csv');
  write('fixed.csv', given.stdout.replace('x,j', '2,j').replace('y,j', '3,j').replaceAll(',', ';'));
  // As if it were an input, it is known for what it is, also where its own columns are skipped.
  const skipped = '--skip-columns junk,sluice_reject,sluice_line,sluice_reason,sluice_message,sluice_raw';
  for (const more of [skipped, '--create', '']) {
    const plain = await run(`copy fixed.csv --into things --delimiter ; --yes ${more}`.trim());
    assert.equal(plain.code, 3, plain.stderr);
    assert.match(plain.stderr, /fixed\.csv is a file of rejects of batch 1/);
    assert.match(plain.stderr, /sluice copy fixed\.csv .*--only-rejects-of 1 {3}\(resubmits them\)/);
  }
  for (const [more, says] of [
    ['--mode replace', /batch 1 was copied with another --mode/],
    ['--map No=n', /batch 1 was copied with another --map/],
  ] as const) {
    const other = await run(`copy fixed.csv --into things --only-rejects-of 1 --delimiter ; --yes ${more}`);
    assert.equal(other.code, 2, other.stderr);
    assert.match(other.stderr, says);
  }
  const fed = await run('copy fixed.csv --into things --only-rejects-of 1 --delimiter ; --yes');
  assert.equal(fed.code, 0, fed.stderr);
  assert.match(fed.stderr, /copy-public-things: publish the corrected rejects of batch 1 beside the rows/);
  assert.deepEqual(await rows(), ['1 ok 1', '2 -5 2', '3 @home 3']);
});

for (const format of ['csv', 'jsonl'])
  test(`rows of JSON come back as they were, nested values and numbers, by way of ${format}`, async (t) => {
    const { run, write, rows } = await setUp(t);
    write(
      'in.json',
      '[{"id": 1, "n": 1, "doc": {"a": [1, "x"]}}, {"id": 2, "n": "x", "note": "=1", "doc": {"a": [2, null]}}, {"id": 3, "n": "y", "doc": "text"}]',
    );
    assert.equal((await run('copy in.json --into things --max-rejects 2 --yes')).code, 4);
    const given = await run(`rejects 1 --format ${format}`);
    write(
      `fixed.${format}`,
      format === 'csv'
        ? given.stdout.replace(/^2,x/m, '2,2').replace(/^3,y/m, '3,3')
        : given.stdout.replace(/"x"(?=,"note")/, '2').replace('"y"', '3'),
    );
    const fed = await run(`copy fixed.${format} --into things --only-rejects-of 1 --yes`);
    assert.equal(fed.code, 0, fed.stderr);
    assert.deepEqual(await rows(), ['1 1 {"a": [1, "x"]}', '2 =1 2 {"a": [2, null]}', '3 3 "text"']);
  });

test('of a failed copy of several files, and of one that replaces, all files are read again, corrected', async (t) => {
  const { run, write, rows } = await setUp(t);
  write('a.csv', 'id,note,n\n1,a,1\n2,b,x\n');
  write('b.csv', 'id,note,n\n3,c,y\n4,d,4\n');
  const first = await run('copy a.csv b.csv --into things --mode replace --omit doc --yes');
  assert.equal(first.code, 3);
  assert.match(first.stderr, /sluice copy fixed --into things --only-rejects-of 1/);
  assert.equal((await run('rejects 1 --into fixed')).code, 0);
  for (const [name, from, to] of [
    ['file-1', 'x', '2'],
    ['file-2', 'y', '3'],
  ] as const) {
    const text = (await run(`rejects 1 --format csv --input ${name}`)).stdout;
    write(`fixed/${name}.csv`, text.replace(`,${from},`, `,${to},`));
  }
  const fed = await run('copy fixed --into things --only-rejects-of 1 --yes');
  assert.equal(fed.code, 0, fed.stderr);
  assert.deepEqual(await rows(), ['1 a 1', '2 b 2', '3 c 3', '4 d 4']);
});

test('a table that has such a column is one of rejects, and they are rows like any other', async (t) => {
  const { database, run, write } = await setUp(t);
  await database.query('CREATE TABLE kept (id text, sluice_reject int, sluice_line int)');
  write('rejects.csv', "id,sluice_reject,sluice_line\n'-1,3,17\n");
  const ended = await run('copy rejects.csv --into kept --yes');
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await database.query('SELECT * FROM kept'), [
    { id: "'-1", sluice_reject: 3, sluice_line: 17 },
  ]);
});
