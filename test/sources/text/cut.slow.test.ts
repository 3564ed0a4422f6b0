import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { StageCounter } from '../../../src/core/accounting.js';
import type { Cut, KnownPart, MetPart, PartPlace, PartReader } from '../../../src/core/parts.js';
import { originOf, type Row } from '../../../src/core/row.js';
import type { Source } from '../../../src/core/types.js';
import { type CsvOptions, csv } from '../../../src/sources/csv/index.js';
import { fileSource } from '../../../src/sources/file.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { tempFile } from '../../support/files.js';
import { type TestRun, testRun } from '../../support/run.js';
import { thrown } from '../../support/thrown.js';

/** What a reading gave, all of it or a part. */
interface Reading {
  readonly rows: (Row & { readonly origin: number | undefined })[];
  readonly rejects: TestRun['rejects'];
  readonly skipped: Record<string, number>;
}

/** A part that was read, and what the ledger would say of it. */
interface ReadPart extends Reading {
  readonly range: PartPlace;
  readonly note: unknown;
}

async function gather(chunks: AsyncIterable<readonly Row[]>, run: TestRun): Promise<Reading> {
  const rows: Reading['rows'] = [];
  for await (const chunk of chunks) for (const row of chunk) rows.push({ ...row, origin: originOf(row) });
  return { rows, rejects: run.rejects, skipped: run.skipped };
}

async function readWhole(source: Source): Promise<Reading> {
  const run = testRun();
  return gather(source.read(run), run);
}

const PART_BYTES = 30_000;

/** The parts of `source` that are not passed over, read; undefined where it is not cut. */
async function readParts(
  source: Source,
  known: readonly MetPart[] = [],
  partBytes = PART_BYTES,
): Promise<ReadPart[] | undefined> {
  const cut = (await source.cut?.(testRun(), { known, partBytes })) as Cut;
  assert.ok(cut !== undefined);
  if ('rows' in cut) return undefined;
  const parts: ReadPart[] = [];
  const texts: Buffer[] = [];
  for await (const part of cut.parts()) {
    const { start, end, line, lines } = part;
    const run = testRun();
    const reading = await gather(part.read(run), run);
    parts.push({ ...reading, range: { start, end, line, lines }, note: part.note?.() });
    texts.push(Buffer.from(part.bytes ?? ''));
    part.release();
  }
  cut.end?.(parts.map(({ note }) => note));
  if (known.length === 0) await assertByPlace(source, cut, parts, texts);
  return parts;
}

/** Whoever is told of a part's place alone, or has its text as well, reads it as it was; in any order. */
async function assertByPlace(
  source: Source,
  cut: Cut,
  parts: readonly ReadPart[],
  texts: readonly Buffer[],
): Promise<void> {
  // As another process is told of it.
  const told = JSON.parse(JSON.stringify({ opening: cut.opening, places: parts.map(({ range }) => range) }));
  const elsewhere = await source.partReader?.(testRun(), told.opening);
  assert.deepEqual(elsewhere?.csv?.columns, cut.csv?.columns);
  for (const [at, { range, rows, rejects, skipped }] of [...parts.entries()].reverse())
    for (const reader of [cut, elsewhere as PartReader])
      for (const bytes of cut.byPlace ? [undefined, texts[at]] : [texts[at]]) {
        const part = await reader.part(told.places[at], bytes);
        const run = testRun();
        assert.deepEqual(await gather(part.read(run), run), { rows, rejects, skipped });
        assert.ok(part.bytes?.equals(texts[at] as Buffer));
        const { start, end, line, lines } = part;
        assert.deepEqual({ start, end, line, lines }, range);
        part.release();
      }
}

function together(parts: readonly Reading[]): Reading {
  const skipped: Record<string, number> = {};
  for (const part of parts)
    for (const [reason, rows] of Object.entries(part.skipped))
      skipped[reason] = (skipped[reason] ?? 0) + rows;
  return {
    rows: parts.flatMap(({ rows }) => rows),
    rejects: parts.flatMap(({ rejects }) => rejects),
    skipped,
  };
}

const met = ({ range, note }: ReadPart, pass: boolean): MetPart => ({
  ...range,
  handed: 0,
  rows: 0,
  hash: '',
  raw: false,
  refused: [],
  stages: [new StageCounter('read').account()],
  columns: [],
  // As the ledger gives it back.
  note: note === undefined ? undefined : (JSON.parse(JSON.stringify(note)) as KnownPart['note']),
  pass,
});

