import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { csv } from '../../../src/sources/csv/index.js';
import { openText } from '../../../src/sources/text/opening.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { rowsOf, testRun } from '../../support/run.js';

const failure =
  (code: string, message = /./) =>
  (error: unknown) => {
    assert.equal((error as { code: string }).code, code, String(error));
    assert.match(String(error), message);
    return true;
  };

const CSV = 'id,name\n1,a\n2,b\n';
const ROWS = [
  { id: '1', name: 'a' },
  { id: '2', name: 'b' },
];
/** CSV, by `zstd --check`. */
const ZSTD = Buffer.from('KLUv/SQQgQAAaWQsbmFtZQoxLGEKMixiCibGaUQ=', 'base64');

/** What the files of this process are that are open under `folder`. */
const openUnder = (folder: string) =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });

/** Enough rows for many Buffers. */
const big = () => `id,name\n${Array.from({ length: 100_000 }, (_, i) => `${i},some name ${i}`).join('\n')}\n`;

/** Runs a reader of stdin in a process of its own. */
async function readStdin(input: Uint8Array, options = '{}') {
  const source = new URL('../../../src/sources/csv/index.js', import.meta.url).href;
  const support = new URL('../../support/run.js', import.meta.url).href;
  const code = `import { csv } from '${source}'; import { rowsOf, testRun } from '${support}';
    const run = testRun(); const source = csv('-', ${options});
    await source.check(run);
    try { console.log(JSON.stringify({ rows: await rowsOf(source, run), kind: source.kind })); await rowsOf(source, run); }
    catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message })); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  let out = '';
  for await (const text of child.stdout.setEncoding('utf8')) out += text;
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a missing file is refused with the name that was meant', async (t) => {
  const path = tempFile(t, 'orders-2024.csv', CSV);
  await assert.rejects(
    rowsOf(csv(path.replace('orders', 'ordres'))),
    failure('file_not_found', /did you mean .*orders-2024\.csv\?/),
  );
  await assert.rejects(csv(`${path}/x/y.csv`).check?.(testRun()) as Promise<void>, failure('cannot_open'));
  await assert.rejects(
    rowsOf(csv(join(path, '../nowhere/x.csv'))),
    failure('file_not_found', /the folder .* does not exist/),
  );
});

test('a directory is refused, with the files that it holds', async (t) => {
  const path = tempFile(t, 'a.csv.gz', CSV);
  await assert.rejects(rowsOf(csv(join(path, '..'))), (error: unknown) => {
    failure('is_directory')(error);
    assert.deepEqual((error as { facts: { details: unknown } }).facts.details, ['it holds a.csv.gz']);
    return true;
  });
});

test('a file that may not be read is refused', async (t) => {
  const path = tempFile(t, 'a.csv', CSV);
  chmodSync(path, 0);
  if (process.getuid?.() !== 0) {
    await assert.rejects(rowsOf(csv(path)), failure('no_permission'));
    return;
  }
  // The superuser may read anything, so a child asks as somebody else.
  chmodSync(join(path, '..'), 0o755);
  const source = new URL('../../../src/sources/csv/index.js', import.meta.url).href;
  const support = new URL('../../support/run.js', import.meta.url).href;
  const code = `const { csv } = await import('${source}'); const { rowsOf } = await import('${support}');
    process.setuid(65534);
    await rowsOf(csv('${path}')).catch((error) => console.log(error.code, error.facts.next));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  assert.match(stdout, /^no_permission let this user read the file/);
});

test('gzip is read whatever the file is called, in several members, too', async (t) => {
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'a.csv', gzipSync(CSV)))), ROWS);
  const members = Buffer.concat([gzipSync('id,name\n1,a\n'), gzipSync('2,b\n')]);
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'b.csv.gz', members))), ROWS);
});

test('a truncated gzip fails and says how far it came', async (t) => {
  const whole = gzipSync(big());
  const path = tempFile(t, 'a.csv.gz', whole.subarray(0, whole.length >> 1));
  await assert.rejects(
    rowsOf(csv(path)),
    failure(
      'truncated_input',
      new RegExp(`gzip data end too early: ${whole.length >> 1} bytes of it gave \\d{5,} bytes`),
    ),
  );
  await assert.rejects(rowsOf(csv(tempFile(t, 'b.gz', whole.subarray(0, 10)))), failure('truncated_input'));
  const damaged = Buffer.from(whole);
  damaged.fill(0xff, 5000, 5100);
  await assert.rejects(rowsOf(csv(tempFile(t, 'c.gz', damaged))), failure('corrupt_input'));
});

test('zstd is read; truncated or damaged it fails', async (t) => {
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'a.csv', ZSTD))), ROWS);
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'b.csv', Buffer.concat([ZSTD, ZSTD])))), [
    ...ROWS,
    { id: 'id', name: 'name' },
    ...ROWS,
  ]);
  for (let cut = 5; cut < ZSTD.length; cut++) {
    await assert.rejects(
      rowsOf(csv(tempFile(t, 'c.zst', ZSTD.subarray(0, cut)))),
      failure('truncated_input'),
      `cut at ${cut}`,
    );
  }
});

