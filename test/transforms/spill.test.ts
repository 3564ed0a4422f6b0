import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../../src/core/json/parse.js';
import { markOrigin, originOf, type Row } from '../../src/core/row.js';
import { Spill } from '../../transforms/spill.js';
import { inScratch } from '../support/files.js';

async function roundTrip(rows: readonly Row[]): Promise<Row[]> {
  return inScratch(async (scratch) => {
    const spill = await Spill.create(scratch);
    try {
      await spill.write(rows);
      const back: Row[] = [];
      for await (const part of spill.read()) back.push(...part);
      return back;
    } finally {
      await spill.dispose();
    }
  });
}

test('a spill has no name in the file system while it is in use', async () => {
  await inScratch(async (scratch) => {
    const spill = await Spill.create(scratch);
    await spill.write([{ a: '1' }]);
    assert.deepEqual(await readdir(scratch), []);
    await spill.dispose();
    await spill.dispose();
  });
});

test('a scratch directory that is not there is named', async () => {
  await inScratch(async (scratch) => {
    await assert.rejects(Spill.create(path.join(scratch, 'gone')), (error: Error) => {
      assert.match(error.message, /gone/);
      return (error as { code?: string }).code === 'scratch_failed';
    });
  });
});

test('text, NULL and origins come back exactly, whatever the characters', async () => {
  const texts = ['', ' ', '\0', '\x01', 'ÿ', 'Ω', '😀', '\ud800', 'x'.repeat(70_000), '\n\r\t\\', null];
  const rows = texts.flatMap((a, i) => texts.map((b, j) => markOrigin({ a, b, c: 'same' }, i * 100 + j + 1)));
  const back = await roundTrip(rows);
  assert.deepEqual(back, rows);
  assert.deepEqual(back.map(originOf), rows.map(originOf));
});

test('values of other types come back exactly', async () => {
  const rows: Row[] = [
    { v: 1 },
    { v: -0 },
    { v: Number.NaN },
    { v: 2n ** 80n },
    { v: true },
    { v: undefined },
    { v: new Date(0) },
    { v: Buffer.from([0, 255]) },
    { v: { deep: [1, { x: null }] } },
    { v: parseJson('{"a":[1.50,{"b":9007199254740993}],"__proto__":1e400}') },
    { v: parseJson('12.50'), s: 'n1' },
    { other: 'columns' },
    {},
  ];
  const back = await roundTrip(rows);
  assert.deepEqual(back, rows);
  assert.ok(Object.is(back[1]?.v, -0));
  assert.ok(Buffer.isBuffer(back[7]?.v));
  assert.equal(originOf(back[0] as Row), undefined);
});

test('a column called __proto__ is a column', async () => {
  const row = JSON.parse('{"__proto__": "text", "a": "b"}') as Row;
  const [back] = await roundTrip([row]);
  assert.deepEqual(Object.keys(back as Row), ['__proto__', 'a']);
});

test('a function in a row is refused with what to do', async () => {
  await assert.rejects(roundTrip([{ f: () => 1 }]), { code: 'unspillable_row' });
});

test('many rows come back in the order of writing', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => ({
    n: String(i),
    odd: i % 2 === 0 ? null : 'x'.repeat(i % 50),
  }));
  assert.deepEqual(await roundTrip(rows), rows);
});
