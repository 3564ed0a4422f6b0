import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { linesAgree } from '../../../pipelines/lot-consolidation/lot-lines.js';
import type { OldSerial } from '../../../pipelines/lot-consolidation/source.js';
import type { Row } from '../../../src/core/row.js';

const LOT: Row = {
  lot_id: '7',
  lot_number: 'WF-KR-251118D-001',
  production_line_id: '1',
  line_code: 'LI14',
  product_model_id: '1',
  model_code: 'PSA',
  production_month: '2511',
  lot_status: 'closed',
  target_quantity: '100',
  lot_created_at: '2025-11-18 06:00:00+00',
  closed_at: null,
};
const OTHER_LOT: Row = { ...LOT, lot_id: '8', lot_number: 'WF-KR-251119D-001', closed_at: '' };

/** What becomes of lines that say `lots`, in turn with lines of another LOT: none follows one of its own LOT. */
async function told(lots: readonly Row[], chunkSizes: readonly number[] = [3]) {
  const rows = lots.flatMap((lot, i) => [
    { 'lot.own': null, ...lot, serial_id: `1${i}` },
    { 'lot.own': null, ...OTHER_LOT, serial_id: `2${i}` },
  ]);
  const ran = await testStage(linesAgree, rows as unknown as OldSerial[], { chunkSizes });
  return { out: ran.rows.length, rejects: ran.rejects.map(({ reason, message }) => ({ reason, message })) };
}

const disagrees = (line: number) => ({
  reason: 'lot_lines_disagree',
  message: `this line of LOT 7 (${LOT.lot_number}) says otherwise of it than its first line, line ${line}`,
});

test('lines that say the same of their LOT pass, wherever they stand and whatever their values are', async () => {
  assert.deepEqual(await told([LOT, { ...LOT }, { ...LOT }], [2048, 1, 2, 3]), { out: 6, rejects: [] });
  // Of JSON: numbers that JavaScript has no other form for.
  const large = () => ({ ...LOT, target_quantity: 10n ** 30n, 'lot.own': { a: [1, null] } });
  assert.deepEqual(await told([large(), large()]), { out: 4, rejects: [] });
});

test('a line that says otherwise of its LOT is a reject, whichever column it is in and however small the difference', async () => {
  const values = [
    'another',
    null,
    '',
    '10',
    100,
    10n ** 30n,
    true,
    ['100'],
    'ä',
    'å',
    '\u{1F600}',
    '\u{1F601}',
  ];
  // Of the others the line itself may be wrong, which is then said in its place.
  const plain = ['lot_status', 'target_quantity', 'lot_created_at', 'closed_at', 'lot.own'];
  for (const column of [...plain, 'production_line_id', 'product_model_id', 'line_code', 'model_code'])
    for (const value of values) {
      if (value === (LOT[column] ?? null)) continue;
      const { out, rejects } = await told([LOT, { ...LOT, [column]: value }]);
      assert.equal(out, 3, `${column}: ${value}`);
      if (plain.includes(column)) assert.deepEqual(rejects, [disagrees(1)], `${column}: ${value}`);
      else assert.equal(rejects.length, 1, `${column}: ${value}`);
    }
});

test('a value in the place of its neighbour is another', async () => {
  const { rejects } = await told([LOT, { ...LOT, lot_created_at: null, closed_at: LOT.lot_created_at }]);
  assert.deepEqual(rejects, [disagrees(1)]);
  const moved = await told([LOT, { ...LOT, lot_status: 'close', target_quantity: 'd100' }]);
  assert.deepEqual(moved.rejects, [disagrees(1)]);
});
