import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originOf, type Row } from '../../../src/core/row.js';
import { fileSource } from '../../../src/sources/file.js';
import { xlsx } from '../../../src/sources/xlsx/index.js';
import { tempFile } from '../../support/files.js';
import { httpServer } from '../../support/http-server.js';
import { rowsOf, testRun } from '../../support/run.js';
import { isSluice } from '../../support/said.js';
import { inline, membersOf, xlsxBytes, zipOf } from '../../support/xlsx.js';

const row = (number: number, ...cells: readonly string[]) => `<row r="${number}">${cells.join('')}</row>`;
const number = (address: string, value: string, style = 0) =>
  `<c r="${address}" s="${style}"><v>${value}</v></c>`;
const text = (address: string, value: string) =>
  `<c r="${address}" t="inlineStr"><is><t>${value}</t></is></c>`;

test('texts are shared, inline or of formulas; runs are joined, and escapes are undone', async (t) => {
  const path = tempFile(
    t,
    'a.xlsx',
    xlsxBytes({
      texts:
        '<si><t>Id</t></si><si><t xml:space="preserve"> Grüße, </t></si><si><r><t>東京</t></r><r><rPr/><t xml:space="preserve"> 😀</t></r><rPh sb="0" eb="1"><t>トウ</t></rPh></si><si><t>a_x000D_b &amp; &lt;c&gt;</t></si><si/>',
      sheets: {
        Sheet1: [
          row(1, '<c r="A1" t="s"><v>0</v></c>', text('B1', 'text'), text('C1', 'more')),
          row(2, number('A2', '1'), '<c r="B2" t="s"><v>1</v></c>', '<c r="C2" t="s"><v>2</v></c>'),
          row(
            3,
            number('A3', '2'),
            '<c r="B3" t="s"><v>3</v></c>',
            '<c r="C3" t="str"><f>A1&amp;"x"</f><v>Idx</v></c>',
          ),
          row(5, number('A5', '3'), '<c r="B5" t="s"><v>4</v></c>', '<c r="C5" s="1"/>'),
        ].join(''),
      },
    }),
  );
  const run = testRun();
  const origins: unknown[] = [];
  const rows: Row[] = [];
  for await (const chunk of xlsx(path).read(run))
    for (const each of chunk) {
      rows.push({ ...each });
      origins.push(originOf(each));
    }
  assert.deepEqual(
    rows.map(({ Id, text: one, more }) => [Id, one, more]),
    [
      ['1', ' Grüße, ', '東京 😀'],
      ['2', 'a\rb & <c>', 'Idx'],
      ['3', '', null],
    ],
  );
  assert.deepEqual(origins, [2, 3, 5]);
});

test('numbers are the shortest digits of their double, and whole ones have all that stand there', async (t) => {
  const stored = [
    '1.1000000000000001',
    '0.1',
    '1E-3',
    '12345678901234567890',
    '-5',
    '0.30000000000000004',
    '1.5E+20',
    '0.12345678901234567890',
  ];
  const path = tempFile(
    t,
    'a.xlsx',
    xlsxBytes({
      sheets: {
        Sheet1:
          row(1, text('A1', 'v')) + stored.map((v, at) => row(at + 2, number(`A${at + 2}`, v))).join(''),
      },
    }),
  );
  assert.deepEqual(
    (await rowsOf(xlsx(path))).map(({ v }) => v),
    [
      '1.1',
      '0.1',
      '0.001',
      '12345678901234567890',
      '-5',
      '0.30000000000000004',
      '150000000000000000000',
      '0.12345678901234567890',
    ],
  );
});

