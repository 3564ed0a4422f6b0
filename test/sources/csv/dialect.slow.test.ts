import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { originOf, type Row } from '../../../src/core/row.js';
import { type CsvOptions, csv } from '../../../src/sources/csv/index.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { plain, rowsOf, testRun } from '../../support/run.js';

test('faults are rejects with their line, in their place among the rows, as far as csv-parse goes on', async (t) => {
  const path = tempFile(t, 'a.csv', 'a,b\r\n1,"x\r\ny"\r\n2\r\n3,p"q\r\n4,ok\r\n5,"z');
  const run = testRun();
  const rows: Row[] = [];
  for await (const chunk of csv(path, { escape: '\\' }).read(run)) rows.push(...chunk);
  assert.deepEqual(
    rows.map((row) => [originOf(row), Object.values(row)]),
    [
      [2, ['1', 'x\r\ny']],
      [6, ['4', 'ok']],
    ],
  );
  assert.deepEqual(
    run.rejects.map(({ reason, line }) => [reason, line]),
    [
      ['ragged_row', 4],
      ['stray_quote', 5],
      ['unterminated_quote', 7],
    ],
  );
});

test('a fault behind which csv-parse would drop rows without a word ends the reading', async (t) => {
  const path = tempFile(t, 'a.csv', 'a,b\n1,"x" y\n2,z\n');
  await assert.rejects(rowsOf(csv(path, { trim: true })), { code: 'bad_record' });
});

test('bytes that are not UTF-8 reject their row; a bad header is refused', async (t) => {
  const run = testRun();
  const path = tempFile(t, 'a.csv', Buffer.from("a,b\n1,'caf\xe9'\n2,'na\xc3\xafve'\n", 'latin1'));
  assert.deepEqual(await rowsOf(csv(path, { quote: "'" }), run), [{ a: '2', b: 'naïve' }]);
  assert.deepEqual([run.rejects[0]?.reason, run.rejects[0]?.line], ['invalid_utf8', 2]);
  const header = tempFile(t, 'b.csv', "a,'b'c\n1,2\n");
  await assert.rejects(rowsOf(csv(header, { quote: "'" })), { code: 'bad_header' });
  const nothing = tempFile(t, 'c.csv', '# only\n# comments\n');
  await assert.rejects(rowsOf(csv(nothing, { comment: '#' })), { code: 'empty_file' });
});

test('every dialect is read: quotes, escapes, comments, long and foreign delimiters, spaces, lead lines', async (t) => {
  const cases: readonly (readonly [string, CsvOptions, readonly unknown[]])[] = [
    [
      "a,b\n'x,y',''\n,z\n",
      { quote: "'" },
      [
        { a: 'x,y', b: '' },
        { a: null, b: 'z' },
      ],
    ],
    ['a,b\n"x\\"y",1\n', { escape: '\\' }, [{ a: 'x"y', b: '1' }]],
    ['# hi\na,b\n# "more\n1,2\n', { comment: '#' }, [{ a: '1', b: '2' }]],
    ['a||b\n1|2||""\n', { delimiter: '||' }, [{ a: '1|2', b: '' }]],
    ['a¦b\nü¦"é¦x"\n', { delimiter: '¦' }, [{ a: 'ü', b: 'é¦x' }]],
    ['a,b\n5" tall,""\n', { quote: false }, [{ a: '5" tall', b: '""' }]],
    ['a,b\n5" tall,x\n', { relaxQuotes: true }, [{ a: '5" tall', b: 'x' }]],
    [' a , b \n 1 ,"  "\n', { trim: true }, [{ a: '1', b: '  ' }]],
    ['made by X\non day Y\na,b\n1,2\n', { skipLines: 2 }, [{ a: '1', b: '2' }]],
    ['\ufeffa,b\n1,2\n', { trim: true }, [{ a: '1', b: '2' }]],
    [
      'a,b\r1,2\r3,4',
      { trim: true },
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
  ];
  for (const [text, options, expected] of cases) {
    const run = testRun();
    assert.deepEqual(await rowsOf(csv(tempFile(t, 'a.csv', text), options), run), expected, text);
    assert.deepEqual(run.rejects, []);
  }
});

test('generated input is read as csv-parse reads it alone, nulls told from empty texts', async (t) => {
  const soup = fc
    .array(fc.constantFrom('a', "'", "''", ',', ',', '\n', ' ', 'é', "'x'", ",''", '#', '\\', '"'), {
      maxLength: 30,
    })
    .map((parts) => `p,q\n${parts.join('')}`);
  const dialects = fc.constantFrom<CsvOptions>(
    { quote: "'" },
    { quote: "'", trim: true },
    { quote: "'", comment: '#' },
    { quote: "'", escape: '\\' },
  );
  const path = join(tempFolder(t), 'a.csv');
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(soup, dialects, async (text, options) => {
      let expected: (string | null)[][] | undefined;
      try {
        expected = parse(text, {
          trim: options.trim ?? false,
          comment: options.comment ?? null,
          delimiter: ',',
          quote: "'",
          escape: options.escape ?? "'",
          record_delimiter: ['\r\n', '\n'],
          skip_empty_lines: true,
          cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
        }) as (string | null)[][];
      } catch {
        expected = undefined;
      }
      writeFileSync(path, text);
      const run = testRun();
      let rows: Row[] | undefined;
      try {
        rows = await rowsOf(csv(path, options), run);
      } catch {
        rows = undefined;
      }
      if (rows === undefined || run.rejects.length > 0) {
        assert.equal(expected, undefined, 'csv-parse finds no fault');
        return;
      }
      compared++;
      assert.deepEqual(
        rows.map((row) => Object.values(plain(row))),
        expected?.slice(1),
      );
    }),
    { seed: 13, numRuns: 400 },
  );
  rmSync(path);
  assert.ok(compared > 50, String(compared));
});
