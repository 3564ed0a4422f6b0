import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagOf } from '../../../src/cli/given/command.js';
import { commandTree } from '../../../src/cli/tree.js';
import { commandLine } from '../../../src/core/command.js';
import { append } from '../../../src/core/target.js';
import { findBatch } from '../../../src/db/ledger/batches.js';
import type { Begun } from '../../../src/run/given/next-command.js';
import { rerun, resuming } from '../../../src/run/given/next-command.js';
import type { RunOptions } from '../../../src/run/given/options.js';
import { csv } from '../../../src/sources/csv/index.js';
import { fileSource } from '../../../src/sources/file.js';
import { parseCommand } from '../../support/command-line.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { tempFile } from '../../support/files.js';
import { wordsOf } from '../../support/suggestions.js';

/** What a program can ask of a run, and the flag that says the same. */
const ASKED: Readonly<Record<string, readonly [Partial<RunOptions>, unknown]>> = {
  set: [{ settings: { line: 'A 7' } }, ['line=A 7']],
  guard: [{ guard: 'off' }, 'off'],
  maxRejects: [{ maxRejects: { share: 0.005 } }, '0.5%'],
  maxShrink: [{ maxShrink: 80 }, '80%'],
  allowEmpty: [{ allowEmpty: true }, true],
  allowSuppressed: [{ allowSuppressed: true }, true],
  rewriteOids: [{ rewriteOids: true }, true],
  runOwnersCode: [{ runOwnersCode: true }, true],
  triggers: [{ noTriggers: true }, false],
  stopOnError: [{ stopOnError: true }, true],
  sourceData: [{ noSourceData: true }, false],
  records: [{ records: 'none' }, 'none'],
};

/** Flags that no batch has: what is the one command's alone, and how fast it goes. */
const OF_THE_COMMAND: readonly string[] = [
  ...[
    'databaseUrl',
    'json',
    'quiet',
    'yes',
    'logFile',
    'logFormat',
    'rejectsInto',
    'reportsInto',
    'jobs',
    'threads',
    'workers',
    'queue',
  ],
  ...['dryRun', 'rehearse', 'swap', 'execute', 'limit', 'resume', 'keepStaging', 'onlyRejectsOf'],
  // Of rows that go into files, which have no batch.
  ...['into', 'format', 'overwrite'],
  // The same as --input and --encoding.
  'source',
];

test('a batch that a program began is done again with all that the program had asked', async (t) => {
  const run = commandTree().commands.find((each) => each.name() === 'run');
  const flags = run?.options.map(flagOf).filter((flag) => !OF_THE_COMMAND.includes(flag));
  assert.deepEqual(flags?.toSorted(), [...Object.keys(ASKED), 'input', 'encoding'].toSorted());

  const test = await testDatabase(t);
  await test.query(`CREATE TABLE parts (id int PRIMARY KEY, name text)`);
  const path = tempFile(t, 'ä parts.csv', 'id,name\n1,screw\n');
  const { run: begin, database } = engine(t, test);
  const { summary } = await begin(
    loads(
      { parts: [append('parts', { columns: ['id', 'name'] }), csv('parts.csv')] },
      { settings: { line: { default: '', summary: 'which line' } } },
    ),
    {
      inputs: { parts: fileSource(path, { encoding: 'latin1' }) },
      ...Object.assign({}, ...Object.values(ASKED).map(([options]) => options)),
    },
  );
  assert.equal(summary.status, 'completed');
  const batch = await findBatch(database, summary.batch as string);
  assert.deepEqual(typed(rerun(batch)), {
    name: 'run',
    args: ['test-load'],
    flags: {
      ...Object.fromEntries(Object.entries(ASKED).map(([flag, [, value]]) => [flag, value])),
      input: [`parts=${path}`],
      encoding: ['parts=latin1'],
    },
  });
  // All else a batch that goes on has in the ledger.
  assert.deepEqual(typed(resuming(batch)).flags, { resume: batch.id, runOwnersCode: true });
});

test('a copy that no command line is kept of is done again with its limits, too', () => {
  const batch: Begun = {
    pipeline_from: 'copy a.csv --into t --encoding latin1',
    manifest: {
      repeatable: true,
      publish: true,
      guard: 'lock',
      maxRejects: { rows: 3 },
      inputs: { rows: { kind: 'file', given: true, path: '/a.csv', encoding: 'latin1' } },
    },
    settings: {},
    options: { allow_suppressed: true },
  };
  assert.equal(
    String(rerun(batch)),
    'sluice copy a.csv --into t --encoding latin1 --max-rejects 3 --guard lock --allow-suppressed',
  );
});

/** What the command line understands of a suggestion. */
const typed = ({ meant }: ReturnType<typeof rerun>) => {
  assert.ok(meant.kind === 'rerun');
  return parseCommand(wordsOf(commandLine(meant.command))[0] as string[]);
};
