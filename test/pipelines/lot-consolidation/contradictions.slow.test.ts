import assert from 'node:assert/strict';
import { test } from 'node:test';
import lotConsolidation from '../../../pipelines/lot-consolidation/index.js';
import { csv } from '../../../src/sources/csv/index.js';
import { tempFile } from '../../support/files.js';
import { long } from '../../support/long.js';
import { contents, exported, lotSystem, runLots } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';
import { validated, wrong } from '../../support/validated.js';

for (const column of ['model_code', 'production_month', 'lot_status', 'target_quantity', 'lot_created_at'])
  test(`a line of a file that says another ${column} of its LOT is a reject, wherever it stands`, async (t) => {
    const database = await lotSystem(t);
    const before = await contents(database);
    const lines = await exported(database);
    const head = (lines[0] as string).split(',');
    const [lotAt, at] = [head.indexOf('lot_id'), head.indexOf(column)];
    const cells = lines.map((line) => line.split(','));
    const lot = cells[1]?.[lotAt];
    const of = cells.flatMap((row, line) => (row[lotAt] === lot ? [line] : []));
    const spoilt = of[2] as number;
    const other: Readonly<Record<string, string>> = {
      model_code: 'PSB',
      production_month: '2507',
      lot_status: 'paused',
      target_quantity: '7777',
      lot_created_at: '2020-01-01 00:00:00+00',
    };
    const row = cells[spoilt] as string[];
    row[at] = other[column] as string;
    const file = tempFile(t, 'old.csv', cells.map((each) => each.join(',')).join('\n'));
    const error = await thrown(runLots(t, database, { inputs: { serials: csv(file) } }));
    assert.equal(error.code, 'too_many_rejects');
    assert.match(
      String(error.facts.details ?? error.message),
      /lot_lines_disagree|month_disagrees|says otherwise/,
    );
    // Without the row the serials would not all be there: nobody is told to leave it out.
    assert.doesNotMatch([error.facts.next].flat().join('\n'), /max-rejects/);
    assert.deepEqual(await contents(database), before);
  });

long('codes of lines and models may have any characters, as long as they make 4, 3 and 4', async (t) => {
  const sql = "UPDATE product_models SET model_code = 'x-1' WHERE id = (SELECT min(id) FROM product_models)";
  const database = await lotSystem(t, { sql });
  const pure = await lotSystem(t);
  const [{ code } = { code: '' }] = await pure.query<{ code: string }>(
    'SELECT model_code AS code FROM product_models ORDER BY id LIMIT 1',
  );
  const { summary } = await runLots(t, database);
  assert.deepEqual([summary.status, summary.left], ['completed', 0]);
  await runLots(t, pure);
  const numbers = "SELECT string_agg(lot_number, ',' ORDER BY id) AS lots FROM lots";
  const [is] = await database.query<{ lots: string }>(numbers);
  const [was] = await pure.query<{ lots: string }>(numbers);
  assert.match(is?.lots ?? '', /x-1/);
  assert.equal(is?.lots.replaceAll('x-1', code), was?.lots);
  // Once more changes nothing: they are known as what they are.
  assert.equal((await runLots(t, database)).summary.status, 'unchanged');
});

test('a serial without a LOT, and numbers held twice where they stay, are named before anything is loaded', async (t) => {
  const database = await lotSystem(t, {
    sql: `ALTER TABLE serials ALTER lot_id DROP NOT NULL;
      INSERT INTO serials (id, serial_number, lot_id, status) SELECT 90001, 'lonely', NULL, status FROM serials LIMIT 1`,
  });
  const error = await thrown(runLots(t, database));
  assert.match(
    [error.message, ...[error.facts.details].flat()].join('\n'),
    /a serial has no LOT.*serial 90001 \(lonely\): lot_id is NULL/s,
  );
});

test('later on a serial that is gone is a warning; a LOT of another number is found', async (t) => {
  const database = await lotSystem(t);
  const { summary } = await runLots(t, database);
  const batch = summary.batch as string;
  await database.query(
    "DELETE FROM serials WHERE serial_number = (SELECT min(serial_number) FROM serials WHERE serial_number ~ '004$')",
  );
  const gone = await validated(t, database, lotConsolidation, batch);
  assert.deepEqual(wrong(gone), []);
  await database.query(
    `UPDATE lots SET lot_number = 'WF-KR-251212D-001' WHERE id = (SELECT l.id FROM lots l JOIN sluice_old_${batch}.lots o ON o.id = l.id AND o.lot_number <> l.lot_number ORDER BY 1 LIMIT 1)`,
  );
  assert.match(
    wrong(await validated(t, database, lotConsolidation, batch)).join('\n'),
    /numbers-as-made: .*is WF-KR|numbers-as-made/,
  );
});