/** `source` in parts gives what it gives in one piece; so it does where some parts are known and passed over. */
async function assertCuts(source: Source, least: number): Promise<ReadPart[]> {
  const whole = await readWhole(source);
  const parts = await readParts(source);
  assert.ok(parts !== undefined && parts.length >= least, `${parts?.length} parts`);
  assert.deepEqual(together(parts), whole);
  for (const [at, { range }] of parts.entries())
    assert.deepEqual(
      [range.start, range.line],
      at === 0 ? [range.start, range.line] : [parts[at - 1]?.range.end, lineAfter(parts[at - 1])],
    );
  for (const passed of [[0], [1], [0, 1, 3], parts.flatMap((_, at) => (at % 2 === 1 ? [at] : []))]) {
    const over = new Set(passed);
    const rest = await readParts(
      source,
      parts.flatMap((part, at) => (over.has(at) ? [met(part, true)] : [])),
    );
    assert.deepEqual(
      rest?.map(({ range }) => range),
      parts.flatMap(({ range }, at) => (over.has(at) ? [] : [range])),
    );
    assert.deepEqual(together(rest ?? []), together(parts.filter((_, at) => !over.has(at))));
  }
  return parts;
}

const lineAfter = (part: ReadPart | undefined) => (part?.range.line ?? 0) + (part?.range.lines ?? 0);

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
  test(`a CSV file with ${name} gives in parts what it gives in one piece`, async (t) => {
    await assertCuts(csvOf(t, messy(end)), 6);
  });

test('a CSV file that ends its lines in CR is read in one piece', async (t) => {
  const source = csvOf(t, Buffer.from('a,b\r1,2\r3,4\r'));
  const cut = await source.cut?.(testRun(), { known: [] });
  assert.ok(cut !== undefined && 'rows' in cut);
  const run = testRun();
  assert.deepEqual(await gather(cut.rows(run), run), await readWhole(source));
});

test('a byte order mark, bytes that are not UTF-8 and another delimiter move no place', async (t) => {
  const bad = Buffer.from('17,\xe9\xe9,x\n'.repeat(20), 'latin1');
  const content = Buffer.concat([Buffer.from('\ufeff'), messy('\n'), bad, messy('\n').subarray(13)]);
  await assertCuts(csvOf(t, content), 12);
  const semicolons = Buffer.from(messy('\n').toString('utf8').replaceAll(',', ';'));
  await assertCuts(csvOf(t, semicolons, { delimiter: ';' }), 6);
  await assertCuts(csvOf(t, Buffer.concat([Buffer.from('sep=;\n'), semicolons])), 6);
});

test('blank lines before the header are skipped once, whoever reads the first part', async (t) => {
  const parts = await assertCuts(csvOf(t, Buffer.concat([Buffer.from('\n\n'), messy('\n')])), 6);
  assert.equal(parts[0]?.range.line, 4);
});

test('a file without a header, and one with another name for a column, are cut with the same columns', async (t) => {
  const content = messy('\n').subarray(13);
  await assertCuts(csvOf(t, content, { header: false, columns: ['a', 'b', 'c'] }), 6);
  await assertCuts(csvOf(t, messy('\n'), { map: { text: 'words' }, columns: ['words'] }), 6);
});

test('compressed files and other encodings are cut as well, by the places of their text', async (t) => {
  await assertCuts(csv(tempFile(t, 'a.csv.gz', gzipSync(messy('\n')))), 6);
  const latin1 = Buffer.from(messy('\n').toString('utf8').replaceAll('😀', 'ä'), 'latin1');
  await assertCuts(csvOf(t, latin1, { encoding: 'windows-1252' }), 6);
});

test('a record longer than a part is a part, and one longer than a record may be ends the reading', async (t) => {
  const long = `1,"${'x\n'.repeat(60_000)}",z`;
  const content = Buffer.from(`id,text,more\n0,a,b\n${long}\n2,c,d\n`);
  const parts = await readParts(csvOf(t, content));
  assert.deepEqual(together(parts ?? []), await readWhole(csvOf(t, content)));
  assert.ok((parts?.length ?? 0) >= 2);
  const bounded = csvOf(t, content, { maxRecordBytes: 50_000 });
  const [whole, inParts] = [await thrown(readWhole(bounded)), await thrown(readParts(bounded))];
  assert.equal(inParts.code, 'record_too_long');
  assert.equal(inParts.message, whole.message);
});

test('a quote that is never closed takes the rest of the input with it, in parts as in one piece', async (t) => {
  const content = Buffer.concat([
    messy('\n'),
    Buffer.from('9,"never\nclosed,x\n'.repeat(2000).replaceAll('closed"', '')),
  ]);
  await assertCuts(csvOf(t, Buffer.concat([content, Buffer.from('1,"open\n')])), 6);
});