test('dates, times and durations are what their format shows, by either way to count days', async (t) => {
  const cases: [format: string | number, stored: string, expected: string][] = [
    [14, '45351', '2024-02-29'],
    [14, '1', '1900-01-01'],
    [14, '59', '1900-02-28'],
    [14, '61', '1900-03-01'],
    [14, '2958465', '9999-12-31'],
    [14, '45351.5', '2024-02-29 12:00:00'],
    [22, '45351.520833333336', '2024-02-29 12:30:00'],
    [22, '45351', '2024-02-29 00:00:00'],
    ['yyyy\\-mm\\-dd hh:mm:ss.000', '45351.999999988424', '2024-02-29 23:59:59.999'],
    ['yyyy-mm-dd', '45350.999999999996', '2024-02-29'],
    [21, '0.99998842592592594', '23:59:59'],
    ['[h]:mm:ss', '1.5', '36:00:00'],
    [46, '0.25', '06:00:00'],
    ['mmm yy', '45351', '2024-02-29'],
    ['[$-407]d. mmmm yyyy;@', '45351', '2024-02-29'],
    ['0.00" days"', '45351', '45351'],
    ['#,##0.00 [$€-407];[Red]-#,##0.00', '45351.5', '45351.5'],
    ['0.00E+00', '45351', '45351'],
    ['General', '45351', '45351'],
    ['#,##0\\ "d"', '45351', '45351'],
    [2, '45351', '45351'],
  ];
  const book = (from1904: boolean, rows: readonly (readonly [string | number, string, ...unknown[]])[]) =>
    tempFile(
      t,
      'a.xlsx',
      xlsxBytes({
        from1904,
        formats: rows.map(([format]) => format),
        sheets: {
          Sheet1:
            row(1, text('A1', 'v')) +
            rows.map(([, v], at) => row(at + 2, number(`A${at + 2}`, v, at + 1))).join(''),
        },
      }),
    );
  assert.deepEqual(
    (await rowsOf(xlsx(book(false, cases)))).map(({ v }) => v),
    cases.map(([, , expected]) => expected),
  );
  assert.deepEqual(
    (
      await rowsOf(
        xlsx(
          book(true, [
            [14, '0'],
            [22, '43889.25'],
            [21, '0.5'],
          ]),
        ),
      )
    ).map(({ v }) => v),
    ['1904-01-01', '2024-02-29 06:00:00', '12:00:00'],
  );
});

