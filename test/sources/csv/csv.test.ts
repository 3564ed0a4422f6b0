import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originOf } from '../../../src/core/row.js';
import { type CsvOptions, csv } from '../../../src/sources/csv/index.js';
import { tempFile } from '../../support/files.js';
import { plain, rowsOf, testRun } from '../../support/run.js';

const failure =
  (code: string, facts: object = {}) =>
  (error: unknown) => {
    const { code: got, facts: all } = error as { code: string; facts: Record<string, unknown> };
    assert.equal(got, code, String(error));
    for (const [name, value] of Object.entries(facts)) assert.deepEqual(all[name], value);
    return true;
  };

test('a ragged row, a stray quote and text behind a quote are rejects; the lines around them are rows', async (t) => {
  const path = tempFile(t, 'a.csv', 'id,name\n1,a\n2\n3,b"c\n4,"d"e\n5,f,g\n6,"h\ni"\n7,j\n');
  const run = testRun();
  assert.deepEqual(await rowsOf(csv(path), run), [
    { id: '1', name: 'a' },
    { id: '6', name: 'h\ni' },
    { id: '7', name: 'j' },
  ]);
  assert.deepEqual(
    run.rejects.map(({ reason, line, offset, raw }) => ({ reason, line, offset, raw })),
    [
      { reason: 'ragged_row', line: 3, offset: 12, raw: '2' },
      { reason: 'stray_quote', line: 4, offset: 14, raw: '3,b"c' },
      { reason: 'text_after_quote', line: 5, offset: 20, raw: '4,"d"e' },
      { reason: 'ragged_row', line: 6, offset: 27, raw: '5,f,g' },
    ],
  );
});

test('a quote that the end of the input leaves open is one reject', async (t) => {
  const run = testRun();
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'a.csv', 'id,name\n1,a\n2,"b')), run), [
    { id: '1', name: 'a' },
  ]);
  assert.equal(run.rejects[0]?.reason, 'unterminated_quote');
  assert.equal(run.rejects[0]?.line, 3);
  assert.equal(run.rejects[0]?.raw, '2,"b');
});

test('bytes that are not UTF-8 reject their row and name the byte and its offset', async (t) => {
  const path = tempFile(t, 'a.csv', Buffer.from('id,name\n1,caf\xe9\n2,na\xc3\xafve\n', 'latin1'));
  const run = testRun();
  assert.deepEqual(await rowsOf(csv(path), run), [{ id: '2', name: 'naïve' }]);
  assert.equal(run.rejects[0]?.reason, 'invalid_utf8');
  assert.equal(run.rejects[0]?.line, 2);
  assert.match(run.rejects[0]?.message ?? '', /byte 0xe9 at offset 13 /);
});

test('the same bytes are text when their encoding is named', async (t) => {
  const path = tempFile(t, 'a.csv', Buffer.from('id,name\n1,caf\xe9 5\x80\n', 'latin1'));
  assert.deepEqual(await rowsOf(csv(path, { encoding: 'windows-1252' })), [{ id: '1', name: 'café 5€' }]);
  await assert.rejects(rowsOf(csv(path, { encoding: 'klingon' })), failure('unknown_encoding'));
});

test('an empty file, one of blank lines and a gzip of nothing are refused; a header alone is no rows', async (t) => {
  await assert.rejects(rowsOf(csv(tempFile(t, 'a.csv', ''))), failure('empty_file'));
  await assert.rejects(rowsOf(csv(tempFile(t, 'b.csv', '\n\r\n'))), failure('empty_file'));
  await assert.rejects(rowsOf(csv(tempFile(t, 'c.csv', '\ufeff'))), failure('empty_file'));
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'd.csv', 'id,name\n'))), []);
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'e.csv', 'id,name'))), []);
});

test('a header with a name twice or with a fault in it is refused', async (t) => {
  await assert.rejects(
    rowsOf(csv(tempFile(t, 'a.csv', 'id,x,id\n1,2,3\n'))),
    failure('duplicate_column', { column: 'id' }),
  );
  await assert.rejects(
    rowsOf(csv(tempFile(t, 'c.csv', 'id,"a"b\n1,2\n'))),
    failure('bad_header', { line: 1 }),
  );
});

