import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonText } from '../../../src/core/json/write.js';
import { originOf, type Row } from '../../../src/core/row.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { MAX_DEPTH } from '../../../src/sources/text/depth.js';
import { type Line, LineSplitter } from '../../../src/sources/text/lines.js';
import { tempFile } from '../../support/files.js';
import { rowsOf, testRun } from '../../support/run.js';

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

test('numbers are kept as they were written, in arrays and objects, too, beside text of any kind', async (t) => {
  const lines = [
    '{"id":9007199254740993,"n":[1.5,123456789012345678901234.5,{"m":-1e400}],"s":"9007199254740993"}',
    '{"é":"😀","price":12.50,"zero":-0.0,"in":{"é":1E5},"big":[12345678901234567890]}',
    '{"10":1.0,"9":2.0,"x":"\\"1.0"}',
  ];
  const rows = await rowsOf(jsonl(tempFile(t, 'a.jsonl', `\ufeff${lines.join('\r\n')}`)));
  // Keys that are whole numbers come first, in JavaScript.
  lines[2] = '{"9":2.0,"10":1.0,"x":"\\"1.0"}';
  assert.deepEqual(rows.map(jsonText), lines);
});

test('a key twice in one object is a reject with its column, however deep and however it is written', async (t) => {
  const lines = [
    '{"a":1,"b":{"a":[{"a":1}]},"c":"{:,:}"}',
    '{"a":1,"b":2,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"id":1,"doc":{"items":[{"x":1},{"x":1.0,"y":{"k" : 1, "k" :2}}]}}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":[],"a":[]',
    '{"é":{"":0,"":"é"}}',
  ];
  const run = testRun();
  const rows = await rowsOf(jsonl(tempFile(t, 'a.jsonl', lines.join('\n'))), run);
  assert.deepEqual(rows, [JSON.parse(lines[0] as string)]);
  assert.deepEqual(
    run.rejects.map(({ reason, line, column, message, raw }) => [
      reason,
      line,
      column,
      message?.split(':')[0],
      raw,
    ]),
    [
      ['duplicate_key', 2, 'a', 'the key "a" stands twice', lines[1]],
      ['duplicate_key', 3, 'a', 'the key "a" stands twice', lines[2]],
      ['duplicate_key', 4, 'doc', 'the key "k" stands twice in doc.items[1].y', lines[3]],
      ['duplicate_key', 5, '__proto__', 'the key "__proto__" stands twice', lines[4]],
      ['invalid_json', 6, undefined, run.rejects[4]?.message?.split(':')[0], lines[5]],
      ['duplicate_key', 7, 'é', 'the key "" stands twice in é', lines[6]],
    ],
  );
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
    const found: (Omit<Line, 'bytes' | 'from' | 'to'> & { readonly own: string })[] = [];
    const take = ({ bytes, from, to, ...line }: Line) => {
      // Its bytes are those that its text was made of.
      if (line.invalidAt === undefined) assert.equal(bytes.toString('utf8', from, to), line.text);
      found.push({ ...line, own: bytes.toString('latin1', from, to) });
    };
    const splitter = new LineSplitter('input', 1000);
    let from = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      const piece = Buffer.from(input.subarray(from, cut));
      splitter.push(piece, take);
      piece.fill(0x58);
      from = cut;
    }
    splitter.push(input.subarray(from), take);
    splitter.end(take);
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
