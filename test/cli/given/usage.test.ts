import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readBackupHead } from '../../../src/cli/given/backup-head.js';
import { pairs } from '../../../src/cli/given/flags.js';
import { givenInputs } from '../../../src/cli/given/inputs.js';
import { findPipeline } from '../../../src/cli/given/pipelines.js';
import { givenAddress } from '../../../src/cli/given/session.js';
import { told } from '../../../src/cli/show/failure.js';
import { table } from '../../../src/cli/show/table.js';
import { bytes, count, seconds } from '../../../src/cli/show/terminal.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { pipeline } from '../../../src/core/pipeline.js';
import { PgDatabase } from '../../../src/db/connect.js';
import type { RunOptions } from '../../../src/run/given/options.js';
import { allowedRejects, parseRejectLimit } from '../../../src/run/given/reject-limit.js';
import { Job } from '../../../src/run/job/job.js';
import { memory } from '../../../src/sources/memory.js';
import { sluice } from '../../support/cli.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { thrown } from '../../support/thrown.js';

/** Nobody listens there. */
const NOWHERE = 'postgres://me:secret@127.0.0.1:1/db';

/** Runs commands that are wrong: each must end with 2, say nothing on stdout, and say what is expected. */
async function wrong(t: TestContext, cases: readonly (readonly [args: string, says: RegExp])[]) {
  const cwd = tempFolder(t);
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await sluice(args.split(' '), {
      cwd,
      env: { SLUICE_DATABASE_URL: NOWHERE },
    });
    assert.match(stderr, says, args);
    assert.equal(code, 2, args);
    assert.equal(stdout, '', args);
  }
}

test('an unknown command, an unknown pipeline and options that make no sense are wrong usage', (t) =>
  wrong(t, [
    ['rnu lot-consolidation', /unknown command 'rnu'[\s\S]*Did you mean run\?/],
    [
      'run lot-consolidaton --yes',
      /there is no pipeline "lot-consolidaton"[\s\S]*did you mean lot-consolidation\?[\s\S]*sluice list/,
    ],
    ['run lot-consolidation --dry-run --rehearse', /--dry-run writes nothing and --rehearse loads staging/],
    ['run lot-consolidation --dry-run --execute', /--execute writes, and --dry-run does not/],
    ['status --watch', /--watch follows one batch/],
    [
      'mappings nowhere --pipeline lot-consolidation',
      /lot-consolidation uses no field mappings of "nowhere"/,
    ],
    ['mappings okvet --record-type nobody', /no records of the type "nobody"/],
    ['run lot-consolidation --limit 5 --yes', /--limit would publish a part of the rows/],
    ['load lot-consolidation --max-rejects many', /a number of rows such as 10, or a share such as 0\.5%/],
    ['rollback', /give a batch id or --backup-file/],
  ]));

test('an unknown input or setting is told what there is, before the database is asked', async (t) => {
  const database = new PgDatabase({ url: NOWHERE, described: 'nowhere', from: 'the test' });
  t.after(() => database.close());
  const { pipeline } = await findPipeline('lot-consolidation');
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const says = async (options: Pick<RunOptions, 'inputs' | 'settings'>) =>
    told(await Job.prepare(pipeline, { database, log: quiet, ...options }).catch((error) => error)).join(
      '\n',
    );
  assert.match(
    await says({ inputs: { serial: memory('x', []) } }),
    /has no input "serial"[\s\S]*its inputs: serials \(did you mean serials\?\)/,
  );
  assert.match(
    await says({ settings: { overflw: 'widen' } }),
    /has no setting "overflw"[\s\S]*did you mean overflow\?/,
  );
  assert.match(
    await says({ settings: { overflow: 'wide' } }),
    /overflow cannot be "wide"[\s\S]*--set overflow=refuse\n[\s\S]*--set overflow=widen/,
  );
});

test('stdin for two inputs, and --source for a pipeline of two, are refused', async (t) => {
  const two = pipeline({
    name: 'two',
    summary: '',
    inputs: { a: memory('a', []), b: memory('b', []) },
    tables: {},
    flows: () => [],
  });
  const flags = { input: [], set: [] };
  await assert.rejects(
    givenInputs(two, { ...flags, source: tempFile(t, 'x.csv', 'a\n1\n') }),
    /has 2 inputs: --source does not say which/,
  );
  await assert.rejects(givenInputs(two, { ...flags, source: 'gone.csv' }), /there is no file gone\.csv/);
  await assert.rejects(givenInputs(two, { ...flags, input: ['a=-', 'b=-'] }), /stdin cannot be both a and b/);
});

test('a wrong database is said without its password, with what to check; exit 1', async (t) => {
  const { code, stderr, stdout } = await sluice(['status', '--database-url', NOWHERE], {
    cwd: tempFolder(t),
  });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /cannot connect to 127\.0\.0\.1:1\/db as me \(from --database-url\): nothing listens there/,
  );
  assert.match(stderr, /next: +check the host and port/);
  assert.doesNotMatch(stderr, /secret/);
});