test('errors, days that there are not, and values beyond the header are rejects with the address of the cell', async (t) => {
  const path = tempFile(
    t,
    'a.xlsx',
    xlsxBytes({
      formats: [14],
      sheets: {
        "It's 1": [
          row(1, text('A1', 'id'), text('B1', 'v')),
          row(2, number('A2', '1'), '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
          row(3, number('A3', '2'), number('B3', '60', 1)),
          row(4, number('A4', '3'), number('B4', '-1', 1)),
          row(5, number('A5', '4'), number('AB5', '7')),
          row(6, number('A6', '5'), '<c r="B6" t="b"><v>1</v></c>'),
        ].join(''),
      },
    }),
  );
  const run = testRun();
  assert.deepEqual(
    (await rowsOf(xlsx(path), run)).map(({ id, v }) => [id, v]),
    [['5', 't']],
  );
  assert.deepEqual(
    run.rejects.map(({ row: of, reason, column, value, message }) => [
      originOf(of as Row),
      reason,
      column,
      value,
      message,
    ]),
    [
      [2, 'error_cell', 'v', '#DIV/0!', "'It''s 1'!B2 holds the error #DIV/0!"],
      [3, 'no_such_date', 'v', '60', "'It''s 1'!B3 holds the day 60, which is no date"],
      [4, 'no_such_date', 'v', '-1', "'It''s 1'!B4 holds the day -1, which is no date"],
      [5, 'ragged_row', undefined, '7', "'It''s 1'!AB5 holds a value, and the header has 2 columns"],
    ],
  );
});

test('a sheet is named where there are several that can be seen; hidden ones are read when named', async (t) => {
  const path = tempFile(
    t,
    'a.xlsx',
    xlsxBytes({
      sheets: {
        Orders: inline(['id'], ['1']),
        'hidden Notes': inline(['id'], ['2']),
        Other: inline(['id'], ['3']),
      },
    }),
  );
  const idsOf = async (sheet?: string) =>
    (await rowsOf(xlsx(path, sheet === undefined ? {} : { sheet }))).map(({ id }) => id);
  assert.deepEqual(
    [await idsOf('Orders'), await idsOf('notes'), await idsOf('Other')],
    [['1'], ['2'], ['3']],
  );
  await assert.rejects(idsOf(), isSluice('which_sheet'));
  await assert.rejects(idsOf('Order'), /did you mean Orders/);
});

test('rows before the header are left out, names are given or mapped, and empty cells at its end are no columns', async (t) => {
  const path = tempFile(
    t,
    'a.xlsx',
    xlsxBytes({ sheets: { A: inline(['Report of 2026'], [], ['No', '', 'Total', ''], ['1', 'x', '2']) } }),
  );
  const [found] = await rowsOf(
    xlsx(path, { skipLines: 1, map: { No: 'id', '#2': 'note' }, columns: ['id'] }),
  );
  assert.deepEqual({ ...found }, { id: '1', note: 'x', Total: '2' });
  const plain = tempFile(t, 'b.xlsx', xlsxBytes({ sheets: { A: inline(['1', 'x']) } }));
  assert.deepEqual(
    { ...(await rowsOf(xlsx(plain, { header: false, columns: ['id', 'name'] })))[0] },
    { id: '1', name: 'x' },
  );
  await assert.rejects(rowsOf(xlsx(plain, { skipLines: 3 })), isSluice('empty_sheet'));
  assert.throws(() => fileSource('a.xlsx', { delimiter: ';' }), isSluice('format_option'));
});

test('what is no whole workbook is told as what it is', async (t) => {
  const members = membersOf({ sheets: { A: inline(['id'], ['1']) } });
  const read = (content: Buffer | string) => rowsOf(xlsx(tempFile(t, 'a.xlsx', content)));
  await assert.rejects(read('id,name\n1,a\n'), isSluice('not_xlsx'));
  await assert.rejects(read(Buffer.from('d0cf11e0a1b11ae1', 'hex')), /97 to 2003/);
  await assert.rejects(read(zipOf({ 'a.txt': 'x' })), isSluice('not_xlsx'));
  const whole = zipOf(members);
  await assert.rejects(read(whole.subarray(0, whole.length - 30)), isSluice('corrupt_zip'));
  await assert.rejects(read(zipOf(members, 'xl/worksheets/sheet1.xml')), /checksum/);
  const cut = { ...members, 'xl/worksheets/sheet1.xml': '<worksheet><sheetData><row><c><v>1' };
  await assert.rejects(read(zipOf(cut)), isSluice('corrupt_xlsx'));
  const strange = {
    ...members,
    'xl/worksheets/sheet1.xml':
      '<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData></worksheet>',
  };
  await assert.rejects(read(zipOf(strange)), /A!A1: there is no shared text 7/);
  const locked = Buffer.from(whole);
  for (let at = locked.indexOf('PK\x01\x02'); at >= 0; at = locked.indexOf('PK\x01\x02', at + 1))
    locked.writeUInt16LE(locked.readUInt16LE(at + 8) | 1, at + 8);
  await assert.rejects(read(locked), isSluice('zip_encrypted'));
  await assert.rejects(rowsOf(xlsx('-')), isSluice('not_xlsx'));
});

test('a workbook at a URL is read by ranges', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a.xlsx', { body: xlsxBytes({ sheets: { A: inline(['id'], ['1']) } }), etag: '"1"' });
  const run = testRun();
  assert.deepEqual(
    (await rowsOf(fileSource(`${server.origin}/a.xlsx?x=1`), run)).map(({ id }) => id),
    ['1'],
  );
  await run.end();
});
