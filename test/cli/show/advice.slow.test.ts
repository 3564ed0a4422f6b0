import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { commandTree } from '../../../src/cli/tree.js';
import type { CommandData, FlagValue } from '../../../src/core/command.js';
import { type Ended, logOf, sluice } from '../../support/cli.js';
import { parseCommand } from '../../support/command-line.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { suggestedIn, wordsOf } from '../../support/suggestions.js';

/** Nobody listens there: a suggestion without the database that was named would go there. */
const ELSEWHERE = 'postgres://nobody@127.0.0.1:1/other';

const PIPELINE = `
import { append, csv, flow, pipeline } from 'sluice';
import { map } from 'sluice/transforms';
const columns = ['id', 'customer'];
export default pipeline({
  name: 'orders',
  summary: 'Orders.',
  inputs: { file: csv('nowhere.csv', { columns }) },
  tables: { orders: append('orders', { columns }) },
  settings: { tag: { summary: 'what customers are called', default: '' }, fail: { summary: 'throw', default: 'no', values: ['no', 'yes'] } },
  flows: ({ inputs, tables, settings }) => [
    flow(inputs.file)
      .through(map((row) => {
        if (settings.fail === 'yes' && row.id === '4') throw new TypeError('no such customer');
        return { ...row, customer: settings.tag + row.customer };
      }, 'tagged'))
      .into(tables.orders),
  ],
});
`;

const FILES: Readonly<Record<string, string>> = {
  'orders.mjs': PIPELINE,
  'new rows.csv': 'id,customer\n3,Joan\n4,Lee\n',
  'bad rows.csv': 'id,customer\nx,Joan\n5,Lee\ny,Ann\n',
  "o'brien.csv": 'id;customer\n6;Joan\n',
  'more.csv': 'id,customr,$weather\n7,Joan,fine\n',
  'again.csv': 'id,customer\n1,Ada\n8,Lee\n',
  'later.csv': 'id,customer\n9,Eve\n',
  'table.csv': 'a,b\n1,x\n',
  'none.csv': 'id,customer\n',
};

/** Flags that a step may leave away: how far to go, what was asked and what is resumed. */
const HOW_FAR = [
  'dryRun',
  'rehearse',
  'limit',
  'execute',
  'resume',
  'yes',
  'swap',
  'keepStaging',
  'json',
  'create',
];

/** Commands that read what another one reads. */
const READING = ['run', 'load', 'check', 'plan', 'copy'];

interface Shop {
  readonly database: TestDatabase;
  readonly cwd: string;
  run(words: readonly string[], input?: string): Promise<Ended>;
  /** Runs it and judges every command that it suggests; `like` is the command whose flags they are to have. */
  advised(words: readonly string[], code: number, like?: readonly string[]): Promise<CommandData[]>;
}

