import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { logOf, sluice } from '../../support/cli.js';
import { eventsDatabase, eventsFolder, writeEvents } from '../../support/events.js';

const LINES = [
  '1,0301,=SUM(A1),2026-02-01',
  '2,0302,fine,2026-02-30',
  'three,0303,"a ""quoted"", text",2026-02-03',
  '4,0304,-5,2026-02-04',
  '5,0305,"\'=kept",not a day',
];

test('rejects are given as the input had them, corrected, resubmitted, and published once', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const run = (...args: string[]) => sluice(['run', './events.js', '--yes', ...args], { cwd, env });
  writeEvents(cwd, LINES);

  const first = await run('--max-rejects', '60%');
  assert.equal(first.code, 4, first.stderr);
  assert.match(first.stderr, /rejected\s+3 rows/);
  const given = await sluice(['rejects', '1', '--format', 'csv'], { cwd, env });
  assert.equal(given.code, 0, given.stderr);
  const [header, ...lines] = given.stdout.trimEnd().split('\n');
  assert.equal(
    header,
    'id,phone,note,on_day,sluice_reject,sluice_line,sluice_reason,sluice_message,sluice_raw',
  );
  assert.equal(lines.length, 3);
  assert.match(lines[0] as string, /^2,0302,fine,2026-02-30,1,3,/);
  assert.match(lines[1] as string, /^three,0303,"a ""quoted"", text",2026-02-03,2,4,/);
  // A text that begins like an escaped formula is escaped as well, so that it comes back as it was.
  assert.match(lines[2] as string, /^5,0305,''=kept,not a day,3,6,/);

  // Not corrected: it is rejected again, and nothing is published.
  writeFileSync(join(cwd, 'fixed.csv'), given.stdout);
  const again = await run('--source', 'fixed.csv', '--only-rejects-of', '1');
  assert.equal(again.code, 3, again.stderr);
  assert.match(again.stderr, /3 of 3 rows were rejected/);

  const fixed = given.stdout
    .replace('2026-02-30', '2026-02-28')
    .replace('three', '3')
    .replace('not a day', '2026-02-05');
  writeFileSync(join(cwd, 'fixed.csv'), fixed);
  const second = await run('--source', 'fixed.csv', '--only-rejects-of', '1');
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(await database.query('SELECT id::int, note FROM events ORDER BY id'), [
    { id: 0, note: 'the old one' },
    { id: 1, note: '=SUM(A1)' },
    { id: 2, note: 'fine' },
    { id: 3, note: 'a "quoted", text' },
    { id: 4, note: '-5' },
    { id: 5, note: "'=kept" },
  ]);

  const third = await run('--source', 'fixed.csv', '--only-rejects-of', '1');
  assert.equal(third.code, 3);
  assert.match(third.stderr, /reject 1 was resubmitted already, with batch 3/);

  // Undone, they are rejects again.
  assert.equal((await sluice(['rollback', '3', '--yes'], { cwd, env })).code, 0);
  assert.equal((await run('--source', 'fixed.csv', '--only-rejects-of', '1')).code, 0);
});

test('cells that a spreadsheet would run are escaped in the file, and only there', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const notes = ['=1+1', '+1', '-1', '@x', '"\t=1"', "'=x", "it's", '""'];
  writeEvents(
    cwd,
    notes.map((note, at) => `${at + 1},,${note},never`),
  );
  const refused = await sluice(['run', './events.js', '--yes'], { cwd, env });
  assert.equal(refused.code, 3, refused.stderr);
  const csv = await sluice(['rejects', '1', '--format', 'csv'], { cwd, env });
  const shown = csv.stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[2]);
  assert.deepEqual(shown, ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "''=x", "it's", '""']);
  const jsonl = await sluice(['rejects', '1', '--format', 'jsonl'], { cwd, env });
  const rows = jsonl.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map((row) => row.note),
    ['=1+1', '+1', '-1', '@x', '\t=1', "'=x", "it's", ''],
  );
  assert.deepEqual(Object.keys(rows[0]).slice(0, 6), [
    'id',
    'phone',
    'note',
    'on_day',
    'sluice_reject',
    'sluice_line',
  ]);
});

test('rows that a stage has changed are given as the input had them', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t, {
    stage: `named('shout', async function* (rows) {
      for await (const chunk of rows) yield chunk.map((row) => ({ ...row, note: row.note.toUpperCase(), extra: 1 }));
    }), named('strip', async function* (rows) {
      for await (const chunk of rows) yield chunk.map(({ extra, ...row }) => row);
    })`,
  });
  const env = { DATABASE_URL: database.url };
  writeEvents(cwd, ['1,030,quiet,2026-13-01']);
  assert.equal((await sluice(['run', './events.js', '--yes'], { cwd, env })).code, 3);
  const { stdout } = await sluice(['rejects', '1', '--format', 'csv'], { cwd, env });
  assert.match(stdout.split('\n')[1] as string, /^1,030,quiet,2026-13-01,1,2,/);
  const [stored] = await database.query('SELECT stage_row, raw FROM sluice.migration_reject');
  assert.deepEqual(stored, {
    stage_row: { id: '1', phone: '030', note: 'QUIET', on_day: '2026-13-01' },
    raw: { id: '1', phone: '030', note: 'quiet', on_day: '2026-13-01' },
  });
});

