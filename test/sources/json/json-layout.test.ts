import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { fileSource } from '../../../src/sources/file.js';
import { layoutOf } from '../../../src/sources/json/layout.js';
import { tempFile } from '../../support/files.js';
import { rowsOf, testRun } from '../../support/run.js';

test('what is CSV, or a line that is torn off, is not taken for another layout of JSON', () => {
  for (const text of [
    'a,b\n1,2\n',
    '[id],[name]\n1,a\n',
    '"{""a"":1}",b\n',
    '{a},{b}\n',
    '[1,2]\n',
    '',
    ' \n',
  ])
    assert.equal(layoutOf(Buffer.from(text)), undefined, text);
  for (const text of [
    '{"a":1}\n{"a":2}\n',
    '\ufeff {"a":1}\r\n{"a":2}\r\n',
    '{"a":\n{"a":2}\n{"a":3}\n',
    '{"a":"torn\n{"a":2}\n',
    '{"a":1,\n{"a":2}\n{"a":3}\n',
    '{"a":1}x\n{"a":2}\n',
    '{"a":1},\n{"a":2}\n',
  ])
    assert.equal(layoutOf(Buffer.from(text)), 'lines', text);
});

test('one JSON Lines file with a torn first line is still read line by line', async (t) => {
  const run = testRun();
  const path = tempFile(t, 'a.jsonl', '{"a":\n{"a":2}\n{"a":3}\n');
  assert.deepEqual(await rowsOf(fileSource(path), run), [{ a: 2 }, { a: 3 }]);
  assert.deepEqual(
    run.rejects.map(({ line, reason }) => [line, reason]),
    [[1, 'invalid_json']],
  );
});

test('rows of JSON are read however they are laid out, whatever the file is called', async (t) => {
  const value = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, '\n', '}{', '[', '\\"', 'é€😀'),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.record({ x: fc.string(), y: fc.array(fc.record({ z: fc.integer() }), { maxLength: 2 }) }),
  );
  const rows = fc.array(
    fc.dictionary(fc.constantFrom('a', 'b', 'c c', '"'), value, { minKeys: 1, noNullPrototype: true }),
    {
      minLength: 2,
      maxLength: 6,
    },
  );
  const layouts: readonly ((rows: readonly object[]) => string)[] = [
    (all) => all.map((row) => `${JSON.stringify(row)}\n`).join(''),
    (all) => all.map((row) => JSON.stringify(row)).join('\r\n'),
    (all) => all.map((row) => JSON.stringify(row)).join(''),
    (all) => all.map((row) => JSON.stringify(row)).join('\r'),
    (all) => all.map((row) => `${JSON.stringify(row, null, 2)}\n`).join(''),
    (all) => all.map((row) => JSON.stringify(row, null, '\t').replaceAll('\n', '\r\n')).join(' '),
    (all) => JSON.stringify(all),
    (all) => `\n ${JSON.stringify(all, null, 2)}\n`,
    (all) => `[\n${all.map((row) => JSON.stringify(row)).join(',\n')}\n]`,
  ];
  const writings: readonly (readonly [(text: string) => Buffer, { encoding?: string }])[] = [
    [(text) => Buffer.from(text), {}],
    [(text) => Buffer.from(`\ufeff${text}`), {}],
    [(text) => gzipSync(text), {}],
    [(text) => Buffer.from(`\ufeff${text}`, 'utf16le'), { encoding: 'utf-16le' }],
  ];
  const path = (name: string) => tempFile(t, name, '');
  const paths = { export: path('export'), jsonl: path('a.jsonl'), json: path('a.json') };
  const { writeFile } = await import('node:fs/promises');
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom(...layouts),
      fc.constantFrom(...writings),
      fc.constantFrom(...Object.values(paths)),
      async (all, layout, [bytes, options], at) => {
        await writeFile(at, bytes(layout(all)));
        const run = testRun();
        assert.deepEqual(await rowsOf(fileSource(at, options), run), JSON.parse(JSON.stringify(all)));
        assert.deepEqual(run.rejects, []);
      },
    ),
    { numRuns: 300 },
  );
});

test('an object that holds the rows is told from one that is a row', async (t) => {
  const read = (name: string, text: string, options = {}) =>
    rowsOf(fileSource(tempFile(t, name, text), options));
  const wrapped = '{"meta":{"n":1},"items":[{"a":1},{"a":2}]}';
  for (const [name, text] of [
    ['a.json', wrapped],
    ['export', wrapped],
    ['export', JSON.stringify(JSON.parse(wrapped), null, 2)],
    ['a.json', '{"items":[]}'],
  ] as const)
    await assert.rejects(read(name, text), (error: { code: string; facts: { next: readonly unknown[] } }) => {
      assert.equal(error.code, 'no_array');
      assert.match(String(error.facts.next[0]), /--at items/);
      assert.match(String(error.facts.next[1]), /--format jsonl/);
      return true;
    });
  assert.deepEqual(await read('export', wrapped, { at: 'items' }), [{ a: 1 }, { a: 2 }]);
  const row = { meta: { n: 1 }, items: [{ a: 1 }, { a: 2 }] };
  assert.deepEqual(await read('a.json', wrapped, { format: 'jsonl' }), [row]);
  assert.deepEqual(await read('a.json', JSON.stringify(row, null, 2), { format: 'jsonl' }), [row]);
  assert.deepEqual(await read('a.json', '{"a":1,"tags":["x"]}'), [{ a: 1, tags: ['x'] }]);
  assert.deepEqual(await read('export', `${wrapped}\n${wrapped}\n`), [row, row]);
});

test('an object that is larger than a row may be is refused as soon as that is known', async (t) => {
  const many = Array.from({ length: 30_000 }, (_, a) => ({ a, text: 'x'.repeat(20) }));
  const path = tempFile(t, 'a.json', JSON.stringify({ items: many, other: 1 }));
  await assert.rejects(rowsOf(fileSource(path, { maxRecordBytes: 200_000 })), { code: 'no_array' });
});

test('JSON that is called CSV is refused with the format that it has', async (t) => {
  await assert.rejects(
    rowsOf(fileSource(tempFile(t, 'a.csv', '{"a":1}\n'))),
    (error: { facts: { next: string } }) => {
      assert.match(String(error.facts.next), /--format json/);
      return true;
    },
  );
});

test('an option of CSV says that it is CSV, whatever it begins with', async (t) => {
  const path = tempFile(t, 'export', '{"a"|b\n1|2\n');
  assert.deepEqual(await rowsOf(fileSource(path, { delimiter: '|', quote: false })), [
    { '{"a"': '1', b: '2' },
  ]);
});