async function shop(t: TestContext): Promise<Shop> {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL);
    INSERT INTO orders VALUES (1, 'Ada'), (2, 'Grace')`);
  const cwd = tempFolder(t);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(cwd, name), text);
  const run = (words: readonly string[], input = '') =>
    sluice([...words, '--database-url', database.url], { cwd, input, env: { DATABASE_URL: ELSEWHERE } });
  return {
    database,
    cwd,
    run,
    async advised(words, code, like = words) {
      const ended = await run(words);
      assert.equal(ended.code, code, `${words.join(' ')}\n${ended.stderr}`);
      const lines = [...suggestedIn(ended.stdout), ...suggestedIn(ended.stderr)];
      const given = parseCommand(like);
      return wordsOf(...lines).map((found, at) => {
        const said = `${words.join(' ')}\n  suggests ${lines[at]}`;
        const next = parseCommand(found);
        judge(given, next, database.url, said);
        return next;
      });
    },
  };
}

function judge(given: CommandData, next: CommandData, url: string, said: string): void {
  const known = commandTree().commands.find((each) => each.name() === next.name)?.options ?? [];
  const flags = new Set(known.map((option) => option.attributeName()));
  if (flags.has('databaseUrl')) {
    const [wanted, named] = [url, String(next.flags.databaseUrl)].map((text) => new URL(text));
    wanted?.password !== undefined && Object.assign(wanted, { password: '' });
    assert.equal(named?.href, wanted?.href, said);
  }
  if (!READING.includes(given.name) || !READING.includes(next.name)) return;
  const corrected = next.flags.onlyRejectsOf !== undefined;
  if (corrected && next.name === 'copy') assert.match(next.args.join(' '), /^fixed(\.csv|\.jsonl)?$/, said);
  else assert.deepEqual(next.args, given.args, said);
  // How the rows of a copy come into its table, the batch knows.
  const resubmitted = corrected
    ? ['source', 'input', 'encoding', ...(next.name === 'copy' ? ['mode'] : [])]
    : [];
  for (const [flag, value] of Object.entries(given.flags)) {
    if (!flags.has(flag) || HOW_FAR.includes(flag) || resubmitted.includes(flag)) continue;
    const now: FlagValue | undefined = next.flags[flag];
    // Left away it may be only where the step says so, in place of it another value.
    if (now === undefined) assert.fail(`${said}\n  drops --${flag} ${value}`);
  }
}

const FLAGS = [
  ...['--set', "tag=$x 'y' ", '--max-rejects', '50%', '--guard', 'off', '--jobs', '1', '--no-triggers'],
  ...['--allow-empty', '--no-source-data', '--encoding', 'utf-8', '--log-file', 'my log.txt'],
];
const RUN = ['run', './orders.mjs', '--source', 'new rows.csv', ...FLAGS];

/** The words of a suggested command, for `run`: its database is added there. */
function again({ name, args, flags }: CommandData): string[] {
  const given = Object.entries(flags).flatMap(([flag, value]) => {
    if (flag === 'databaseUrl') return [];
    const option = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${option}`];
    return [value].flat().map((text) => `--${option}=${text}`);
  });
  return [name, ...given, ...args];
}

const named = (steps: readonly CommandData[], name: string, ...flags: readonly string[]): CommandData => {
  const found = steps.find(
    (step) => step.name === name && flags.every((flag) => step.flags[flag] !== undefined),
  );
  assert.ok(found, `${name} ${flags.join(' ')} among ${JSON.stringify(steps)}`);
  return found;
};

test('a dry run leads to the run that writes the same, and that to the rollback; each step does what it says', async (t) => {
  const it = await shop(t);
  const checked = await it.advised(
    ['check', './orders.mjs', '--source', 'new rows.csv', '--set', 'tag=t '],
    0,
  );
  assert.deepEqual(
    checked.map(({ name, flags }) => [name, flags.dryRun]),
    [['run', true]],
  );
  const dry = await it.advised([...RUN, '--dry-run', '--limit', '1'], 0);
  const rehearsal = named(dry, 'run', 'rehearse', 'limit');
  const rehearsed = await it.advised(again(rehearsal), 0);
  const write = named(rehearsed, 'run');
  assert.deepEqual(named(dry, 'run', 'source').args, write.args);
  const written = await it.advised([...again(write), '--yes'], 0);
  assert.deepEqual(await it.database.query('SELECT id, customer FROM orders WHERE id > 2 ORDER BY id'), [
    { id: 3, customer: "$x 'y' Joan" },
    { id: 4, customer: "$x 'y' Lee" },
  ]);
  for (const step of written) if (step.name === 'status') await it.advised(again(step), 0, RUN);
  const back = named(written, 'rollback');
  const tried = await it.advised([...again(back), '--dry-run'], 0);
  assert.equal((await it.run([...again(named(tried, 'rollback')), '--yes'])).code, 0);
  // The ledger leads to the same run again.
  const status = await it.advised(['status', back.args[0] as string], 0, RUN);
  assert.equal((await it.run([...again(named(status, 'run', 'set', 'guard')), '--yes'])).code, 0);
});