test('text that is no record stands beside empty columns, which must be filled in', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const run = (...args: string[]) => sluice(['run', './events.js', '--yes', ...args], { cwd, env });
  writeEvents(cwd, ['1,030,fine,2026-01-01', '2,030,too,2026-01-02,many']);
  assert.equal((await run('--max-rejects', '1')).code, 4);
  const { stdout } = await sluice(['rejects', '1', '--format', 'csv'], { cwd, env });
  assert.match(stdout.split('\n')[1] as string, /^,,,,1,3,ragged_row,.*,"2,030,too,2026-01-02,many"$/);
  writeFileSync(join(cwd, 'fixed.csv'), stdout);
  const empty = await run('--source', 'fixed.csv', '--only-rejects-of', '1');
  assert.equal(empty.code, 3);
  assert.match(empty.stderr, /reject 1 has no values yet/);
  writeFileSync(join(cwd, 'fixed.csv'), stdout.replace('\n,,,,', '\n2,030,too,2026-01-02,'));
  const filled = await run('--source', 'fixed.csv', '--only-rejects-of', '1');
  assert.equal(filled.code, 0, filled.stderr);
});

test('what is resubmitted must be rejects of that batch, each once', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const run = (...args: string[]) => sluice(['run', './events.js', '--yes', ...args], { cwd, env });
  writeEvents(cwd, ['1,030,fine,2026-01-01', '2,030,bad,never']);
  const nothing = await run('--source', 'events.csv', '--only-rejects-of', '1');
  assert.equal(nothing.code, 2, nothing.stderr);
  assert.equal((await run('--max-rejects', '1')).code, 4);
  const plain = await run('--source', 'events.csv', '--only-rejects-of', '1');
  assert.equal(plain.code, 3);
  assert.match(plain.stderr, /the row is not one of the rejects of batch 1/);
  const line = '2,030,bad,2026-01-02';
  writeFileSync(join(cwd, 'twice.csv'), `id,phone,note,on_day,sluice_reject\n${line},1\n${line},1\n`);
  const twice = await run('--source', 'twice.csv', '--only-rejects-of', '1');
  assert.match(twice.stderr, /reject 1 stands twice in the file/);
  const none = await run('--only-rejects-of', '1');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /sluice rejects 1 --format csv > fixed\.csv/);
  assert.deepEqual(await database.query('SELECT id::int FROM events ORDER BY id'), [{ id: 0 }, { id: 1 }]);
});

test('whoever is told that rows were rejected is told how to correct them, and the command does it', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const run = (command: string) => sluice(command.split(' '), { cwd, env });
  writeEvents(cwd, ['1,030,fine,2026-01-01', '2,030,bad,never']);
  const failed = await run('run ./events.js --yes');
  assert.equal(failed.code, 3);
  const write = 'sluice rejects 1 --format csv > fixed.csv';
  const feed = /sluice (run \S+events\.js .*--source fixed\.csv --only-rejects-of 1) {3}\(resubmits them\)/;
  const told = [failed.stderr, (await run('rejects 1')).stderr, (await run('status 1')).stdout];
  for (const text of told) {
    assert.ok(text.includes(write), text);
    assert.match(text, feed);
  }
  const given = await run('rejects 1 --format csv');
  writeFileSync(join(cwd, 'fixed.csv'), given.stdout.replace('bad,never', 'good,2026-01-02'));
  // Given as if it were the input, it is known for what it is.
  const plain = await run('run ./events.js --yes --source fixed.csv');
  assert.equal(plain.code, 3, plain.stderr);
  assert.match(plain.stderr, /fixed\.csv is a file of rejects of batch 1/);
  const [, command] = feed.exec(plain.stderr) ?? [];
  const fed = await run(`${command} --yes`);
  assert.equal(fed.code, 0, fed.stderr);
  assert.deepEqual(await database.query('SELECT id::int, note FROM events ORDER BY id'), [
    { id: 0, note: 'the old one' },
    { id: 1, note: 'fine' },
    { id: 2, note: 'good' },
  ]);
  assert.match((await run('status 1')).stdout, /1 reject resubmitted in batch 2/);
  assert.match((await run('status 2')).stdout, /its rows are corrected rejects of batch 1/);
});

