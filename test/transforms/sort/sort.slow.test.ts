import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memory } from 'sluice';
import { testStage } from 'sluice/testing';
import { parseJson } from '../../../src/core/json/parse.js';
import { type AnyRow, originOf, type Row } from '../../../src/core/row.js';
import { sort } from '../../../transforms/sort/index.js';
import { KeyBytes } from '../../../transforms/sort/key-bytes.js';
import { keyWriter, type OrderBy, type OrderValue } from '../../../transforms/sort/order.js';
import { Packer } from '../../../transforms/sort/pack.js';
import { Block } from '../../../transforms/sort/packed-row.js';
import { sortRecords } from '../../../transforms/sort/radix-sort.js';
import { inScratch } from '../../support/files.js';
import { literal } from '../../support/json.js';
import { testRun } from '../../support/run.js';

/** A row's key, one character a byte: these strings compare as the bytes do. */
const orderKey =
  <R extends AnyRow = Row>(by: OrderBy<R>) =>
  (row: R) => {
    const key = new KeyBytes();
    keyWriter(by)(row, key);
    return Buffer.from(key.bytes.subarray(0, key.length)).toString('latin1');
  };

const ordered = (by: OrderBy<Row>, values: readonly unknown[]) =>
  values
    .map((v) => ({ v, key: orderKey(by)({ v }) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ v }) => v);

test('numbers in text sort by value, at any size and precision', () => {
  const up = [
    '-1e3',
    '-12.50',
    '-12',
    '-0.5',
    '-0.05',
    '0',
    '0.000',
    '0.05',
    '0.5',
    '00.51',
    '9',
    '9.99',
    '10',
    '99999999999999999999',
    '1e20',
    '1e21',
    '123456789012345678901234567890',
  ];
  assert.deepEqual(ordered({ column: 'v', as: 'number' }, [...up].reverse()).map(Number), up.map(Number));
  assert.deepEqual(ordered({ column: 'v', as: 'integer' }, ['10', '9', '-1', '0', '100', '-10']), [
    '-10',
    '-1',
    '0',
    '9',
    '10',
    '100',
  ]);
});

test('numbers of JSON sort by value as numbers, and whole ones as integers, however they are written', () => {
  const up = [
    '-1e3',
    '-12.50',
    '-0',
    '0.05',
    '9',
    '10.0',
    '9007199254740993',
    '1e20',
    '123456789012345678901',
  ];
  const values = up.map(parseJson);
  const text = (values: readonly unknown[]) => values.map(String);
  assert.deepEqual(text(ordered({ column: 'v', as: 'number' }, values.toReversed())), up);
  assert.deepEqual(text(ordered((row: Row) => row.v as OrderValue, values.toReversed())), up);
  const whole = ['-0', '9', '10.0', '1E3', '9007199254740993'];
  assert.deepEqual(text(ordered({ column: 'v', as: 'integer' }, whole.map(parseJson).toReversed())), whole);
});

test('numbers of any kind sort as JavaScript compares them', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
      if (Math.abs(a) > 1e40 || Math.abs(b) > 1e40) return;
      const key = orderKey<Row>((row) => row.v as number);
      assert.equal(key({ v: a }) < key({ v: b }), a < b);
    }),
  );
});

test('text sorts by code point, as COLLATE "C" does in UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const key = orderKey<Row>('v');
      assert.equal(
        Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))),
        key({ v: a }) < key({ v: b }) ? -1 : key({ v: a }) > key({ v: b }) ? 1 : 0,
      );
    }),
  );
});

test('shortlex puts …-9 before …-10', () => {
  assert.deepEqual(ordered({ column: 'v', as: 'shortlex' }, ['WF-10', 'WF-9', 'WF-100', 'A']), [
    'A',
    'WF-9',
    'WF-10',
    'WF-100',
  ]);
});

test('NULL is last, first when descending, and where one says', () => {
  assert.deepEqual(ordered('v', [null, 'a', '']), ['', 'a', null]);
  assert.deepEqual(ordered({ column: 'v', descending: true }, ['a', null, 'b', 'ab']), [
    null,
    'b',
    'ab',
    'a',
  ]);
  assert.deepEqual(ordered({ column: 'v', nulls: 'first' }, ['a', null]), [null, 'a']);
  assert.deepEqual(ordered({ column: 'v', descending: true, nulls: 'last' }, [null, 'a', 'b']), [
    'b',
    'a',
    null,
  ]);
  assert.deepEqual(ordered({ column: 'v', as: 'number', descending: true }, ['1', '-2', '30']), [
    '30',
    '1',
    '-2',
  ]);
});

test('records are put in the stable order of their keys', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('same prefix of many 1', 'same prefix of many 2', 'same prefix of many', ''),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 300, size: 'max' }), (texts) => {
      const block = new Block(1 << 20);
      const packer = new Packer();
      const places: number[] = [];
      let at = 0;
      for (const v of texts) {
        const key = new KeyBytes();
        key.text(v);
        places.push(at);
        at += packer.pack({ v }, key, block, at);
      }
      const sorted = Uint32Array.from(places);
      sortRecords(block, sorted);
      const wanted = texts
        .map((v, i) => ({ bytes: Buffer.from(v), place: places[i] as number }))
        .sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.place - b.place)
        .map(({ place }) => place);
      assert.deepEqual([...sorted], wanted);
    }),
    { numRuns: 300 },
  );
});

