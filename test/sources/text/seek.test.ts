import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Bookmark, bookmarkOf } from '../../../src/core/bookmark.js';
import { originOf, type Row } from '../../../src/core/row.js';
import type { Source } from '../../../src/core/types.js';
import { type CsvOptions, csv } from '../../../src/sources/csv/index.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { tempFile } from '../../support/files.js';
import { type TestRun, testRun } from '../../support/run.js';

/** What a reading gave: its rows, rejects and skipped records, and where each bookmark stands among them. */
interface Reading {
  readonly rows: (Row & { readonly origin: number | undefined })[];
  readonly rejects: TestRun['rejects'];
  readonly skipped: Record<string, number>;
  readonly places: {
    readonly at: Bookmark;
    readonly rows: number;
    readonly rejects: number;
    readonly skipped: Record<string, number>;
  }[];
}

async function readAll(source: Source, from?: Bookmark): Promise<Reading> {
  const run = testRun();
  const rows: Reading['rows'] = [];
  const places: Reading['places'] = [];
  const chunks = from === undefined ? source.read(run) : source.readFrom?.(run, from);
  assert.ok(chunks !== undefined, 'the source cannot seek');
  for await (const chunk of chunks) {
    for (const row of chunk) rows.push({ ...row, origin: originOf(row) });
    const at = bookmarkOf(chunk);
    if (at !== undefined)
      places.push({
        // As the ledger gives it back.
        at: JSON.parse(JSON.stringify(at)),
        rows: rows.length,
        rejects: run.rejects.length,
        skipped: { ...run.skipped },
      });
  }
  return { rows, rejects: run.rejects, skipped: run.skipped, places };
}

/** Reads `source` on from each of its bookmarks, and compares with the rest of one whole reading. */
async function assertSeeks(source: Source, bookmarks: number): Promise<void> {
  const whole = await readAll(source);
  assert.ok(whole.places.length >= bookmarks, `${whole.places.length} bookmarks`);
  for (const place of whole.places) {
    const rest = await readAll(source, place.at);
    assert.deepEqual(rest.rows, whole.rows.slice(place.rows), `rows behind line ${place.at.line}`);
    assert.deepEqual(rest.rejects, whole.rejects.slice(place.rejects), `rejects behind ${place.at.line}`);
    for (const [reason, rows] of Object.entries(whole.skipped))
      assert.equal((place.skipped[reason] ?? 0) + (rest.skipped[reason] ?? 0), rows, reason);
    for (const { line } of whole.rejects.slice(0, place.rejects)) assert.ok((line ?? 0) < place.at.line);
    for (const { line } of whole.rejects.slice(place.rejects)) assert.ok((line ?? 0) >= place.at.line);
  }
}

const CELLS = [
  '',
  '""',
  'a',
  'é',
  '😀',
  '"x ""y"" z"',
  '"two\nlines"',
  '"two\r\nlines"',
  '1,5'.replace(',', '.'),
];

/** A CSV file of some 40 reads with everything in it that moves places: `end` is its line end. */
function messy(end: string): Buffer {
  const lines = ['id,text,more'];
  for (let n = 1; n <= 9000; n++) {
    const cell = (at: number) => CELLS[(n * 7 + at * 3) % CELLS.length] as string;
    if (n % 400 === 0) lines.push('');
    if (n % 611 === 0) lines.push(`${n},ragged`);
    if (n % 997 === 0) lines.push(`${n},stray "quote,x`);
    lines.push(`${n},${cell(0)},${cell(1)}${'é'.repeat(n % 50)}`);
  }
  return Buffer.from(`${lines.join(end)}${end}${end}`, 'utf8');
}

const csvOf = (t: TestContext, content: Buffer, options: CsvOptions = {}) =>
  csv(tempFile(t, 'a.csv', content), options);

for (const [name, end] of [
  ['LF', '\n'],
  ['CRLF', '\r\n'],
] as const)
  test(`a CSV file with ${name} is read on from every bookmark as if it had just been read`, async (t) => {
    await assertSeeks(csvOf(t, messy(end)), 4);
  });

test('a CSV file that ends its lines in CR is read on as one', async (t) => {
  const content = messy('\n')
    .toString('utf8')
    .replaceAll('"two\nlines"', 'x')
    .replaceAll('"two\r\nlines"', 'x');
  await assertSeeks(csvOf(t, Buffer.from(content.replaceAll('\n', '\r'))), 4);
});

test('a byte order mark, bytes that are not UTF-8 and another delimiter move no place', async (t) => {
  const bad = Buffer.from('17,\xe9\xe9,x\n'.repeat(20), 'latin1');
  const content = Buffer.concat([Buffer.from('\ufeff'), messy('\n'), bad, messy('\n').subarray(13)]);
  await assertSeeks(csvOf(t, content), 8);
  const semicolons = Buffer.from(messy('\n').toString('utf8').replaceAll(',', ';'));
  await assertSeeks(csvOf(t, semicolons, { delimiter: ';' }), 4);
});

test('a file without a header, and one with another name for a column, are read on with the same columns', async (t) => {
  const content = messy('\n').subarray(13);
  await assertSeeks(csvOf(t, content, { header: false, columns: ['a', 'b', 'c'] }), 4);
  await assertSeeks(csvOf(t, messy('\n'), { map: { text: 'words' }, columns: ['words'] }), 4);
});

test('a JSON Lines file is read on from every bookmark, and still misses the columns that no line has had', async (t) => {
  const lines = Array.from({ length: 12_000 }, (_, i) => {
    if (i % 700 === 3) return '';
    if (i % 900 === 5) return '{"broken';
    return JSON.stringify({ id: i, text: 'é😀'.repeat(i % 9) });
  });
  const path = tempFile(t, 'a.jsonl', `\ufeff${lines.join('\r\n')}\n`);
  await assertSeeks(jsonl(path, { columns: ['id'] }), 4);
  const missing = jsonl(path, { columns: ['id', 'absent'] });
  const run = testRun();
  let at: Bookmark | undefined;
  await assert.rejects(async () => {
    for await (const chunk of missing.read(run)) at ??= bookmarkOf(chunk);
  }, /absent/);
  await assert.rejects(readAll(missing, at), /none of the records of .* has a column absent/);
});

test('nothing is promised of what cannot seek: compressed files, other encodings, dialects, stdin', async (t) => {
  const packed = csv(tempFile(t, 'a.csv.gz', gzipSync(messy('\n'))));
  assert.deepEqual((await readAll(packed)).places, []);
  const latin1 = csvOf(t, messy('\n'), { encoding: 'windows-1252' });
  assert.equal(latin1.readFrom, undefined);
  assert.deepEqual((await readAll(latin1)).places, []);
  assert.equal(csvOf(t, messy('\n'), { trim: true }).readFrom, undefined);
  assert.equal(csv('-').readFrom, undefined);
  assert.equal(jsonl('-').readFrom, undefined);
});
