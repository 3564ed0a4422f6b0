import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { backupFile } from '../../sinks/backup-file.js';
import type { Run } from '../../src/core/run.js';
import { mayMount, tinyDisk } from '../support/disk.js';
import { tempFile, tempFolder } from '../support/files.js';
import { testRun } from '../support/run.js';

/** A backup in a folder of the test's own, and the files that its run was told of. */
function backup(t: TestContext) {
  const directory = tempFolder(t);
  const files: string[] = [];
  const run: Run = { ...testRun({ batch: '7' }), wrote: (path) => void files.push(path) };
  return { directory, files, run, file: backupFile('backup', { pipeline: 'p', directory }) };
}

test('a run that fails leaves neither the file nor a part of it', async (t) => {
  const { directory, file, run } = backup(t);
  const lots = await file.section('lots').open(run);
  const serials = await file.section('serials').open(run);
  await lots.write([{ id: 1 }]);
  await lots.close();
  await serials.write([{ id: 2 }]);
  await lots.discard();
  await serials.discard();
  assert.deepEqual(readdirSync(directory), []);
});

test('what a killed run has left unfinished is removed by the next, and nobody else’s', async (t) => {
  const { directory, file, run } = backup(t);
  const section = await file.section('lots').open(run);
  const ours = readdirSync(directory).filter((name) => !name.includes('lots'));
  assert.equal(ours.length, 1);
  // A process that has just ended is there no more.
  const { pid } = spawnSync(process.execPath, ['--version']);
  const dead = ours[0]?.replace(`.${process.pid}.`, `.${pid}.`) as string;
  const others = [
    'backup_20260101_000000.json',
    dead.replace('backup_', 'other_'),
    dead.replace(/\.[^.]+(?=\.\d+\.)/, '.elsewhere'),
  ];
  for (const name of [dead, dead.replace('.part', '.lots.part'), ...others])
    writeFileSync(join(directory, name), '');
  const next = await backupFile('backup', { pipeline: 'p', directory }).section('lots').open(run);
  await Promise.all([section.close(), next.close()]);
  const left = readdirSync(directory);
  assert.deepEqual(left.filter((name) => others.includes(name)).sort(), others.sort());
  assert.equal(left.length, others.length + 2);
});

test('a full disk under it fails the run, and leaves nothing on the disk', { skip: mayMount }, async (t) => {
  const directory = tinyDisk(t);
  const section = await backupFile('backup', { pipeline: 'p', directory }).section('lots').open(testRun());
  const rows = Array.from({ length: 1000 }, (_, i) => ({ i, text: 'x'.repeat(500) }));
  await assert.rejects(
    async () => {
      for (let chunk = 0; chunk < 10; chunk++) await section.write(rows);
      await section.close();
    },
    (error: Error & { code: string; facts: { state: string } }) => {
      assert.equal(error.code, 'backup_failed');
      assert.match(error.message, /ENOSPC/);
      assert.match(error.facts.state, /nothing was published/);
      return true;
    },
  );
  await section.discard();
  assert.deepEqual(readdirSync(directory), []);
});

test('a folder that cannot be made is a failure that says nothing was published', async (t) => {
  const inTheWay = tempFile(t, 'file', '');
  const file = backupFile('backup', { pipeline: 'p', directory: join(inTheWay, 'below') });
  await assert.rejects(file.section('lots').open(testRun()), { code: 'backup_failed' });
});

test('sections are written at once and joined into one JSON file, readable by its owner only', async (t) => {
  const { directory, files, file, run } = backup(t);
  const sections = ['lots', 'serials', 'nothing'];
  const open = await Promise.all(sections.map((name) => file.section(name).open(run)));
  const awkward = [
    { id: 1, text: 'a "quote", a \\ and a\nline, ü, \u2028' },
    { id: 2, text: null },
  ];
  await open[0]?.write(awkward);
  await open[1]?.write([{ n: '9007199254740993' }]);
  await open[0]?.write([{ id: 3 }]);
  assert.deepEqual(await Promise.all(open.map((each) => each.close())), [3, 1, 0]);
  const [name] = readdirSync(directory);
  assert.match(name as string, /^backup_\d{8}_\d{6}\.json$/);
  const path = join(directory, name as string);
  assert.deepEqual(files, [path]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const { created_at, ...document } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  assert.ok(!Number.isNaN(Date.parse(created_at as string)));
  assert.deepEqual(document, {
    pipeline: 'p',
    batch: '7',
    lots: [...awkward, { id: 3 }],
    serials: [{ n: '9007199254740993' }],
    nothing: [],
  });
});

test('two backups within one second get names of their own', async (t) => {
  const { directory, file, run } = backup(t);
  for (let i = 0; i < 3; i++) {
    const section = await file.section('lots').open(run);
    await section.write([{ i }]);
    await section.close();
  }
  const found = readdirSync(directory).map(
    (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')).lots[0].i,
  );
  assert.deepEqual(found.sort(), [0, 1, 2]);
});

test('many rows are streamed: a slow disk holds the writer up, and all of them arrive', async (t) => {
  const { directory, file, run } = backup(t);
  const section = await file.section('rows').open(run);
  const text = 'x'.repeat(500);
  for (let chunk = 0; chunk < 20; chunk++)
    await section.write(Array.from({ length: 500 }, (_, i) => ({ n: chunk * 500 + i, text })));
  assert.equal(await section.close(), 10_000);
  const [name] = readdirSync(directory);
  const { rows } = JSON.parse(readFileSync(join(directory, name as string), 'utf8')) as {
    rows: { n: number }[];
  };
  assert.deepEqual([rows.length, rows[0]?.n, rows.at(-1)?.n], [10_000, 0, 9_999]);
});

test('a folder that is not there yet is made', async (t) => {
  const directory = join(tempFolder(t), 'a', 'b');
  const section = await backupFile('backup', { pipeline: 'p', directory }).section('lots').open(testRun());
  await section.close();
  assert.equal(readdirSync(directory).length, 1);
});
