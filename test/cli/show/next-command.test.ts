import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { flagOf, kept, typedHere } from '../../../src/cli/given/command.js';
import { leftOut, nextLines, nextShown, setCurrent } from '../../../src/cli/show/next.js';
import { commandTree } from '../../../src/cli/tree.js';
import { type CommandData, commandLine, shellWord } from '../../../src/core/command.js';
import { again, command, type Next, Suggestion } from '../../../src/core/next.js';
import { parseCommand } from '../../support/command-line.js';
import { projectFolder } from '../../support/server.js';
import { wordsOf } from '../../support/suggestions.js';

/** The steps as a command that was given `words` would show them. */
function shown(words: readonly string[], next: Next, isTTY = false): string[] {
  setCurrent({ given: parseCommand(words), root: commandTree() });
  try {
    return nextLines(next, { isTTY });
  } finally {
    setCurrent(undefined);
  }
}

/** What a shell and our own parser make of a line. */
const understood = (line: string): CommandData => parseCommand(wordsOf(line)[0] as string[]);

test('a value is one word of a shell, whatever it holds', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'));
  const nasty = fc.constantFrom(
    ...[
      '',
      ' ',
      "'",
      '"',
      '$HOME',
      '`id`',
      '*',
      '~',
      '-x',
      '\n',
      '\t',
      '!!',
      '\\',
      '=x',
      '{a,b}',
      '\u001b[2J',
      '\u202e',
      'ü',
    ],
  );
  const value = fc.array(fc.oneof(text, nasty), { maxLength: 4 }).map((parts) => parts.join(''));
  const values = fc.sample(value, 1000);
  const [words] = wordsOf(`sluice ${values.map(shellWord).join(' ')}`);
  assert.deepEqual(words, values);
  for (const each of values) assert.doesNotMatch(shellWord(each), /[\p{Cc}\p{Cf}]/u);
});

test('every command is repeated with all that it was given, and understood as the same', () => {
  const root = commandTree();
  const value = fc.constantFrom('x', 'a b', "o'b", '-dash', '$(id)', 'a=b', '', 'line\nbreak');
  const all = leavesOf(root).flatMap((each) => {
    const chosen = fc.subarray(each.options.filter((option) => !['help', 'version'].includes(option.name())));
    return fc
      .sample(fc.tuple(chosen, fc.array(value, { minLength: 8, maxLength: 8 })), 12)
      .map(([some, values]) => {
        const words = some.flatMap((option, at) => {
          if (!option.required && !option.optional) return [`--${option.name()}`];
          return [`--${option.name()}=${option.argChoices?.[0] ?? VALID[option.name()] ?? values[at % 8]}`];
        });
        // What every one of its kind must be told.
        const must = each.options.filter((option) => option.mandatory && !some.includes(option));
        const args = each.registeredArguments
          .filter(({ required }) => required)
          .map(({ argChoices }) => argChoices?.[0] ?? (values[0] as string));
        return [...nameOf(each), ...words, ...must.map((option) => `--${option.name()}=x y`), '--', ...args];
      });
  });
  const lines = all.map((given) => shown(given, again(), true)[0] as string);
  for (const [at, words] of wordsOf(...lines).entries())
    assert.deepEqual(parseCommand(words), parseCommand(all[at] as string[]), lines[at]);
});

/** Values of options that check theirs. */
const VALID: Readonly<Record<string, string>> = {
  'max-shrink': '80%',
  'max-rejects': '0.5%',
  limit: '3',
  jobs: '2',
  threads: '2',
  'rows-per-file': '5',
  'skip-lines': '2',
  'older-than': '7d',
};

type Tree = ReturnType<typeof commandTree>;
const leavesOf = (root: Tree): Tree[] =>
  root.commands.flatMap((each) => (each.commands.length > 0 ? leavesOf(each) : [each]));
const nameOf = (command: Tree): string[] =>
  command.parent === null ? [] : [...nameOf(command.parent), command.name()];

