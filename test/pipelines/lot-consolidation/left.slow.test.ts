import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FILES } from '../../../samples/lot-consolidation/generate.js';
import { csv as csvFile } from '../../../src/sources/csv/index.js';
import type { TestDatabase } from '../../support/database.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';
import { exported, lotSystem, runLots, sample } from '../../support/lots.js';

interface Case {
  readonly says: string;
  /** The LOTs that stay, and why; and by which reason their lines are counted. */
  readonly lots: Readonly<Record<string, RegExp>>;
  readonly left: Readonly<Record<string, number>>;
}

const CASES: Readonly<Record<string, Case>> = {
  'malformed-number': {
    says: 'LOTs of malformed numbers, and of days that there were not',
    lots: {
      911: /the LOT number WF-KR-251121X-001 is neither old .* nor new/,
      912: /WF-KR-251121D-1 is neither/,
      913: /wf-kr-251121d-003 is neither/,
      914: /LOT 914 is neither/,
      915: /WF-KR-251131D-004 is neither/,
    },
    left: { malformed_lot_number: 5 },
  },
  'missing-line': {
    says: 'a LOT without a production line',
    lots: { 901: /LOT WF-KR-251121D-001 has no production line/ },
    left: { missing_line: 2 },
  },
  'missing-model': {
    says: 'a LOT without a model, which has no serials',
    lots: { 902: /LOT WF-KR-251121D-002 has no product model/ },
    left: { missing_model: 1 },
  },
  'month-disagrees': {
    says: 'a LOT whose number is of another month',
    lots: { 921: /LOT WF-KR-251022D-001 is of 2510 by its number and of 2511 by its production_month/ },
    left: { month_disagrees: 1 },
  },
};

const rowsOf = (database: TestDatabase, where = 'true') =>
  database.query<{ lot: object; serials: readonly object[] }>(
    `SELECT to_jsonb(l) AS lot, (SELECT coalesce(jsonb_agg(s ORDER BY s.id), '[]') FROM serials s WHERE s.lot_id = l.id) AS serials
     FROM lots l WHERE ${where} ORDER BY l.id`,
  );

test('there is a case here for every file in left/', async () => {
  const files = (await readdir(new URL('left/', FILES))).map((name) => name.replace('.sql', ''));
  assert.deepEqual(files.sort(), Object.keys(CASES).sort());
});

for (const [name, wanted] of Object.entries(CASES))
  for (const from of ['the tables', 'a file'])
    (from === 'a file' && name === 'month-disagrees' ? test : long)(
      `${wanted.says}: left as it is and listed, the others are consolidated as without it (from ${from})`,
      async (t) => {
        const pure = await lotSystem(t);
        await runLots(t, pure);
        const database = await lotSystem(t, { sql: await sample(`left/${name}.sql`) });
        const ids = Object.keys(wanted.lots);
        const theirs = `l.id IN (${ids.join(', ')})`;
        const before = await rowsOf(database, theirs);
        // A file's lines come in any order: here the LOT stands in the midst of the others.
        const inputs =
          from === 'the tables'
            ? {}
            : {
                inputs: {
                  serials: csvFile(tempFile(t, 'old.csv', shuffled(await exported(database)).join('\n'))),
                },
              };
        const { summary } = await runLots(t, database, inputs);
        assert.deepEqual([summary.status, summary.rejected], ['completed', 0]);
        for (const [reason, rows] of Object.entries(wanted.left))
          assert.equal(summary.skip_reasons[reason], rows);
        assert.equal(
          summary.left,
          Object.values(wanted.left).reduce((sum, rows) => sum + rows, 0),
        );
        const listed = summary.reports.find((report) => report.name === 'left as they are');
        const whys = Object.fromEntries((listed?.rows ?? []).map(([id, , , why]) => [id, why]));
        assert.deepEqual(Object.keys(whys), ids);
        for (const [id, why] of Object.entries(wanted.lots)) assert.match(whys[id] ?? '', why);
        assert.deepEqual(await rowsOf(database, theirs), before);
        assert.deepEqual(await rowsOf(database, `NOT (${theirs})`), await rowsOf(pure));
      },
    );

test('the backup file holds LOTs that stay as they are, with their serials', async (t) => {
  const database = await lotSystem(t, { sql: await sample('left/missing-line.sql') });
  const folder = tempFolder(t);
  const was = process.cwd();
  process.chdir(folder);
  try {
    await runLots(t, database, { settings: { backup: 'on' } });
  } finally {
    process.chdir(was);
  }
  const [file] = await readdir(folder);
  const backup = JSON.parse(await readFile(join(folder, file as string), 'utf8')) as {
    lots: { id: number; old_lot_number: string; new_lot_number: string }[];
    serials: { old_lot_id: number; old_serial_number: string; new_serial_number: string }[];
  };
  const lot = backup.lots.find(({ id }) => id === 901);
  assert.deepEqual([lot?.old_lot_number, lot?.new_lot_number], ['WF-KR-251121D-001', 'WF-KR-251121D-001']);
  assert.deepEqual(
    backup.serials
      .filter(({ old_lot_id }) => old_lot_id === 901)
      .map((serial) => [serial.old_serial_number, serial.new_serial_number]),
    [
      ['NL-1', 'NL-1'],
      ['NL-2', 'NL-2'],
    ],
  );
});

test('serials of LOTs that stay out of a group do not count towards its 999', async (t) => {
  const database = await lotSystem(t, {
    sql: `INSERT INTO lots (id, lot_number, production_line_id, product_model_id, production_month) VALUES (950, 'odd', 1, 1, '2511');
      INSERT INTO serials (lot_id, serial_number) SELECT 950, 'odd-' || n FROM generate_series(1, 1000) n`,
  });
  const { summary } = await runLots(t, database);
  assert.deepEqual([summary.status, summary.left], ['completed', 1000]);
});

/** The header, and the lines in an order that is none. */
function shuffled([head, ...lines]: readonly string[]): string[] {
  return [
    head as string,
    ...lines
      .map((line, at) => ({ line, at: (at * 7919) % 1009 }))
      .sort((a, b) => a.at - b.at)
      .map(({ line }) => line),
  ];
}
