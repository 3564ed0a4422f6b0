import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { originOf, type Row } from '../../../src/core/row.js';
import type { Rejection } from '../../../src/core/run.js';
import { strictParser } from '../../../src/sources/csv/fast.js';
import type { CsvOptions } from '../../../src/sources/csv/options.js';

const SEED = { seed: 20260101, numRuns: 400 };

interface Outcome {
  readonly rows: (readonly (readonly [string, unknown])[])[];
  readonly lines: (number | undefined)[];
  readonly rejects: Rejection[];
  readonly failure: string | undefined;
}

/** What the parser makes of `input` cut into pieces at `cuts`. */
function read(input: Buffer, cuts: readonly number[], options: CsvOptions = {}): Outcome {
  const rejects: Rejection[] = [];
  const parser = strictParser('input', options, { reject: (_, why) => rejects.push(why) });
  const rows: Row[] = [];
  let failure: string | undefined;
  try {
    let from = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      // A copy that is wiped afterwards: the parser must not hold on to what it is given.
      const piece = Buffer.from(input.subarray(from, cut));
      rows.push(...parser.push(piece));
      piece.fill(0x58);
      from = cut;
    }
    rows.push(...parser.push(input.subarray(from)), ...parser.end());
  } catch (error) {
    failure = (error as { code?: string }).code ?? String(error);
  }
  return { rows: rows.map((row) => Object.entries(row)), lines: rows.map(originOf), rejects, failure };
}

/** What csv-parse makes of it: rows, or undefined where it finds a fault. */
function oracle(text: string, delimiter = ','): (string | null)[][] | undefined {
  try {
    return parse(text, {
      bom: true,
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
    }) as (string | null)[][];
  } catch {
    return undefined;
  }
}

const cutsOf = (length: number) => fc.array(fc.nat({ max: length }), { maxLength: 6 });
const withCuts = <T extends string>(text: fc.Arbitrary<T>) =>
  text.chain((t) => fc.record({ text: fc.constant(t), cuts: cutsOf(Buffer.byteLength(t)) }));