test('a missing column is named with the nearest one and the way to map it', async (t) => {
  const path = tempFile(t, 'a.csv', 'id,serial_nr\n1,x\n');
  await assert.rejects(rowsOf(csv(path, { columns: ['id', 'serial_no'] })), (error: unknown) => {
    failure('missing_column', { column: 'serial_no', details: ['its columns: id, serial_nr'] })(error);
    assert.match(String(error), /did you mean "serial_nr"\?/);
    assert.match(String((error as { facts: { next: string } }).facts.next), /--map serial_nr=serial_no/);
    return true;
  });
  const mapped = csv(path, { columns: ['id', 'serial_no'], map: { serial_nr: 'serial_no' } });
  assert.deepEqual(await rowsOf(mapped), [{ id: '1', serial_no: 'x' }]);
  await assert.rejects(rowsOf(csv(path, { map: { nope: 'x' } })), failure('unknown_column'));
  await assert.rejects(rowsOf(csv(path, { map: { id: 'serial_nr' } })), failure('duplicate_column'));
});

test('check finds a wrong header before anything is read, and counts nothing', async (t) => {
  const run = testRun();
  await assert.rejects(
    csv(tempFile(t, 'a.csv', 'id\n1\n'), { columns: ['x'] }).check?.(run) as Promise<void>,
    failure('missing_column'),
  );
  await csv(tempFile(t, 'b.csv', 'id,x\n1,2\n3\n'), { columns: ['x'] }).check?.(run);
  assert.deepEqual([run.rejects, run.position], [[], undefined]);
});

test('a header that holds SQL, code or __proto__ is only names', async (t) => {
  const names = [
    '"); DROP TABLE users; --',
    '${process.exit(1)}',
    '`+x+`',
    '\\',
    '__proto__',
    'constructor',
    '\u2028',
    '1',
  ];
  const header = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
  const path = tempFile(t, 'a.csv', `${header}\n${names.map((_, i) => i).join(',')}\n`);
  const rows: unknown[] = [];
  for await (const chunk of csv(path).read(testRun())) rows.push(...chunk);
  const row = rows[0] as Record<string, unknown>;
  for (const [i, name] of names.entries()) {
    assert.ok(Object.hasOwn(row, name), name);
    assert.equal(Object.getOwnPropertyDescriptor(row, name)?.value, String(i));
  }
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  assert.equal(({} as Record<string, unknown>)['0'], undefined);
  const copy = { ...row };
  assert.equal(Object.getOwnPropertyDescriptor(copy, '__proto__')?.value, '4');
  assert.equal(originOf(copy), 2);
});

test('2,000 columns are read, quoted or not', async (t) => {
  const names = Array.from({ length: 2000 }, (_, i) => `column ${i}`);
  const path = tempFile(
    t,
    'a.csv',
    `${names.join(',')}\n${names.join(',')}\n"${names.join('","')}"\n${','.repeat(1999)}\n`,
  );
  const [first, second, third] = await rowsOf(csv(path));
  assert.deepEqual(first, Object.fromEntries(names.map((name) => [name, name])));
  assert.deepEqual(second, first);
  assert.deepEqual(new Set(Object.values(third ?? {})), new Set([null]));
});

test('a record longer than the limit is refused with the limit named, in bounded memory', async (t) => {
  const path = tempFile(t, 'a.csv', `id,x\n1,a\n2,"${'y'.repeat(3_000_000)}`);
  const options = { maxRecordBytes: 1_000_000 };
  await assert.rejects(rowsOf(csv(path, options)), (error: unknown) => {
    failure('record_too_long', { line: 3, offset: 9 })(error);
    assert.match(String(error), /longer than 1000000 bytes/);
    return true;
  });
  await assert.rejects(rowsOf(csv(path, { ...options, comment: '#' })), failure('record_too_long'));
  const whole = tempFile(t, 'b.csv', `id,x\n1,${'y'.repeat(2000)}\n`);
  await assert.rejects(rowsOf(csv(whole, { maxRecordBytes: 1000 })), failure('record_too_long', { line: 2 }));
});

