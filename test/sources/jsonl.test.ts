import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { originOf, type Row } from '../../src/core/row.js';
import { MAX_DEPTH } from '../../src/sources/depth.js';
import { jsonl } from '../../src/sources/jsonl.js';
import { type Line, LineSplitter } from '../../src/sources/lines.js';
import { tempFile } from '../support/files.js';
import { rowsOf, testRun } from '../support/run.js';

test('lines that are no JSON object are rejects with line and offset; the others are rows', async (t) => {
  const path = tempFile(t, 'a.jsonl', '{"id":1}\nnot json\n[1]\nnull\n"é"\n\n{"id":2}\r\n{"id":');
  const run = testRun();
  const rows: Row[] = [];
  for await (const chunk of jsonl(path).read(run)) rows.push(...chunk);
  assert.deepEqual(
    rows.map((row) => [row.id, originOf(row)]),
    [
      [1, 1],
      [2, 7],
    ],
  );
  assert.deepEqual(
    run.rejects.map(({ reason, line, offset, raw }) => ({ reason, line, offset, raw })),
    [
      { reason: 'invalid_json', line: 2, offset: 9, raw: 'not json' },
      { reason: 'not_an_object', line: 3, offset: 18, raw: '[1]' },
      { reason: 'not_an_object', line: 4, offset: 22, raw: 'null' },
      { reason: 'not_an_object', line: 5, offset: 27, raw: '"é"' },
      { reason: 'invalid_json', line: 8, offset: 43, raw: '{"id":' },
    ],
  );
  assert.deepEqual(run.skipped, { blank_line: 1 });
});

test('a line that is not UTF-8 is a reject with the offset of the byte', async (t) => {
  const path = tempFile(t, 'a.jsonl', Buffer.from('{"a":"\xc3\xa9"}\n{"a":"\xe9"}\n{"a":"x"}\n', 'latin1'));
  const run = testRun();
  assert.deepEqual(await rowsOf(jsonl(path), run), [{ a: 'é' }, { a: 'x' }]);
  assert.deepEqual(
    [run.rejects[0]?.reason, run.rejects[0]?.line, run.rejects[0]?.offset],
    ['invalid_utf8', 2, 11],
  );
  assert.match(run.rejects[0]?.message ?? '', /offset 17 /);
});

test('JSON nested too deep is a reject, however deep; brackets in text do not count', async (t) => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const lines = [
    nested(10_000),
    nested(1_000_000),
    nested(MAX_DEPTH),
    nested(MAX_DEPTH - 1),
    `{"a":"${'[\\"'.repeat(5000)}"}`,
  ];
  const run = testRun();
  assert.equal((await rowsOf(jsonl(tempFile(t, 'a.jsonl', lines.join('\n'))), run)).length, 2);
  assert.deepEqual(
    run.rejects.map((why) => [why.reason, why.line]),
    [
      ['too_deep', 1],
      ['too_deep', 2],
      ['too_deep', 3],
    ],
  );
});

test('__proto__ is a column like any other', async (t) => {
  const [row] = await rowsOf(jsonl(tempFile(t, 'a.jsonl', '{"__proto__":{"admin":true},"id":1}\n')));
  assert.equal((row as { admin?: boolean }).admin, undefined);
  assert.deepEqual(Object.keys(row ?? {}), ['__proto__', 'id']);
});

test('numbers that a double does not hold stay text, in arrays and objects, too', async (t) => {
  const line =
    '{"id":9007199254740993,"n":[1.5,123456789012345678901234.5,{"m":-1e400}],"s":"9007199254740993"}';
  assert.deepEqual(await rowsOf(jsonl(tempFile(t, 'a.jsonl', line))), [
    {
      id: '9007199254740993',
      n: [1.5, '123456789012345678901234.5', { m: '-1e400' }],
      s: '9007199254740993',
    },
  ]);
});

test('a line longer than the limit is refused with the limit named', async (t) => {
  const path = tempFile(t, 'a.jsonl', `{"a":1}\n{"a":"${'x'.repeat(2_000_000)}"}\n`);
  await assert.rejects(rowsOf(jsonl(path, { maxRecordBytes: 1_000_000 })), (error: unknown) => {
    const { code, facts, message } = error as {
      code: string;
      facts: { line: number; offset: number };
      message: string;
    };
    assert.deepEqual([code, facts.line, facts.offset], ['record_too_long', 2, 8]);
    assert.match(message, /1000000 bytes/);
    return true;
  });
});

test('a byte order mark, CRLF and a last line without an end are read; an empty file is refused', async (t) => {
  assert.deepEqual(await rowsOf(jsonl(tempFile(t, 'a.jsonl', '\ufeff{"a":1}\r\n{"a":2}'))), [
    { a: 1 },
    { a: 2 },
  ]);
  await assert.rejects(rowsOf(jsonl(tempFile(t, 'b.jsonl', ''))), { code: 'empty_file' });
});

test('lines are the same wherever the input is cut', () => {
  const text = fc
    .array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\r', '\ufeff', '\xff'), { maxLength: 20 })
    .map((parts) =>
      Buffer.concat(parts.map((part) => Buffer.from(part, part === '\xff' ? 'latin1' : 'utf8'))),
    );
  const lines = (input: Buffer, cuts: readonly number[]) => {
    const found: Line[] = [];
    const splitter = new LineSplitter('input', 1000);
    let from = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      const piece = Buffer.from(input.subarray(from, cut));
      splitter.push(piece, (line) => found.push(line));
      piece.fill(0x58);
      from = cut;
    }
    splitter.push(input.subarray(from), (line) => found.push(line));
    splitter.end((line) => found.push(line));
    return found;
  };
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 6 }), (input, places) => {
      const whole = lines(input, []);
      assert.deepEqual(
        lines(
          input,
          places.map((place) => place % (input.length + 1)),
        ),
        whole,
      );
      const ends = input.toString('latin1').split('\n');
      assert.equal(whole.length, ends.at(-1) === '' ? ends.length - 1 : ends.length);
      for (const { offset, number } of whole) {
        assert.equal(input.subarray(0, offset).toString('latin1').split('\n').length, number);
      }
    }),
    { seed: 3, numRuns: 400 },
  );
});
