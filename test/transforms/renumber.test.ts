import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Row } from '../../src/core/row.js';
import { renumber } from '../../transforms/renumber.js';

const lots = (...sizes: readonly (readonly [string, number])[]): { lot: string; n: string }[] =>
  sizes.flatMap(([lot, size]) => Array.from({ length: size }, (_, i) => ({ lot, n: `old ${i}` })));

const numbering = { within: 'lot', as: 'serial', width: 3 } as const;

test('a group too large for the width is refused, with its name, its size and the way out', async () => {
  const input = lots(['A', 2], ['B', 1000], ['C', 1], ['D', 1200]);
  await assert.rejects(testStage(renumber(numbering), input), (error: SluiceError) => {
    assert.equal(error.code, 'sequence_overflow');
    assert.equal(error.kind, 'refused');
    assert.deepEqual(error.facts.details, ['lot B: 1000 rows, up to 1000', 'lot D: 1200 rows, up to 1200']);
    assert.match(String(error.facts.next), /--set overflow=widen/);
    return true;
  });
});

test('twenty groups are named and the others counted', async () => {
  const input = lots(...Array.from({ length: 25 }, (_, i) => [`L${i}`, 10] as const));
  await assert.rejects(testStage(renumber({ ...numbering, width: 1 }), input), (error: SluiceError) => {
    assert.equal(error.facts.details?.length, 21);
    assert.equal(error.facts.details?.at(-1), 'and 5 more');
    return true;
  });
});

test('another word for overflow is a usage error', async () => {
  await assert.rejects(testStage(renumber(numbering), lots(['A', 1]), { settings: { overflow: 'wrap' } }), {
    code: 'bad_setting',
  });
});

test('each group is numbered from one, padded, behind its own prefix', async () => {
  const ran = await testStage(renumber(numbering), lots(['LI14PSA2511', 250], ['KR01PSA2511', 2]));
  assert.equal(ran.rows[0]?.serial, 'LI14PSA2511001');
  assert.equal(ran.rows[249]?.serial, 'LI14PSA2511250');
  assert.equal(ran.rows[250]?.serial, 'KR01PSA2511001');
  assert.equal(ran.rows[0]?.n, 'old 0');
});

test('exactly as many rows as the width numbers are fine', async () => {
  const ran = await testStage(renumber({ ...numbering, width: 2 }), lots(['A', 99]));
  assert.equal(ran.rows.at(-1)?.serial, 'A99');
});

test('widening gives all numbers of that group the digits of its largest, and only of that group', async () => {
  for (const memoryRows of [20_000, 5]) {
    const stage = renumber({ ...numbering, width: 1, memoryRows });
    const ran = await testStage(stage, lots(['A', 9], ['B', 12], ['C', 100]), {
      settings: { overflow: 'widen' },
    });
    const of = (lot: string) => ran.rows.filter((row) => row.lot === lot).map((row) => row.serial);
    assert.deepEqual(of('A').slice(-1), ['A9']);
    assert.deepEqual([of('B')[0], of('B').at(-1)], ['B01', 'B12']);
    assert.deepEqual([of('C')[0], of('C').at(-1)], ['C001', 'C100']);
  }
});

test('rows that hold a number stay, and the others go on after the largest', async () => {
  const input = [
    { lot: 'A', serial: 'A001' },
    { lot: 'A', serial: 'A003' },
    { lot: 'A', serial: 'old' },
    { lot: 'B', serial: 'old' },
  ];
  const taken = (row: Row) =>
    /^[AB]\d{3}$/.test(String(row.serial)) ? Number(String(row.serial).slice(1)) : undefined;
  const ran = await testStage(renumber({ ...numbering, taken }), input);
  assert.deepEqual(
    ran.rows.map((row) => row.serial),
    ['A001', 'A003', 'A004', 'B001'],
  );
  assert.deepEqual(ran.kept, { already_numbered: 2 });
  await assert.rejects(
    testStage(renumber({ ...numbering, taken }), [...input.slice(2, 3), ...input.slice(0, 2)]),
    {
      code: 'renumber_order',
    },
  );
});

test('a group can start elsewhere, and rows can be left without a number', async () => {
  const stage = renumber({
    ...numbering,
    first: (row: Row) => (row.lot === 'A' ? 41 : undefined),
    only: (row) => row.n !== null,
  });
  const ran = await testStage(stage, [
    { lot: 'A', n: '1' },
    { lot: 'A', n: null },
    { lot: 'A', n: '2' },
    { lot: 'B', n: '3' },
  ] as Row[]);
  assert.deepEqual(
    ran.rows.map((row) => row.serial),
    ['A041', undefined, 'A042', 'B001'],
  );
});

test('several columns make a group with a prefix of its own', async () => {
  const stage = renumber({ within: ['a', 'b'], as: 's', prefix: (row: Row) => `${row.a}${row.b}-` });
  const ran = await testStage(stage, [
    { a: 'x', b: 'yz' },
    { a: 'xy', b: 'z' },
    { a: 'xy', b: 'z' },
  ]);
  assert.deepEqual(
    ran.rows.map((row) => row.s),
    ['xyz-001', 'xyz-001', 'xyz-002'],
  );
  assert.throws(() => renumber({ within: ['a', 'b'], as: 's' }), { code: 'prefix_needed' });
});

test('nothing in, nothing out', async () => {
  assert.deepEqual((await testStage(renumber(numbering), [])).rows, []);
});