test('an unquoted empty field is null, a quoted one the empty text; NULL may be spelled', async (t) => {
  const path = tempFile(t, 'a.csv', 'a,b,c\n,"",NULL\n"NULL",\\N,x\n');
  const all = [
    { a: null, b: '', c: 'NULL' },
    { a: 'NULL', b: '\\N', c: 'x' },
  ];
  assert.deepEqual(await rowsOf(csv(path)), all);
  assert.deepEqual(await rowsOf(csv(path, { comment: '#' })), all);
  const spelled = [
    { a: '', b: '', c: null },
    { a: 'NULL', b: '\\N', c: 'x' },
  ];
  assert.deepEqual(await rowsOf(csv(path, { null: 'NULL' })), spelled);
  assert.deepEqual(await rowsOf(csv(path, { null: 'NULL', comment: '#' })), spelled);
});

test('blank lines are skipped and counted; in a file of one column they are null', async (t) => {
  for (const options of [{}, { comment: '#' }]) {
    const run = testRun();
    assert.deepEqual(await rowsOf(csv(tempFile(t, 'a.csv', 'a,b\n\n1,2\n\r\n3,4\n\n'), options), run), [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]);
    assert.deepEqual([run.skipped, run.rejects], [{ blank_line: 3 }, []]);
    assert.deepEqual(await rowsOf(csv(tempFile(t, 'b.csv', 'a\n1\n\n""\n2\n'), options)), [
      { a: '1' },
      { a: null },
      { a: '' },
      { a: '2' },
    ]);
  }
});

test('a file without a header takes its names from the options', async (t) => {
  const path = tempFile(t, 'a.csv', '1,x\n2,y\n');
  assert.deepEqual(await rowsOf(csv(path, { header: false, columns: ['id', 'name'] })), [
    { id: '1', name: 'x' },
    { id: '2', name: 'y' },
  ]);
  await assert.rejects(rowsOf(csv(path, { header: false })), failure('no_columns'));
});

test('a byte order mark, NUL bytes in text and CR line ends are read', async (t) => {
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'a.csv', '\ufeffid,n\n1,a\0b\n'))), [{ id: '1', n: 'a\0b' }]);
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'b.csv', 'id,n\r1,a\r2,b'))), [
    { id: '1', n: 'a' },
    { id: '2', n: 'b' },
  ]);
});

test('a column without a name is called by its position, and columns are renamed by name or by position', async (t) => {
  const pandas = tempFile(t, 'a.csv', ',name,\n0,ann,x\n');
  assert.deepEqual(await rowsOf(csv(pandas)), [{ '#1': '0', name: 'ann', '#3': 'x' }]);
  assert.deepEqual(
    await rowsOf(csv(pandas, { map: { '#1': 'idx', '#2': 'who' }, columns: ['idx', 'who'] })),
    [{ idx: '0', who: 'ann', '#3': 'x' }],
  );
  await assert.rejects(rowsOf(csv(pandas, { map: { '#4': 'x' } })), failure('unknown_column'));
  await assert.rejects(rowsOf(csv(pandas, { columns: ['idx'] })), failure('missing_column'));
  const twice = tempFile(t, 'b.csv', 'id,x,id\n1,2,3\n');
  assert.deepEqual(await rowsOf(csv(twice, { map: { '#1': 'id', '#3': 'other' } })), [
    { id: '1', x: '2', other: '3' },
  ]);
  await assert.rejects(rowsOf(csv(twice, { map: { '#3': 'other' } })), failure('duplicate_column'));
});

test('a column that is really named #2 is that one, and no position', async (t) => {
  const path = tempFile(t, 'a.csv', '#2,name\n1,ann\n');
  assert.deepEqual(await rowsOf(csv(path, { map: { '#2': 'idx' } })), [{ idx: '1', name: 'ann' }]);
  const unnamed = tempFile(t, 'b.csv', '#2,\n1,ann\n');
  await assert.rejects(rowsOf(csv(unnamed)), failure('empty_column_name'));
  assert.deepEqual(await rowsOf(csv(unnamed, { names: ['id', 'name'] })), [{ id: '1', name: 'ann' }]);
});

test('other names stand in place of those of the header, which is no row', async (t) => {
  // As R writes it: the header has a cell less than the rows.
  const path = tempFile(t, 'a.csv', 'name,name\n0,ann,x\n');
  assert.deepEqual(await rowsOf(csv(path, { names: ['idx', 'name', 'note'] })), [
    { idx: '0', name: 'ann', note: 'x' },
  ]);
});

