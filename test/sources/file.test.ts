import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { originOf } from '../../src/core/row.js';
import { fileSource } from '../../src/sources/file.js';
import { formatOf } from '../../src/sources/format.js';
import { memory } from '../../src/sources/memory.js';
import { tempFile } from '../support/files.js';
import { rowsOf, testRun } from '../support/run.js';

test('a name tells its format, packed or not', () => {
  for (const [path, format] of [
    ['a.csv', 'csv'],
    ['A.CSV.GZ', 'csv'],
    ['dir.json/b.tsv.zst', 'tsv'],
    ['a.ndjson', 'jsonl'],
    ['a.jsonl.gz', 'jsonl'],
    ['a.json', 'json'],
    ['a.db', 'sqlite'],
    ['a.sqlite3', 'sqlite'],
    ['a.db.gz', undefined],
    ['a', undefined],
    ['a.gz', undefined],
  ] as const) {
    assert.equal(formatOf(path), format, path);
  }
});

test('each format is read by its reader', async (t) => {
  for (const [name, content] of [
    ['a.csv', 'a,b\n1,2\n'],
    ['a.tsv', 'a\tb\n1\t2\n'],
    ['a.jsonl', '{"a":"1","b":"2"}\n'],
    ['a.json.gz', gzipSync('[{"a":"1","b":"2"}]')],
    ['a', 'a,b\n1,2\n'],
  ] as const) {
    assert.deepEqual(await rowsOf(fileSource(tempFile(t, name, content))), [{ a: '1', b: '2' }], name);
  }
  const export1 = tempFile(t, 'export', '{"rows":[{"a":"1"}]}');
  assert.deepEqual(await rowsOf(fileSource(export1, { at: 'rows' })), [{ a: '1' }]);
  assert.deepEqual(await rowsOf(fileSource(tempFile(t, 'b.txt', '{"a":1}'), { format: 'jsonl' })), [
    { a: 1 },
  ]);
});

test('an option of another format is refused, not ignored', () => {
  assert.throws(() => fileSource('a.csv', { at: 'rows' }), { code: 'format_option' });
  assert.throws(() => fileSource('a.json', { delimiter: ';' }), { code: 'format_option' });
  assert.throws(() => fileSource('a.jsonl', { map: { a: 'b' } }), { code: 'format_option' });
});

test('memory gives copies of its rows in chunks, each with its place', async () => {
  const rows = Array.from({ length: 5000 }, (_, id) => ({ id }));
  const source = memory('numbers', rows);
  assert.deepEqual([source.name, source.kind, source.columns], ['numbers', 'memory', ['id']]);
  let n = 0;
  for await (const chunk of source.read(testRun())) {
    for (const row of chunk) {
      assert.equal(originOf(row), ++n);
      assert.notEqual(row, rows[n - 1]);
    }
  }
  assert.equal(n, 5000);
  assert.equal(originOf(rows[0] as { id: number }), undefined);
  assert.deepEqual(await rowsOf(memory('none', [])), []);
  const run = testRun();
  run.abort();
  await assert.rejects(rowsOf(source, run), { code: 'interrupted' });
});