test('a pipeline file that is missing, broken, or exports none, is named', async (t) => {
  const cwd = tempFolder(t);
  for (const [file, text, says] of [
    ['missing.ts', undefined, /there is no file \/.*missing\.ts/],
    ['broken.ts', 'export default {{', /the pipeline .*broken\.ts cannot be loaded/],
    [
      'number.ts',
      'export default 5',
      /number\.ts does not export a pipeline[\s\S]*export default pipeline\(/,
    ],
    ['nothing.ts', 'export default null', /nothing\.ts does not export a pipeline/],
    ['other.js', 'export const a = 1', /other\.js does not export a pipeline/],
    [
      'bad-name.ts',
      "import { pipeline } from 'sluice'; export default pipeline({ name: 'Bad Name' } as never);",
      /the name must be kebab-case/,
    ],
  ] as const) {
    const path = join(cwd, file);
    if (text !== undefined) writeFileSync(path, text);
    const error = await thrown(findPipeline(path), file);
    assert.equal(error.kind, 'usage', file);
    assert.match(told(error).join('\n'), says);
  }
});

test('a file that is no backup, and one that is not there, are refused by name', async (t) => {
  const file = tempFile(t, 'other.json', '{"lots": [{"pipeline": "x"}]}');
  await assert.rejects(readBackupHead(file), /other\.json is not a backup file/);
  await assert.rejects(readBackupHead('missing.json'), /missing\.json cannot be read: it is not there/);
  const mine = tempFile(t, 'mine.json', '{\n "pipeline": "my \\"own\\"",\n "batch": "1"');
  assert.deepEqual(await readBackupHead(mine), { pipeline: 'my "own"' });
});

test('help is no mistake, and the list is data', async (t) => {
  const cwd = tempFolder(t);
  const help = await sluice(['--help'], { cwd });
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Exit codes:\n {2}0 {4}done\n {2}1 {4}failed/);
  const list = await sluice(['list', '--json'], { cwd });
  assert.equal(list.stderr, '');
  const found = JSON.parse(list.stdout) as { name: string; tables: string[] }[];
  assert.deepEqual(found.find((each) => each.name === 'lot-consolidation')?.tables, [
    'lots (replace)',
    'serials (replace)',
  ]);
});

test('--database-url is believed before SLUICE_DATABASE_URL, that before DATABASE_URL, that before PG*', () => {
  const url = (name: string) => `postgres://u:p@h/${name}`;
  const all = {
    SLUICE_DATABASE_URL: url('second'),
    DATABASE_URL: url('third'),
    PGHOST: 'fourth',
    PGUSER: 'u',
  };
  const described = (given: string | undefined, environment: NodeJS.ProcessEnv) => {
    const address = givenAddress(given, environment);
    return 'embedded' in address ? address : `${address.described} from ${address.from}`;
  };
  assert.equal(described(url('first'), all), 'h:5432/first as u from --database-url');
  assert.equal(described(undefined, all), 'h:5432/second as u from SLUICE_DATABASE_URL');
  const { SLUICE_DATABASE_URL: _, ...third } = all;
  assert.equal(described(undefined, third), 'h:5432/third as u from DATABASE_URL');
  assert.equal(
    described(undefined, { PGHOST: 'fourth', PGUSER: 'u' }),
    'fourth:5432/u as u from PGHOST, PGUSER',
  );
  assert.deepEqual(
    described(undefined, { DATABASE_URL: '' }),
    { embedded: undefined },
    'the embedded server',
  );
  assert.deepEqual(described('embedded:my shop', all), { embedded: 'my shop' });
  assert.throws(() => givenAddress('embedded:', {}), SluiceError);
  assert.throws(() => givenAddress('localhost', {}), SluiceError);
});

test('name=value pairs: a value may hold = and be empty, a name may not', () => {
  assert.deepEqual(pairs('--set', ['a=b=c', 'd=']), { a: 'b=c', d: '' });
  for (const bad of ['a', '=b', ''])
    assert.throws(() => pairs('--set', [bad]), /a name, = and a value were expected/);
});

test('a reject limit is a number of rows or a share, and nothing else', () => {
  assert.deepEqual(parseRejectLimit('10'), { rows: 10 });
  assert.deepEqual(parseRejectLimit('0.5%'), { share: 0.005 });
  // A share of no rows is none, and one of a few is rounded down.
  for (const [share, read, allowed] of [
    [1, 0, 0],
    [0.99, 1, 0],
    [0.29, 100, 29],
    [1, 7, 7],
  ] as const)
    assert.equal(allowedRejects({ share }, read), allowed);
  for (const bad of ['', '-1', '1.5', '101%', 'ten', '1e3', '%', '5 %'])
    assert.equal(parseRejectLimit(bad), undefined, bad);
});

test('figures read as people write them', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.deepEqual([0.421, 12.34, 200, 12_000].map(seconds), [
    '0.42 s',
    '12.3 s',
    '3 min 20 s',
    '3 h 20 min',
  ]);
  assert.deepEqual([0, 1023, 1536, 180_355_072].map(bytes), ['0 B', '1023 B', '1.5 KiB', '172 MiB']);
  assert.deepEqual(
    table(
      ['a', 'n'],
      [
        ['x', '1'],
        ['long', '22'],
      ],
      { right: [1] },
    ),
    ['a      n', 'x      1', 'long  22'],
  );
});