test('an input that gives other records than before is refused by the place where they differ', async (t) => {
  const parts = (await readParts(csvOf(t, messy('\n')))) as ReadPart[];
  const other = csvOf(t, Buffer.concat([Buffer.from('id,text,more\n7,a,b\n'), messy('\n').subarray(13)]));
  const error = await thrown(
    readParts(
      other,
      parts.slice(0, 3).map((part) => met(part, false)),
    ),
  );
  assert.equal(error.code, 'not_repeatable');
  assert.match(error.message, /from byte \d+ on are others/);
  const shorter = csvOf(t, messy('\n').subarray(0, 50_000));
  assert.equal(
    (
      await thrown(
        readParts(
          shorter,
          parts.map((part) => met(part, false)),
        ),
      )
    ).code,
    'not_repeatable',
  );
});

test('a JSON Lines file gives in parts what it gives in one piece, and still misses the columns that no line has had', async (t) => {
  const lines = Array.from({ length: 12_000 }, (_, i) => {
    if (i % 700 === 3) return '';
    if (i % 900 === 5) return '{"broken';
    return JSON.stringify({ id: i, text: 'é😀'.repeat(i % 9), ...(i < 20 ? { early: 1 } : {}) });
  });
  const path = tempFile(t, 'a.jsonl', `\ufeff${lines.join('\r\n')}\n`);
  await assertCuts(jsonl(path, { columns: ['id'] }), 6);
  const parts = await assertCuts(jsonl(path, { columns: ['id', 'early'] }), 6);
  const known = parts.slice(0, 2).map((part) => met(part, true));
  const missing = jsonl(path, { columns: ['id', 'absent'] });
  await assert.rejects(readParts(missing), /none of the \d+ records of .* has a column absent|absent/);
  // Those that are passed over say what they had.
  assert.ok((await readParts(jsonl(path, { columns: ['early'] }), known)) !== undefined);
  await assert.rejects(
    readParts(
      missing,
      known.map((part) => ({ ...part, note: { unseen: ['absent'] } })),
    ),
    /none of the records of .* has a column absent/,
  );
});

test('what is called JSON Lines and is an array is read in one piece', async (t) => {
  const source = jsonl(tempFile(t, 'a.jsonl', '[{"a":1},\n{"a":2}]'));
  assert.equal(await readParts(source), undefined);
});

test('a file whose name says nothing is cut by what its first bytes say', async (t) => {
  await assertCuts(fileSource(tempFile(t, 'a.dat', messy('\n'))), 6);
  const lines = Array.from({ length: 6000 }, (_, i) => JSON.stringify({ id: i, text: 'x'.repeat(30) }));
  await assertCuts(fileSource(tempFile(t, 'b.dat', lines.join('\n'))), 6);
});

test('dialects that csv-parse reads are not cut', (t) => {
  assert.equal(csvOf(t, messy('\n'), { trim: true }).cut, undefined);
});

test('a last record without a line end is read again as the part that it was', async (t) => {
  const source = csvOf(t, messy('\n').subarray(0, -8));
  const parts = (await readParts(source)) as ReadPart[];
  const again = await readParts(
    source,
    parts.map((part) => met(part, false)),
  );
  assert.deepEqual(together(again ?? []), together(parts));
});

test('a part whose text is not at hand and cannot be read at its place is refused', async (t) => {
  const packed = csv(tempFile(t, 'a.csv.gz', gzipSync(messy('\n'))));
  const cut = (await packed.cut?.(testRun(), { known: [] })) as Cut;
  assert.equal(cut.byPlace, false);
  for await (const part of cut.parts()) part.release();
  const place = { start: 13, end: 100, line: 2, lines: 3 };
  const error = await thrown(cut.part(place));
  assert.equal(error.code, 'part_out_of_reach');
  assert.match(error.message, /a\.csv\.gz from byte 13 to 100/);
  const path = tempFile(t, 'b.csv', 'a,b\n1,2\n');
  const reader = await csv(path).partReader?.(testRun(), {
    delimiter: ',',
    names: ['a', 'b'],
    body: 4,
    blankBefore: 0,
  });
  const short = await thrown((reader as PartReader).part({ start: 4, end: 90, line: 2, lines: 9 }));
  assert.match(short.message, /the file ends at byte 8/);
});

test('a column that another thread has seen is not missing', async (t) => {
  const path = tempFile(t, 'a.jsonl', '{"id":1}\n{"id":2,"late":3}\n');
  const source = jsonl(path, { columns: ['id', 'late'] });
  const cut = (await source.cut?.(testRun(), { known: [] })) as Cut;
  for await (const part of cut.parts()) part.release();
  cut.end?.([
    { unseen: ['late'], rows: 1 },
    { unseen: ['id'], rows: 1 },
  ]);
  const other = (await source.cut?.(testRun(), { known: [] })) as Cut;
  for await (const part of other.parts()) part.release();
  assert.throws(
    () =>
      other.end?.([
        { unseen: ['late'], rows: 1 },
        { unseen: ['late'], rows: 2 },
      ]),
    /none of the 3 records of .* has a column late/,
  );
});
