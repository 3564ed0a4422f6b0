import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory } from 'sluice';
import { testStage } from 'sluice/testing';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { parseJson } from '../../src/core/json/parse.js';
import { jsonText } from '../../src/core/json/write.js';
import { originOf, type Row } from '../../src/core/row.js';
import type { Source } from '../../src/core/types.js';
import { distinct, filter, group, lookup, map, mapChunk, RowError } from '../../transforms/index.js';

const letters: { k: string; n: string }[] = [
  { k: 'a', n: '1' },
  { k: 'a', n: '2' },
  { k: 'b', n: '3' },
  { k: 'a', n: '4' },
];

test('map: a bug in the function ends the batch, naming the stage and the line', async () => {
  const shout = (row: { n: string }) => {
    if (row.n === '3') throw new TypeError('boom');
    return row;
  };
  await assert.rejects(testStage(map(shout), letters), (error: SluiceError) => {
    assert.equal(error.code, 'stage_failed');
    assert.match(error.message, /map\(shout\): boom/);
    assert.equal(error.facts.line, 3);
    return true;
  });
});

test('map: a RowError rejects the row and goes on', async () => {
  const even = map((row: { n: string }) => {
    if (Number(row.n) % 2) throw new RowError('odd', 'n is odd', { column: 'n', value: row.n });
    return { even: row.n };
  });
  const ran = await testStage(even, letters);
  assert.deepEqual(
    ran.rows.map((row) => row.even),
    ['2', '4'],
  );
  assert.deepEqual(ran.rows.map(originOf), [2, 4]);
  assert.deepEqual(
    ran.rejects.map(({ reason, value }) => [reason, value]),
    [
      ['odd', '1'],
      ['odd', '3'],
    ],
  );
});

test('map: a function that returns nothing is told about filter', async () => {
  await assert.rejects(
    testStage(
      map(() => undefined as never),
      letters,
    ),
    { code: 'not_a_row' },
  );
});

test('map: a frozen row is marked too', async () => {
  const ran = await testStage(
    map(() => Object.freeze({ x: '1' })),
    letters,
  );
  assert.deepEqual(ran.rows.map(originOf), [1, 2, 3, 4]);
});

test('mapChunk: rows left out and counted; empty chunks do not go on', async () => {
  const stage = mapChunk(async (chunk: readonly { k: string }[], run) => {
    const out = chunk.filter((row) => row.k === 'b');
    run.skip('not_b', chunk.length - out.length);
    return out;
  });
  const ran = await testStage(stage, letters);
  assert.deepEqual(ran.skipped, { not_b: 3 });
});

test('filter: what is left out is skipped with its reason', async () => {
  const ran = await testStage(
    filter((row: { k: string }) => row.k === 'a', 'not_a'),
    letters,
  );
  assert.equal(ran.rows.length, 3);
  assert.deepEqual(ran.skipped, { not_a: 1 });
});

test('group: neighbours become one row; a group that comes again is another', async () => {
  const count = group({
    by: 'k',
    start: (first: { k: string; n: string }) => ({ k: first.k, ns: '' }),
    add: (sum, row) => {
      sum.ns += row.n;
    },
    finish: (sum) => sum,
  });
  const ran = await testStage(count, letters);
  assert.deepEqual(
    ran.rows.map(({ k, ns }) => k + ns),
    ['a12', 'b3', 'a4'],
  );
  assert.deepEqual(ran.rows.map(originOf), [1, 3, 4]);
  assert.deepEqual(ran.merged, { grouped: 1 });
});

test('group: unordered groups leave in the order of their first rows', async () => {
  const sum = group({
    by: (row: { k: string; n: string }) => row.k,
    start: () => 0,
    add: (total, row) => total + Number(row.n),
    finish: (total) => ({ total }),
    unordered: true,
  });
  const ran = await testStage(sum, letters);
  assert.deepEqual(
    ran.rows.map((row) => row.total),
    [7, 3],
  );
  assert.deepEqual(ran.rows.map(originOf), [1, 3]);
  assert.deepEqual(ran.merged, { grouped: 2 });
});

test('group: more rows than came in are counted as added, none as merged', async () => {
  const twice = group({
    by: 'k',
    start: (first: { k: string }) => first,
    add: () => {},
    finish: (row) => [{ ...row }, { ...row }, { ...row }],
  });
  const ran = await testStage(twice, [{ k: 'a' }, { k: 'b' }, { k: 'b' }]);
  assert.deepEqual([ran.added, ran.merged, ran.rows.length], [{ grouped: 3 }, {}, 6]);
});