const FIELD = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a',
    '"',
    '""',
    ',',
    '\n',
    '\r\n',
    '\r',
    'é',
    '😀',
    '\u2028',
    '\0',
    'x"y',
    '1,2',
    '\ufeff',
  ),
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const written = (eol: string, table: readonly (readonly string[])[], quoteAll: readonly boolean[]) =>
  table
    .map((record, r) =>
      record
        .map((value, c) => {
          const must = /[",\r\n]/.test(value) || (r === 0 && c === 0 && value.startsWith('\ufeff'));
          return must || quoteAll[(r + c) % quoteAll.length] ? `"${value.replaceAll('"', '""')}"` : value;
        })
        .join(','),
    )
    .join(eol);

test('whatever a writer writes comes back: values, nulls and lines, at every cut', () => {
  const tables = fc.integer({ min: 2, max: 5 }).chain((width) =>
    fc.record({
      table: fc.array(fc.array(FIELD, { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 6,
      }),
      quoteAll: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
      eol: fc.constantFrom('\n', '\r\n', '\r'),
      last: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(tables, fc.array(fc.nat(), { maxLength: 6 }), ({ table, quoteAll, eol, last }, places) => {
      const header = (table[0] as string[]).map((_, i) => `c${i}`);
      const text = `${header.join(',')}${eol}${written(eol, table, quoteAll)}${last ? eol : ''}`;
      const bytes = Buffer.from(text);
      const got = read(
        bytes,
        places.map((place) => place % (bytes.length + 1)),
      );
      assert.deepEqual(got.rejects, []);
      assert.equal(got.failure, undefined);
      const expected = table.map((record, r) =>
        record.map((value, c) => [
          `c${c}`,
          value === '' && !quoteAll[(r + c) % quoteAll.length] ? null : value,
        ]),
      );
      assert.deepEqual(got.rows, expected);
      const end = eol === '\r' ? '\r' : '\n';
      let line = 2;
      for (const [r, record] of table.entries()) {
        assert.equal(got.lines[r], line);
        line += 1 + record.join('').split(end).length - 1;
      }
    }),
    SEED,
  );
});

const SOUP = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      '"',
      '""',
      ',',
      ',',
      '\n',
      '\n',
      '\r\n',
      '\r',
      ' ',
      'é',
      '😀',
      '"x"',
      ',"y",',
      '\ufeff',
    ),
    {
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(''));

test('any text is read as csv-parse reads it, or rejected; never differently without a word', () => {
  let accepted = 0;
  let refusedBoth = 0;
  fc.assert(
    fc.property(withCuts(SOUP), ({ text, cuts }) => {
      const input = `p,q,r\n${text}`;
      const got = read(Buffer.from(input), cuts);
      const expected = oracle(input);
      if (expected === undefined) {
        refusedBoth++;
        assert.ok(
          got.rejects.length > 0 || got.failure !== undefined,
          'csv-parse finds a fault; this reader none',
        );
        return;
      }
      if (got.rejects.length > 0) {
        // Stricter than csv-parse in one point only.
        assert.deepEqual([...new Set(got.rejects.map((why) => why.reason))], ['stray_carriage_return']);
        return;
      }
      accepted++;
      assert.deepEqual(
        got.rows.map((row) => row.map(([, value]) => value)),
        expected.slice(1),
      );
    }),
    { seed: 7, numRuns: 3000 },
  );
  assert.ok(accepted > 100 && refusedBoth > 100, `${accepted} read by both, ${refusedBoth} by neither`);
});

test('where the input is cut changes nothing: rows, lines, rejects and offsets', () => {
  const bytes = fc.oneof(
    SOUP.map((text) => Buffer.from(`p,q\n${text}`)),
    SOUP.map((text) => Buffer.from(`p,q\r\n${text}`)),
    SOUP.map((text) => Buffer.from(`p,q\r${text}`)),
    SOUP.map((text) => Buffer.from(`\ufeff${text}`)),
    fc
      .tuple(SOUP, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0x80, max: 0xff })), { maxLength: 3 }))
      .map(([text, spoiled]) => {
        const buffer = Buffer.from(`p,q\n${text}`);
        for (const [at, byte] of spoiled)
          if (buffer.length > 4) buffer[4 + (at % (buffer.length - 4))] = byte;
        return buffer;
      }),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), (input, places) => {
      const whole = read(input, []);
      assert.deepEqual(
        read(
          input,
          places.map((place) => place % (input.length + 1)),
        ),
        whole,
      );
      assert.deepEqual(read(input, [...input.keys()]), whole);
    }),
    SEED,
  );
});

test('every offset and line of a reject is where its raw text stands', () => {
  fc.assert(
    fc.property(SOUP, (text) => {
      const input = Buffer.from(`p,q,r\n${text}`);
      for (const { raw = '', offset = -1, line } of read(input, []).rejects) {
        assert.equal(input.subarray(offset, offset + Buffer.byteLength(raw)).toString(), raw);
        assert.equal(line, input.subarray(0, offset).toString().split('\n').length);
      }
    }),
    SEED,
  );
});

test('other delimiters are read as csv-parse reads them', () => {
  fc.assert(
    fc.property(fc.constantFrom(';', '\t', '|', '~', ' ', '\x01', 'a'), SOUP, (delimiter, soup) => {
      const input = `p${delimiter}q\n${soup.replaceAll(',', delimiter)}`;
      const got = read(Buffer.from(input), [3], { delimiter });
      const expected = oracle(input, delimiter);
      if (expected === undefined) assert.ok(got.rejects.length > 0 || got.failure !== undefined);
      else if (got.rejects.length === 0 && got.failure === undefined) {
        assert.deepEqual(
          got.rows.map((row) => row.map(([, value]) => value)),
          expected.slice(1),
        );
      }
    }),
    SEED,
  );
});