test('a FIFO is read as its writer writes', async (t) => {
  const path = join(tempFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  await csv(path).check?.(testRun());
  const writer = spawn('sh', [
    '-c',
    'exec > "$1"; printf "id,name\\n1,a\\n"; sleep 0.1; printf "2,b\\n"',
    'sh',
    path,
  ]);
  assert.deepEqual(await rowsOf(csv(path)), ROWS);
  await new Promise((resolve) => writer.on('close', resolve));
});

test('a wait for a FIFO without a writer ends when the run is aborted', async (t) => {
  const path = join(tempFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const waiting = testRun();
  setTimeout(() => waiting.abort(), 50);
  await assert.rejects(rowsOf(csv(path), waiting), failure('interrupted'));
  // While it is being opened, when nobody waits for it yet.
  const opening = testRun();
  const reading = rowsOf(csv(path), opening);
  opening.abort();
  await assert.rejects(reading, failure('interrupted'));
});

test('stdin is read once, plain or packed, and is not touched by a check', async () => {
  for (const input of [Buffer.from(CSV), gzipSync(CSV), ZSTD]) {
    const [first, second] = await readStdin(input);
    assert.deepEqual(first, { rows: ROWS, kind: 'stdin' });
    assert.equal(second?.code, 'stdin_already_read');
  }
  const [empty] = await readStdin(Buffer.alloc(0));
  assert.deepEqual(empty, { code: 'empty_file', message: 'stdin is empty: not even a header' });
});

test('UTF-16 is refused with the way to read it, with and without a mark, and read that way', async (t) => {
  const le = Buffer.from(CSV, 'utf16le');
  const be = Buffer.from(le).swap16();
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), le]);
  for (const [bytes, encoding] of [
    [le, 'utf-16le'],
    [be, 'utf-16be'],
    [marked, 'utf-16le'],
  ] as const) {
    const path = tempFile(t, 'a.csv', bytes);
    await assert.rejects(rowsOf(csv(path)), failure('utf16_input', new RegExp(encoding)));
    assert.deepEqual(await rowsOf(csv(path, { encoding })), ROWS);
  }
  const cut = tempFile(t, 'b.csv', marked.subarray(0, -1));
  await assert.rejects(rowsOf(csv(cut, { encoding: 'utf-16le' })), failure('invalid_encoding'));
});

test('binary files are refused and named where they are known', async (t) => {
  await assert.rejects(
    rowsOf(csv(tempFile(t, 'a.csv', 'PK\x03\x04rest of a workbook'))),
    failure('binary_file', /ZIP archive/),
  );
  await assert.rejects(
    rowsOf(csv(tempFile(t, 'b.csv', 'SQLite format 3\0....'))),
    failure('binary_file', /SQLite/),
  );
  const noise = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + (i >> 3) * 104729) & 0xff));
  await assert.rejects(rowsOf(csv(tempFile(t, 'c.csv', noise))), failure('binary_file', /binary data/));
  await assert.rejects(rowsOf(csv(process.execPath)), failure('binary_file'));
});

test('progress is told in bytes on the disk, out of the size of the file', async (t) => {
  const plain = Buffer.from(big());
  for (const bytes of [plain, gzipSync(plain)]) {
    const run = testRun();
    await rowsOf(csv(tempFile(t, 'a.csv', bytes)), run);
    assert.deepEqual(run.position, { bytes: bytes.length, of: bytes.length });
  }
});

test('an abort ends the reading, and so does a reader that has enough; both close the file', async (t) => {
  for (const content of [big(), gzipSync(big())]) {
    const path = tempFile(t, 'a.csv', content);
    const folder = join(path, '..');
    const run = testRun();
    const reading = (async () => {
      for await (const _ of csv(path).read(run)) run.abort();
    })();
    await assert.rejects(reading, failure('interrupted'));
    assert.deepEqual(openUnder(folder), []);
    for await (const chunk of csv(path).read(testRun())) {
      assert.ok(chunk.length > 0);
      break;
    }
    assert.deepEqual(openUnder(folder), []);
    await csv(path).check?.(testRun());
    assert.deepEqual(openUnder(folder), []);
  }
});

test('every read starts afresh', async (t) => {
  const path = tempFile(t, 'a.csv', CSV);
  const source = csv(path);
  assert.deepEqual(await rowsOf(source), ROWS);
  appendFileSync(path, '3,c\n');
  assert.deepEqual(await rowsOf(source), [...ROWS, { id: '3', name: 'c' }]);
});

test('the text comes as it is in the file, and a slow reader is waited for', async (t: TestContext) => {
  const content = big();
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'deep'));
  const path = join(folder, 'deep', 'a.txt');
  writeFileSync(path, gzipSync(content));
  const run = testRun();
  const seen: Buffer[] = [];
  for await (const buffer of openText(path, run)) {
    if (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push(Buffer.from(buffer));
  }
  assert.equal(Buffer.concat(seen).toString(), content);
});