test('distinct: the first row of each key; NULL is a key, and not the text "null"', async () => {
  const input: Row[] = [{ k: null }, { k: '' }, { k: 'null' }, { k: null }, { k: '-' }, { k: '' }];
  const ran = await testStage(distinct({ by: 'k' }), input);
  assert.deepEqual(
    ran.rows.map((row) => row.k),
    [null, '', 'null', '-'],
  );
  assert.deepEqual(ran.merged, { duplicate: 2 });
  const neighbours = await testStage(distinct({ by: 'k', ordered: true }), letters);
  assert.deepEqual(
    neighbours.rows.map((row) => row.n),
    ['1', '3', '4'],
  );
});

const lines: Row[] = [
  { id: '1', code: 'LI14', site: 'LI' },
  { id: '2', code: 'KR01', site: null },
];
const find = { from: lines, key: 'id', on: 'line_id', take: { line_code: 'code', site: 'site' } } as const;

test('lookup: columns are added; what is missing is a reject with its value', async () => {
  const ran = await testStage(lookup(find), [
    { line_id: '2' },
    { line_id: '9' },
    { line_id: null },
    { line_id: '1' },
  ] as Row[]);
  assert.deepEqual(
    ran.rows.map((row) => [row.line_code, row.site]),
    [
      ['KR01', null],
      ['LI14', 'LI'],
    ],
  );
  assert.deepEqual(
    ran.rejects.map(({ reason, column, value }) => [reason, column, value]),
    [
      ['lookup_missing', 'line_id', '9'],
      ['lookup_missing', 'line_id', null],
    ],
  );
});

test('lookup: missing can be NULL, or the end', async () => {
  const ran = await testStage(lookup({ ...find, missing: 'null' }), [{ line_id: '9' }]);
  assert.deepEqual(ran.rows[0], { ...ran.rows[0], line_id: '9', line_code: null, site: null });
  await assert.rejects(testStage(lookup({ ...find, missing: 'fail' }), [{ line_id: '9' }]), {
    code: 'lookup_missing',
  });
});

test('lookup: a key twice, too many rows and a wrong column are refused', async () => {
  const run = (change: object) => testStage(lookup({ ...find, ...change }), [{ line_id: '1' }]);
  await assert.rejects(run({ from: [...lines, lines[0]] }), { code: 'lookup_duplicate' });
  await assert.rejects(run({ limit: 1 }), { code: 'lookup_too_large' });
  await assert.rejects(run({ take: { line_code: 'cod' } }), (error: SluiceError) => {
    assert.equal(error.code, 'lookup_column');
    assert.match(String(error.facts.next), /code/);
    return true;
  });
});

test('lookup: a source is read afresh for each reading, and its bad rows end the batch', async () => {
  let reads = 0;
  const source: Source = {
    name: 'lines.csv',
    kind: 'file',
    read(run) {
      reads++;
      if (reads > 2) run.reject(undefined, { reason: 'ragged', line: 7 });
      return memory('lines', lines).read(run);
    },
  };
  const ran = await testStage(lookup({ ...find, from: source }), [{ line_id: '1' }], { chunkSizes: [1, 2] });
  assert.equal(reads, 2);
  assert.equal(ran.rows[0]?.line_code, 'LI14');
  await assert.rejects(
    testStage(lookup({ ...find, from: source }), [{ line_id: '1' }]),
    (error: SluiceError) => {
      assert.deepEqual([error.code, error.facts.input, error.facts.line], ['lookup_source', 'lines.csv', 7]);
      return true;
    },
  );
});

test('numbers of JSON are of one group by value, and those that no double has are found by their text', async () => {
  const rows = parseJson(
    '[{"k":1},{"k":1.0},{"k":10e-1},{"k":9007199254740993},{"k":9007199254740992},{"k":9007199254740993},{"k":1.00000000000000000001},{"k":"1"}]',
  ) as Row[];
  const ran = await testStage(distinct({ by: 'k' }), rows);
  assert.deepEqual(
    ran.rows.map(({ k }) => jsonText(k)),
    ['1', '9007199254740993', '9007199254740992', '1.00000000000000000001', '"1"'],
  );
  const from = [
    { id: '9007199254740993', name: 'text' },
    ...(parseJson('[{"id":7.0,"name":"number"}]') as Row[]),
  ];
  const found = await testStage(
    lookup({ from, key: 'id', on: 'k', take: { name: 'name' }, missing: 'null' }),
    parseJson('[{"k":9007199254740993},{"k":7},{"k":9007199254740992}]') as Row[],
  );
  assert.deepEqual(
    found.rows.map(({ name }) => name),
    ['text', 'number', null],
  );
});

test('a number that no double has ends the batch where a function computes with it, by its line', async () => {
  const rows = parseJson('[{"v":12.50},{"v":0.12345678901234567890}]') as { readonly v: number }[];
  const doubled = map(({ v }: { readonly v: number }) => ({ v: v * 2 }), 'doubled');
  await assert.rejects(testStage(doubled, rows), (error: SluiceError) => {
    assert.match(
      error.message,
      /doubled: 0\.12345678901234567890 has more digits than a JavaScript number holds/,
    );
    assert.equal(error.facts.line, 2);
    return true;
  });
});
