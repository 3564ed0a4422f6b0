import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageVersion } from '../../../src/core/package.js';
import { type Ended, logOf, type Running, startSluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { thingsDatabase } from '../../support/things.js';
import { writeUserPipeline } from '../../support/user-pipeline.js';

/** A line of stderr under --log-format json: OpenTelemetry's log data model. */
interface LogRecord {
  readonly Timestamp: string;
  readonly SeverityText: string;
  readonly SeverityNumber: number;
  readonly Body: string;
  readonly Attributes: Readonly<Record<string, unknown>>;
  readonly Resource: Readonly<Record<string, unknown>>;
}

const NUMBERS: Readonly<Record<string, number>> = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 };

/** Every line as a record; fails where a line is anything else. */
function recordsOf(text: string): LogRecord[] {
  assert.ok(text.endsWith('\n'), text);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      // Without any, there is no field for attributes.
      const { Attributes = {}, ...rest } = JSON.parse(line) as Omit<LogRecord, 'Attributes'> &
        Partial<LogRecord>;
      const record: LogRecord = { ...rest, Attributes };
      assert.deepEqual(
        Object.keys(record).sort(),
        ['Attributes', 'Body', 'Resource', 'SeverityNumber', 'SeverityText', 'Timestamp'],
        line,
      );
      assert.equal(new Date(record.Timestamp).toISOString(), record.Timestamp);
      assert.equal(record.SeverityNumber, NUMBERS[record.SeverityText], line);
      assert.deepEqual(record.Resource, { 'service.name': 'sluice', 'service.version': packageVersion });
      assert.notEqual(record.Body, '');
      return record;
    });
}

async function things(t: TestContext) {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeUserPipeline(cwd);
  const start = (line: string, url = database.url): Running =>
    startSluice([...line.split(' '), '--log-format', 'json'], {
      cwd,
      env: { SLUICE_DATABASE_URL: url },
      input: '',
    });
  return { database, cwd, start };
}

/** The record of what ended the command: it is the last one. */
function ending({ stderr }: Ended): LogRecord {
  return recordsOf(stderr).at(-1) as LogRecord;
}

test('a run says log records and nothing else, with its batch, and its summary as the last', async (t) => {
  const { start, cwd } = await things(t);
  const { code, stdout, stderr } = await start('run things.ts --yes').ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '');
  const records = recordsOf(stderr);
  const loading = records.findIndex(({ Body }) => Body === 'load: loading staging');
  assert.ok(loading > 0, stderr);
  for (const { Attributes } of records.slice(loading)) assert.equal(Attributes['sluice.batch.id'], '1');
  assert.equal(records.filter(({ Body }) => Body.includes('loading staging')).length, 1);
  const last = records.at(-1) as LogRecord;
  assert.equal(last.Body, 'batch 1: published');
  assert.equal((last.Attributes.summary as { status: string }).status, 'completed');
  const file = recordsOf(readFileSync(logOf(cwd, '1'), 'utf8'));
  assert.ok(
    file.some(
      ({ Body, Attributes }) => Body === 'load: loading staging' && Attributes['sluice.batch.id'] === '1',
    ),
  );
});

test('with --json stdout is one object, and stderr is records', async (t) => {
  const { start } = await things(t);
  const { code, stdout, stderr } = await start('run things.ts --yes --json').ended;
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { status: string }).status, 'completed');
  recordsOf(stderr);
});

for (const [what, line, exit, type] of [
  ['rejects beyond their limit', 'run things.ts --yes --set bad=2', 3, 'too_many_rejects'],
  ['a flag that there is not', 'run things.ts --yes --nonsense', 2, 'bad_option'],
  ['a flag of a wrong value', 'run things.ts --yes --jobs none', 2, 'bad_option'],
  ['nobody who could be asked', 'run things.ts', 2, 'needs_yes'],
  ['a pipeline that there is not', 'run no-such-pipeline --yes', 2, 'no_such_pipeline'],
  ['a file that there is not', 'copy gone.csv --into things --mode append --yes', 2, 'file_not_found'],
  ['a batch that there is not', 'rollback 77 --yes', 2, 'no_such_batch'],
] as const)
  test(`${what}: the last record is the error, with its code and what to do`, async (t) => {
    const { start } = await things(t);
    const ended = await start(line).ended;
    const { SeverityText, Attributes } = ending(ended);
    assert.equal(SeverityText, 'ERROR', ended.stderr);
    assert.equal(Attributes['error.type'], type, ended.stderr);
    assert.equal(ended.code, exit, ended.stderr);
    assert.equal(Attributes['process.exit.code'], exit);
    assert.equal(ended.stdout, '');
  });

test('a server that does not answer is told as a record', async (t) => {
  const { start } = await things(t);
  const ended = await start('run things.ts --yes', 'postgres://127.0.0.1:1/none').ended;
  assert.equal(ended.code, 1);
  assert.equal(ending(ended).SeverityText, 'ERROR');
});

test('an exception of a stage is a record with the batch, and no line of a stack trace stands alone', async (t) => {
  const { start, cwd } = await things(t);
  writeFileSync(
    join(cwd, 'breaks.ts'),
    readFileSync(join(cwd, 'things.ts'), 'utf8').replace(
      'map((row) =>',
      "map((row) => { if (row.id === '5') throw new Error('two\\nlines'); return row; }, 'breaks'), map((row) =>",
    ),
  );
  const ended = await start('run breaks.ts --yes').ended;
  assert.equal(ended.code, 1, ended.stderr);
  const { Attributes } = ending(ended);
  assert.equal(Attributes['error.type'], 'stage_failed');
  assert.equal(Attributes['sluice.batch.id'], '1');
});

test('a run that is stopped says so as a record', async (t) => {
  const { start } = await things(t);
  const running = start('run things.ts --yes --set wait=yes');
  await running.said('"load: loading staging"');
  running.child.kill('SIGTERM');
  const ended = await running.ended;
  assert.equal(ended.code, 130, ended.stderr);
  // The pipeline itself writes there when it waits: what it writes is its own.
  const ours = ended.stderr.replace('the source waits\n', '');
  assert.equal(ending({ ...ended, stderr: ours }).Attributes['error.type'], 'interrupted');
});
