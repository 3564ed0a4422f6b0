import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { strictParser } from '../../../../src/sources/csv/fast.js';
import { scanRecords } from '../../../../src/sources/csv/scan/records.js';
import { wholeCharacters } from '../../../../src/sources/text/encoding.js';

const RUNS = 3000 * Number(process.env.SLUICE_TEST_RUNS ?? 1);

interface Read {
  readonly end: number | undefined;
  readonly line: number | undefined;
  readonly records: number;
  readonly blank: number;
}

/** How far the reader comes with `text`, and what it has made of it. */
function read(text: Buffer, delimiter: string, atEnd: boolean): Read {
  let rejects = 0;
  const parser = strictParser('input', { delimiter }, { reject: () => rejects++ });
  const rows = [...parser.push(text), ...(atEnd ? parser.end() : [])];
  const { place, blank } = parser;
  return {
    end: parser.body === undefined ? undefined : place.offset,
    line: parser.body === undefined ? undefined : place.line,
    records: rows.length + rejects,
    blank,
  };
}

const bytes = (delimiter: string, plain: boolean) =>
  fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('a', 'bc', delimiter, delimiter, '\n', '\n', '\r\n') },
        {
          weight: plain ? 0 : 4,
          arbitrary: fc.constantFrom('"', '"', '""', `${delimiter}"x"`, '"\n"', '"y"\r\n'),
        },
        { weight: 2, arbitrary: fc.constantFrom('\r', ' ', 'é', '😀', '\0', '\\.', '\u2028') },
        { weight: plain ? 0 : 1, arbitrary: fc.constantFrom('\xff', '\xc3') },
      ),
      { maxLength: 40 },
    )
    .map((parts) =>
      Buffer.concat(parts.map((part) => Buffer.from(part, /[\xff\xc3]/.test(part) ? 'latin1' : 'utf8'))),
    );

for (const [name, head, endsInCr] of [
  ['LF', 'p@q\n', false],
  ['CRLF', 'p@q\r\n', false],
  ['CR', 'p@q\r', true],
] as const)
  test(`whole records go as far as the reader comes, wherever the text is cut; lines end in ${name}`, () => {
    const inputs = fc.record({
      delimiter: fc.constantFrom(',', ',', ';', '\t', '|', '~', '\x01', '7'),
      body: fc.oneof(bytes(',', false), bytes(',', true)),
      cut: fc.nat({ max: 60 }),
      atEnd: fc.boolean(),
    });
    let whole = 0;
    fc.assert(
      fc.property(inputs, ({ delimiter, body, cut, atEnd }) => {
        const comma = delimiter.charCodeAt(0);
        // Whether a CR ends a line or is half of its end is known once there is more.
        const header = Buffer.from(`${head.replace('@', delimiter)}z`);
        const start = header.length - 1;
        const all = Buffer.concat([header, Buffer.from(body.map((byte) => (byte === 44 ? comma : byte)))]);
        const end = atEnd ? all.length : Math.min(all.length, header.length + cut);
        // The reader waits for the rest of a character, and does not look behind what is before it.
        fc.pre(wholeCharacters(all.subarray(0, end)).length === end);
        const scanned = scanRecords(all, start, end, comma, atEnd, endsInCr);
        const own = read(all.subarray(0, end), delimiter, atEnd);
        assert.deepEqual(
          { end: scanned.end, records: scanned.records, blank: scanned.blank },
          { end: own.end, records: own.records, blank: own.blank },
        );
        // At the end of the input nobody asks for the line, and the reader does not count that of an open quote.
        if (!atEnd) assert.equal(scanned.lines + 2, own.line);
        whole += scanned.records;
      }),
      { seed: 20260201, numRuns: RUNS },
    );
    assert.ok(whole > RUNS / 2);
  });

test('what comes before and behind the bytes is not looked at', () => {
  const text = Buffer.from('"a,b\n1,2\n"3",4\n5,6"\n');
  assert.deepEqual(scanRecords(text, 5, 15, 44, false), { end: 15, records: 2, blank: 0, lines: 2 });
  assert.deepEqual(scanRecords(text, 5, 14, 44, false), { end: 9, records: 1, blank: 0, lines: 1 });
  assert.deepEqual(scanRecords(text, 5, 14, 44, true), { end: 14, records: 2, blank: 0, lines: 2 });
});