/** The values alone, without the origin. */
const plain = (row: Row) => Object.entries(row);

test('every value comes back as it went in, from memory and from disk', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 240, maxLength: 260 }),
    fc.constantFrom('\ud800', 'a\udc00b', '', '\0', 'ÿ', 'Ā', 'x'.repeat(70_000)),
    fc.double(),
    fc.constantFrom(null, undefined, true, false, -0, 12n, new Date(0), Buffer.from('ab'), [1, 'a'], {
      b: 1,
    }),
    literal.map(parseJson),
    literal.map((number) => parseJson(`{"__proto__":[${number}],"é":{"b":${number}}}`)),
  );
  const row = fc.oneof(
    fc.record({ a: value, b: value }),
    fc.record({ b: value, a: value, ['__proto__']: value }),
    fc.record({ c: value, 'a"b\n': value }),
    fc.constant({}),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      fc.constantFrom(1000, 3),
      async (input, memoryRows) => {
        const ran = await testStage(sort<Row>({ name: 'none', by: () => 1, memoryRows }), input);
        assert.deepStrictEqual(ran.rows.map(plain), input.map(plain));
        assert.deepEqual(
          ran.rows.map((each) => Object.keys(each)),
          input.map((each) => Object.keys(each)),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test('one row larger than the memory for all is sorted too', async () => {
  const input: Row[] = [
    { k: '3', t: 'x'.repeat(300_000) },
    { k: '1', t: 'a' },
    { k: '2', t: 'é'.repeat(300_000) },
  ];
  const ran = await testStage(sort({ ...byK, memoryBytes: 1000 }), input);
  assert.deepEqual(
    ran.rows.map(plain),
    [input[1], input[2], input[0]].map((row) => plain(row as Row)),
  );
});

const rows = (count: number, seed = 7): Row[] =>
  Array.from({ length: count }, (_, i) => ({
    id: String(i),
    k: String((i * 7919 + seed) % 97),
    t: `text number ${i}`,
  }));

const byK = { name: 'k', by: { column: 'k', as: 'integer' } } as const;

const expected = (of: readonly Row[]) =>
  [...of].sort((a, b) => Number(a.k) - Number(b.k)).map((row) => row.id);

test('nothing in, nothing out', async () => {
  assert.deepEqual((await testStage(sort(byK), [])).rows, []);
});

test('rows that fit in memory and rows that do not come out alike, equal keys in the order of input', async () => {
  const input = rows(1000);
  for (const memoryRows of [1_000_000, 100, 7]) {
    const ran = await testStage(sort({ ...byK, memoryRows }), input, { chunkSizes: [2048, 33] });
    assert.deepEqual(
      ran.rows.map((row) => row.id),
      expected(input),
      `memoryRows ${memoryRows}`,
    );
  }
});

test('a bound in bytes spills too', async () => {
  const input = rows(3000);
  const ran = await testStage(sort({ ...byK, memoryBytes: 100_000 }), input, { chunkSizes: [256] });
  assert.deepEqual(
    ran.rows.map((row) => row.id),
    expected(input),
  );
});

test('origins survive the disk', async () => {
  const ran = await testStage(sort({ ...byK, memoryRows: 10 }), rows(100));
  assert.deepEqual(
    ran.rows.map((row) => String((originOf(row) as number) - 1)),
    ran.rows.map((row) => row.id),
  );
});

test('more runs than are merged at once are merged in passes', async () => {
  const input = rows(2500);
  const ran = await testStage(sort({ ...byK, memoryRows: 2 }), input, { chunkSizes: [64] });
  assert.deepEqual(
    ran.rows.map((row) => row.id),
    expected(input),
  );
});

test('a value that has no place in the order is a reject, not the end', async () => {
  const ran = await testStage(sort(byK), [{ k: '2' }, { k: 'two' }, { k: '1' }]);
  assert.deepEqual(
    ran.rows.map((row) => row.k),
    ['1', '2'],
  );
  assert.equal(ran.rejects[0]?.reason, 'not_an_integer');
  assert.equal(ran.rejects[0]?.value, 'two');
});

test('a source that fails in the middle leaves no scratch file', async () => {
  async function* broken() {
    yield* memory('rows', rows(500)).read(testRun());
    throw new Error('connection lost');
  }
  await inScratch(async (scratch) => {
    const run = testRun({ scratch });
    await assert.rejects(async () => {
      for await (const _ of sort({ ...byK, memoryRows: 60 })(broken(), run));
    }, /connection lost/);
  });
});

test('a reader that stops early leaves no open file', async () => {
  await inScratch(async (scratch) => {
    const run = testRun({ scratch });
    for await (const _ of sort({ ...byK, memoryRows: 60 })(memory('rows', rows(500)).read(testRun()), run))
      break;
  });
});

test('an abort ends the spilling', async () => {
  await inScratch(async (scratch) => {
    const run = testRun({ scratch });
    run.abort(new Error('stop'));
    await assert.rejects(async () => {
      for await (const _ of sort({ ...byK, memoryRows: 60 })(memory('rows', rows(500)).read(testRun()), run));
    }, /stop/);
  });
});

test('the stage says which order its rows leave in', () => {
  assert.equal(sort(byK).order, 'k');
});