test('what is staged is offered to swap, by the load, by status, and where it is loaded again', async (t) => {
  const it = await shop(t);
  const loaded = await it.advised(['load', ...RUN.slice(1), '--yes'], 0);
  const status = await it.advised(['status', '1'], 0, ['load', ...RUN.slice(1)]);
  assert.deepEqual(named(loaded, 'swap').args, named(status, 'swap').args);
  const published = await it.advised([...again(named(status, 'swap')), '--yes'], 0);
  named(published, 'rollback');
  const twice = await it.advised(['swap', '1', '--yes'], 2);
  named(twice, 'rollback');
});

test('rejects beyond the limit: all of them, the same again, and the limit that would do', async (t) => {
  const it = await shop(t);
  const words = ['run', './orders.mjs', '--source', 'bad rows.csv', '--set', 'tag=a', '--max-rejects', '1'];
  for (const dry of [[], ['--dry-run']]) {
    const steps = await it.advised([...words, '--yes', ...dry], 3);
    assert.deepEqual(named(steps.slice(-1), 'run', 'maxRejects').flags.maxRejects, '2');
    if (dry.length === 0) named(steps, 'rejects');
  }
  const status = await it.advised(['status', '1'], 0, words);
  assert.deepEqual(
    status.map(({ name }) => name),
    ['rejects', 'report', 'run'],
  );
  assert.match((await it.run(again(named(status, 'report')))).stdout, /not an integer/);
  const published = await it.advised([...words.slice(0, -1), '2', '--yes'], 4);
  const rejects = named(published, 'rejects');
  const files = await it.advised([...again(rejects), '--into', 'my fixed'], 0, words);
  const fixed = join(it.cwd, 'my fixed', 'file.csv');
  writeFileSync(fixed, readFileSync(fixed, 'utf8').replace('\nx,', '\n30,').replace('\ny,', '\n31,'));
  assert.equal((await it.run([...again(named(files, 'run', 'onlyRejectsOf')), '--yes'])).code, 0);
  assert.deepEqual(
    await it.database.query('SELECT id, customer FROM orders WHERE id > 2 ORDER BY id'),
    [5, 30, 31].map((id, at) => ({ id, customer: `a${['Lee', 'Joan', 'Ann'][at]}` })),
  );
});