test('a first line sep=; names the delimiter and is neither header nor row', async (t) => {
  const rows = [
    { a: '1', b: 'x,y' },
    { a: '2', b: null },
  ];
  const text = 'sep=;\r\na;b\r\n1;x,y\r\n2;\r\n';
  const cases: readonly (readonly [string | Buffer, CsvOptions])[] = [
    [text, {}],
    [`\ufeff${text}`, {}],
    // The line was put before a file that has a mark of its own.
    [text.replace('a;b', '\ufeffa;b'), {}],
    [text.replace('a;b', '\ufeffa;b'), { trim: true }],
    [text.replaceAll('\r\n', '\n').replace('sep=;', '"SEP=;"'), {}],
    [text.replaceAll('\r\n', '\r'), {}],
    [text.replaceAll(';', '\t'), {}],
    [text, { trim: true }],
    [`\ufeff${text}`, { quote: "'" }],
    [Buffer.from(`\ufeff${text}`, 'utf16le'), { encoding: 'utf-16le' }],
    [text.replaceAll('\na;b', '\n'), { header: false, columns: ['a', 'b'] }],
    // What the author says counts.
    [text.replace('sep=;', 'sep=,'), { delimiter: ';' }],
  ];
  for (const [content, options] of cases) {
    const run = testRun();
    const path = tempFile(t, 'a.csv', content);
    const read: unknown[] = [];
    const lines: unknown[] = [];
    for await (const chunk of csv(path, options).read(run)) {
      read.push(...chunk.map(plain));
      lines.push(...chunk.map(originOf));
    }
    assert.deepEqual([read, run.rejects], [rows, []], JSON.stringify([content, options]));
    assert.deepEqual(lines, [3, 4]);
  }
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'b.csv', 'sep=x\n1\n'))), [{ 'sep=x': '1' }]);
  await assert.rejects(rowsOf(csv(tempFile(t, 'c.csv', 'sep=;\n'))), failure('empty_file'));
});

test('in a file of CRs lines may end in CRLF and the last one in LF; another LF is a reject', async (t) => {
  const rows = [
    { a: '1', b: 'x' },
    { a: '2', b: 'y' },
  ];
  for (const options of [{}, { trim: true }]) {
    for (const text of ['a,b\r1,x\r2,y\n', 'a,b\r1,x\r\n2,y\r\n', 'a,b\r1,x\r2,y\r', 'a,b\n1,x\r\n2,y\n']) {
      const run = testRun();
      const path = tempFile(t, 'a.csv', text);
      assert.deepEqual(await rowsOf(csv(path, options), run), rows, JSON.stringify(text));
      assert.deepEqual(run.rejects, []);
    }
  }
  const run = testRun();
  assert.deepEqual(await rowsOf(csv(tempFile(t, 'b.csv', 'a,b\r1,x\n2,y\r3,z\r'))), [{ a: '3', b: 'z' }]);
  await rowsOf(csv(tempFile(t, 'b.csv', 'a,b\r1,x\n2,y\r3,z\r')), run);
  assert.deepEqual(
    run.rejects.map(({ reason, raw }) => [reason, raw]),
    [['stray_line_feed', '1,x\n2,y']],
  );
  assert.match(String(run.rejects[0]?.message), /tr '\\r' '\\n' < FILE/);
});

test('a file of many chunks keeps every row, its line and the order', async (t) => {
  const lines = Array.from({ length: 30_000 }, (_, i) => `${i},${i % 7 === 0 ? '"q\nq"' : `näme ${i}`}`);
  const path = tempFile(t, 'a.csv', `id,name\n${lines.join('\n')}\n`);
  let n = 0;
  let line = 2;
  for await (const chunk of csv(path).read(testRun())) {
    assert.ok(chunk.length > 0 && chunk.length <= 4096);
    for (const row of chunk) {
      const multiline = n % 7 === 0;
      assert.deepEqual(plain(row), { id: String(n), name: multiline ? 'q\nq' : `näme ${n}` });
      assert.equal(originOf(row), line);
      line += multiline ? 2 : 1;
      n++;
    }
  }
  assert.equal(n, 30_000);
});

test('contradictory options are refused before a file is touched', () => {
  for (const options of [
    { delimiter: '' },
    { delimiter: '"' },
    { delimiter: '\n' },
    { quote: 'ab' },
    { maxRecordBytes: 0 },
  ]) {
    assert.throws(() => csv('nowhere.csv', options), failure('bad_csv_option'));
  }
});