test('a change is all that differs, and a flag that the command has not leaves the step out', () => {
  const given = [
    'run',
    './p.ts',
    '--source',
    'o.csv',
    '--dry-run',
    '--limit',
    '5',
    '--set',
    'a=1',
    '--set',
    'b=2',
    '--no-triggers',
  ];
  const change = { drop: ['dryRun', 'limit'], flags: { set: ['a=3'], maxRejects: '1%' } };
  assert.deepEqual(shown(given, again(change, { lead: 'then', note: 'write it' })), [
    'then: sluice run ./p.ts --source o.csv --set b=2 --set a=3 --no-triggers --max-rejects 1%   (write it)',
  ]);
  assert.deepEqual(shown(given, again({ flags: { map: ['a=b'] } })), []);
  assert.deepEqual(shown(given, again({ flags: { map: ['a=b'] } }, { otherwise: 'rename it' })), [
    'rename it',
  ]);
});

test('a check that passed leads to the dry run of the same inputs; what check cannot be told, that can', () => {
  const given = ['check', 'p.ts', '--input', 'a=x.csv', '--encoding', 'latin1', '--json'];
  assert.deepEqual(shown(given, again({ name: 'run', flags: { dryRun: true } })), [
    'sluice run p.ts --input a=x.csv --encoding latin1 --json --dry-run',
  ]);
  assert.deepEqual(shown(given, again({ flags: { guard: 'lock' } })), [
    'sluice run p.ts --input a=x.csv --encoding latin1 --json --guard lock --dry-run',
  ]);
  assert.deepEqual(shown(['status', '4'], again({ name: 'run' })), []);
});

const URL = 'postgres://me:s3cret@db.example/shop?sslmode=require';

test('another command goes to the same database; its password is shown on a terminal alone', () => {
  const given = ['copy', 'a.csv', '--into', 't', '--database-url', URL, '--yes'];
  const next = [command('status', ['7']), again({ drop: ['yes'] }), command('db start'), command('list')];
  assert.deepEqual(shown(given, next, true), [
    `sluice status 7 --database-url '${URL}'`,
    `sluice copy a.csv --into t --database-url '${URL}'`,
    'sluice db start',
    'sluice list',
  ]);
  const safe = 'postgres://me@db.example/shop?sslmode=require';
  assert.deepEqual(shown(given, next.slice(0, 2)), [
    `sluice status 7 --database-url '${safe}'`,
    `sluice copy a.csv --into t --database-url '${safe}'`,
  ]);
  const inQuery = ['status', '--database-url', 'postgres://me@h/d?password=s3cret&sslmode=require'];
  assert.deepEqual(shown(inQuery, command('status', ['7'])), [
    "sluice status 7 --database-url 'postgres://me@h/d?sslmode=require'",
  ]);
  setCurrent({ given: parseCommand(given), root: commandTree() });
  const status = command('status', ['7']);
  assert.match(leftOut(nextShown(status, { isTTY: false })) ?? '', /password of --database-url is left out/);
  assert.equal(leftOut(nextShown(status, { isTTY: true })), undefined);
  assert.equal(leftOut(nextShown('check the path', { isTTY: false })), undefined);
  setCurrent(undefined);
});

test('where the data come on stdin, the same is to come again, and nobody can be asked', () => {
  const given = ['copy', '-', '--into', 't', '--dry-run'];
  assert.deepEqual(shown(given, again({ drop: ['dryRun'] }, { note: 'write it' })), [
    'sluice copy - --into t --yes   (write it; the same data on stdin)',
  ]);
});