test('an exception in a stage names stage, file, line and the code on the screen, and leaves its stack in the log', async (t) => {
  const it = await shop(t);
  const words = ['run', './orders.mjs', '--source', 'new rows.csv', '--set', 'fail=yes', '--yes'];
  const { code, stderr } = await it.run(words);
  assert.equal(code, 1);
  assert.match(stderr, /sluice: stage tagged: no such customer\n +where: new rows\.csv, line 3\n/);
  assert.match(stderr, /\n +code: +.*\/orders\.mjs:14:62\n/);
  assert.match(stderr, /\n +log: +\.sluice\/logs\/[\w-]+-1\.log \(has the stack trace\)\n/);
  const log = readFileSync(logOf(it.cwd, '1'), 'utf8');
  const line = log.split('\n').find((each) => each.includes('stage_failed')) ?? '{}';
  assert.match(
    (JSON.parse(line) as { Attributes: Record<string, string> }).Attributes['exception.stacktrace'] ?? '',
    /^TypeError: no such customer\n +at .*orders\.mjs:14:62/,
  );
  const masked = await it.run([...words, '--no-source-data']);
  assert.equal(masked.code, 1);
  const quiet = readFileSync(logOf(it.cwd, '2'), 'utf8');
  assert.match(quiet, /"exception\.stacktrace":" +at .*orders\.mjs:14:62/);
  assert.doesNotMatch((await it.run([...words, '--dry-run'])).stderr, /log:/);
});

test('a copy that does not fit leads to one that does', async (t) => {
  const it = await shop(t);
  const copy = (file: string, ...more: string[]) => [
    'copy',
    file,
    '--into',
    'orders',
    '--max-rejects',
    '0',
    '--guard',
    'lock',
    ...more,
  ];
  const delimited = await it.advised(copy("o'brien.csv", '--dry-run'), 2);
  const dry = await it.advised(again(named(delimited, 'copy', 'delimiter')), 0);
  assert.equal((await it.run([...again(named(dry.slice(-1), 'copy', 'delimiter')), '--yes'])).code, 0);
  const mapped = await it.advised(copy('more.csv', '--yes'), 2);
  assert.equal((await it.run(again(named(mapped, 'copy', 'map', 'skipColumns')))).code, 0);
  const missing = await it.advised(['copy', 'table.csv', '--into', 'new_table', '--yes'], 2);
  assert.equal((await it.run(again(named(missing, 'copy', 'create')))).code, 0);
  const asked = await it.advised(copy('new rows.csv'), 2);
  assert.equal((await it.run(again(named(asked, 'copy', 'yes')))).code, 0);
  const taken = await it.advised(copy('again.csv', '--yes'), 3);
  assert.equal((await it.run(again(named(taken, 'copy', 'mode')))).code, 0);
  const limited = await it.advised(copy('new rows.csv', '--limit', '1'), 2);
  named(limited, 'copy', 'dryRun', 'limit');
  const staged = await it.advised(
    ['copy', 'later.csv', '--into', 'orders', '--mode', 'merge', '--no-swap', '--yes'],
    0,
  );
  named(staged, 'swap');
  const emptied = await it.advised(['copy', 'none.csv', '--into', 'orders', '--mode', 'replace', '--yes'], 3);
  named(emptied, 'copy', 'allowEmpty', 'mode');
});

test('what is offered is there: no report, no rollback and no cleanup where there is none', async (t) => {
  const it = await shop(t);
  const copy = ['copy', 'again.csv', '--into', 'orders', '--mode', 'merge', '--yes'];
  await it.advised(copy, 0);
  const first = await it.advised(['status', '1'], 0, copy);
  assert.deepEqual(
    first.map(({ name }) => name),
    ['rollback'],
  );
  await it.advised(copy, 0);
  assert.match((await it.run(['status', '2'])).stdout, /next: nothing: it has published nothing/);
  const list = await it.run(['status']);
  assert.match(list.stderr, /kept for rollbacks: 1 table, .*; cleanup drops what is older than 30 days\n/);
  const [kept] = await it.advised(['status'], 0);
  const found = await it.advised(again(kept as CommandData), 0);
  const none = await it.advised(['cleanup'], 0);
  assert.deepEqual(none, [kept]);
  assert.equal(named(found, 'cleanup', 'execute').flags.olderThan, '0d');
  assert.match((await it.run(again(named(found, 'cleanup', 'execute')))).stderr, /dropped 1\n/);
  const after = await it.run(['status', '1']);
  assert.deepEqual(suggestedIn(after.stdout), []);
});

test('--json holds the same steps, as text', async (t) => {
  const it = await shop(t);
  const words = ['check', './orders.mjs', '--source', 'gone.csv', '--set', 'tag=a', '--json'];
  await it.run(['copy', 'new rows.csv', '--into', 'orders', '--yes']);
  const status = JSON.parse((await it.run(['status', '1', '--json'])).stdout) as { next: string[] };
  const [back] = status.next;
  assert.match(back ?? '', /^sluice rollback 1 --database-url /);
  assert.doesNotMatch(back ?? '', new RegExp(String(new URL(it.database.url).password)));
  const { stdout } = await it.run(words);
  const { findings } = JSON.parse(stdout) as { findings: { next?: string | string[] }[] };
  for (const { next = [] } of findings)
    for (const step of [next].flat()) assert.equal(typeof step, 'string', JSON.stringify(findings));
});