test('where rejects cannot be resubmitted, that is said where they are told of', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const piped = await sluice(['run', './events.js', '--yes', '--source', '-'], {
    ...{ cwd, env },
    input: 'id,phone,note,on_day\n1,030,fine,2026-01-01\n2,030,bad,never\n',
  });
  assert.equal(piped.code, 3, piped.stderr);
  const { stderr } = await sluice(['rejects', '1'], { cwd, env });
  for (const text of [piped.stderr, stderr]) {
    assert.match(
      text,
      /they cannot be resubmitted alone: nothing of the batch is live: .* events could be read only once/,
    );
    assert.match(text, /save the input to a file, correct the rows in it, and run that file whole/);
  }
  writeFileSync(join(cwd, 'fixed.csv'), 'id,phone,note,on_day,sluice_reject\n2,030,bad,2026-01-01,1\n');
  const fed = await sluice(
    ['run', './events.js', '--yes', '--source', 'fixed.csv', '--only-rejects-of', '1'],
    {
      cwd,
      env,
    },
  );
  assert.equal(fed.code, 3);
  assert.match(fed.stderr, /rejects of batch 1 cannot be resubmitted: nothing of the batch is live/);
});

test('a dry run writes its rejects into files, which corrected are an input like any other', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  const run = (...args: string[]) => sluice(['run', './events.js', ...args], { cwd, env });
  writeEvents(cwd, ['1,030,fine,2026-01-01', '2,030,=1+1,never', '3,030,too,2026-01-01,many']);
  const dry = await run('--dry-run', '--rejects-into', 'fixed');
  assert.equal(dry.code, 3, dry.stderr);
  assert.match(dry.stderr, /2 rejected rows of events in fixed\/events\.csv/);
  const path = join(cwd, 'fixed', 'events.csv');
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^2,030,'=1\+1,never,,3,/m);
  assert.match((await run('--dry-run', '--rejects-into', 'fixed')).stderr, /fixed has files already/);
  const unfilled = await run('--yes', '--source', path);
  assert.match(unfilled.stderr, /a row of the file of rejects has no values yet/);
  writeFileSync(path, text.replace('never', 'no day').replace(/^,,,,.*\n/m, ''));
  // A reject of it still names the line of the file that it came from.
  assert.match((await run('--yes', '--source', path)).stderr, /line 3: on_day is "no day"/);
  writeFileSync(path, text.replace('never', '2026-01-02').replace(/^,,,,.*\n/m, ''));
  const fed = await run('--yes', '--source', path);
  assert.equal(fed.code, 0, fed.stderr);
  assert.deepEqual(await database.query('SELECT note FROM events WHERE id = 2'), [{ note: '=1+1' }]);
});

test('masked columns are in no reject, log or message, and must be filled in to be resubmitted', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t, {
    mask: "['phone']",
    stage: `named('calls', async function* (rows, run) {
      for await (const chunk of rows) {
        for (const row of chunk) run.log.info('called', { phone: row.phone, id: row.id });
        run.report({ name: 'calls', columns: ['id', 'phone'], rows: [['1', chunk[0].phone]], more: 0, summary: [] });
        yield chunk;
      }
    })`,
  });
  const env = { DATABASE_URL: database.url };
  writeEvents(cwd, ['1,0307777,fine,2026-01-01', '2,0308888,bad,never', '3,0309999,too,2026-01-01,many']);
  const run = await sluice(['run', './events.js', '--yes', '--max-rejects', '2'], { cwd, env });
  assert.equal(run.code, 4, run.stderr);
  const { stdout } = await sluice(['rejects', '1', '--format', 'csv'], { cwd, env });
  assert.match(stdout, /2,\[masked\],bad,never/);
  const ledger = JSON.stringify([
    await database.query('SELECT * FROM sluice.migration_reject'),
    await database.query('SELECT * FROM sluice.migration_batch'),
  ]);
  const log = readFileSync(logOf(cwd, '1'), 'utf8');
  assert.match(log, /"phone":"\[masked\]","id":"1"/);
  for (const text of [ledger, log, stdout]) assert.doesNotMatch(text, /030(7777|8888|9999)/);
  writeFileSync(join(cwd, 'fixed.csv'), stdout.replace('never', '2026-01-01').replace(/^,.*\n/m, ''));
  const fed = await sluice(
    ['run', './events.js', '--yes', '--source', 'fixed.csv', '--only-rejects-of', '1'],
    {
      cwd,
      env,
    },
  );
  assert.equal(fed.code, 3);
  assert.match(fed.stderr, /phone of reject 2 is masked/);
});

test('--no-source-data keeps nothing of the source, but says where a reject is', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  const env = { DATABASE_URL: database.url };
  writeEvents(cwd, ['1,0307777,fine,2026-01-01', '2,0308888,secret,neverever']);
  const run = await sluice(['run', './events.js', '--yes', '--no-source-data'], { cwd, env });
  assert.equal(run.code, 3, run.stderr);
  const ledger = JSON.stringify([
    await database.query('SELECT * FROM sluice.migration_reject'),
    await database.query('SELECT * FROM sluice.migration_batch'),
  ]);
  const log = readFileSync(logOf(cwd, '1'), 'utf8');
  for (const text of [ledger, log, run.stderr]) assert.doesNotMatch(text, /secret|neverever|0308888/);
  const [reject] = await database.query(
    'SELECT line::int, column_name, raw, value FROM sluice.migration_reject',
  );
  assert.deepEqual(reject, { line: 3, column_name: 'on_day', raw: null, value: '[masked]' });
});
