import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from '../../sinks/report.js';
import type { Report } from '../../src/core/report.js';
import { testRun } from '../support/run.js';

/** The report that a run leaves when `rows` end in `sink`. */
async function left(sink: ReturnType<typeof report<{ lot: string; n: number | null }>>, count: number) {
  const reports: Report[] = [];
  const staging = await sink.open({ ...testRun(), report: (each) => void reports.push(each) });
  for (let i = 0; i < count; i++) await staging.write([{ lot: `L${i}`, n: i === 1 ? null : i }]);
  assert.equal(await staging.close(), count);
  assert.equal(reports.length, 1);
  return reports[0] as Report;
}

test('a report that is discarded leaves nothing', async () => {
  const sink = report<{ n: number }>('numbers', () => ({ columns: ['n'] }));
  const staging = await sink.open({ ...testRun(), report: () => assert.fail('a report was left') });
  await staging.write([{ n: 1 }]);
  await staging.discard();
});

test('a report keeps so many rows and counts the others; every row is seen', async () => {
  const sink = report<{ lot: string; n: number | null }>('lots', () => {
    let total = 0;
    return {
      columns: ['n', 'lot'],
      keep: 3,
      each: (row) => {
        total += row.n ?? 0;
      },
      summary: () => [`together ${total}`],
    };
  });
  const wanted = {
    name: 'lots',
    columns: ['n', 'lot'],
    rows: [
      ['0', 'L0'],
      ['', 'L1'],
      ['2', 'L2'],
    ],
    more: 2,
    summary: ['together 9'],
  };
  assert.deepEqual(await left(sink, 5), wanted);
  assert.deepEqual(await left(sink, 5), wanted, 'a second run starts afresh');
});

test('a report changes nothing, so that a dry run has it, and may be empty', async () => {
  const sink = report<{ lot: string; n: number | null }>('lots', () => ({ columns: ['lot'] }));
  assert.equal(sink.writes, 'nothing');
  assert.deepEqual(await left(sink, 0), { name: 'lots', columns: ['lot'], rows: [], more: 0, summary: [] });
});