test('the ledger keeps of a command neither its database nor its consent; elsewhere its paths are whole', () => {
  const given = parseCommand([
    ...['run', './p.ts', '--input', 'a=x.csv', '--source', '/s.db', '--log-file', 'l.log', '--yes', '--json'],
    ...['--database-url', URL, '--set', 'a=./b', '--max-rejects', '3', '--guard', 'off'],
  ]);
  const stored = JSON.parse(JSON.stringify(kept(given))) as CommandData;
  assert.doesNotMatch(JSON.stringify(stored), /s3cret/);
  assert.equal(
    commandLine(typedHere(stored)),
    'sluice run ./p.ts --input a=x.csv --source /s.db --log-file l.log --set a=./b --max-rejects 3 --guard off',
  );
  assert.equal(
    commandLine(typedHere({ ...stored, cwd: '/elsewhere' })),
    'sluice run /elsewhere/p.ts --input a=/elsewhere/x.csv --source /s.db --log-file /elsewhere/l.log --set a=./b --max-rejects 3 --guard off',
  );
});

test('every path of a command that the ledger keeps means the same file in another folder', () => {
  const flags = commandTree()
    .commands.filter((each) => ['run', 'load', 'copy'].includes(each.name()))
    .flatMap((each) => each.options.map((option) => ({ command: each.name(), option })))
    .filter(({ option }) => /<(?:.*=)?(?:path|file|folder)>/.test(option.flags));
  assert.ok(flags.length > 10);
  for (const { command, option } of flags) {
    const value = option.flags.includes('=') ? ['a=x/y'] : 'x/y';
    const stored = { name: command, args: ['p'], flags: { [flagOf(option)]: value }, cwd: '/elsewhere' };
    assert.deepEqual(
      [typedHere(stored).flags[flagOf(option)]].flat(),
      [option.flags.includes('=') ? 'a=/elsewhere/x/y' : '/elsewhere/x/y'],
      `${command} ${option.flags}`,
    );
  }
});

test('without a command line a step is its command, or says what changes', () => {
  assert.equal(
    String(command('rejects', ['7'], { format: 'csv' }, { to: 'fixed.csv' })),
    'sluice rejects 7 --format csv > fixed.csv',
  );
  assert.equal(
    String(again({ drop: ['key'], flags: { mode: 'merge' } })),
    'the same command with --mode merge and without --key',
  );
  assert.equal(String(again({}, { lead: 'free space, then' })), 'free space, then: the same command again');
  assert.ok(again() instanceof Suggestion);
});

/** What --help says of every command, blanks as one. */
function helpOf(command: Tree): string {
  let said = '';
  command.configureOutput({
    writeOut: (text) => {
      said += text;
    },
  });
  command.outputHelp();
  return [said, ...command.commands.map(helpOf)].join('\n');
}

test('no text in the code holds a command but what --help says, and all of that is understood', () => {
  const root = commandTree();
  const names = root.commands.map((each) => each.name()).join('|');
  const help = helpOf(root);
  const flat = help.replace(/\s+/g, ' ');
  const found = sources().flatMap(({ file, code }) =>
    code.split('\n').flatMap((line) => {
      const held = new RegExp(`\\bsluice (${names})\\b[^'"\`]*`).exec(line)?.[0];
      return held === undefined || flat.includes(held.trim()) ? [] : [`${file}: ${line.trim()}`];
    }),
  );
  assert.deepEqual(found, [], 'commands come from src/core/next.ts: command(), again(), rerun()');
  const examples = help
    .split('\n')
    .flatMap((line) => /^ {2}((?:\S+ \S+ \| )?sluice .*)$/.exec(line)?.[1]?.split(' | ') ?? [])
    .filter((each) => each.startsWith('sluice '));
  assert.ok(examples.length > 5);
  for (const example of examples) understood(example.replace(/ {2,}.*$/, ''));
});

/** The code of everything that ships, without its comments. */
function sources(): { readonly file: string; readonly code: string }[] {
  return ['src', 'sinks', 'transforms', 'pipelines'].flatMap((folder) =>
    readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
      // The files of new projects are texts of their own.
      .filter(
        (file) => file.endsWith('.ts') && !join(folder, file).startsWith(join('src', 'new', 'templates', '')),
      )
      .map((file) => ({
        file: join(folder, file),
        code: readFileSync(join(projectFolder, folder, file), 'utf8')
          .replace(/\/\*[\s\S]*?\*\//g, '')
          .replace(/^\s*\/\/.*$/gm, ''),
      })),
  );
}
