import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { toShape } from '../../src/copy/shape.js';
import { parseJson } from '../../src/core/json/parse.js';
import { jsonText } from '../../src/core/json/write.js';
import type { Row } from '../../src/core/row.js';
import { csvLine } from '../../src/run/resubmit/rejects-file.js';

test('text of JSON is a JSON string in a json column, and a number a number, whatever its size', async () => {
  const stage = toShape({
    pairs: new Map([
      ['a', 'doc'],
      ['b', 'text'],
    ]),
    skipped: [],
    json: new Set(['doc']),
  });
  const rows = parseJson(
    '[{"a":12345678901234567890,"b":12.50},{"a":1.0,"b":"x"},{"a":"12345678901234567890","b":null},{"a":{"n":[1e5]}}]',
  ) as Row[];
  const ran = await testStage(stage, rows);
  assert.deepEqual(
    ran.rows.map(({ doc, text }) => [typeof doc === 'string' ? doc : jsonText(doc), String(text)]),
    [
      ['12345678901234567890', '12.50'],
      ['1.0', 'x'],
      ['"12345678901234567890"', 'null'],
      ['{"n":[1e5]}', 'null'],
    ],
  );
});

test('a reject for a column that the first rows lack names all such columns that have been met', async () => {
  const stage = toShape({ pairs: new Map([['id', 'id']]), skipped: ['x'] });
  const ran = await testStage(stage, [
    { id: 1, late: 1 },
    { id: 2, later: 2, late: null },
    { id: 3 },
  ] as Row[]);
  assert.deepEqual(
    ran.rejects.map(({ column, expected }) => [
      column,
      /--columns (\S+); .* --skip-columns (\S+)\)/.exec(expected ?? '')?.slice(1),
    ]),
    [
      ['late', ['id,late', 'x,late']],
      ['later', ['id,late,later', 'x,late,later']],
    ],
  );
});

test('a number in a file of rejects is no formula, and text that looks like one is', () => {
  const raw = parseJson('{"a":-12.50,"b":-9007199254740993,"c":"-5","d":{"n":-0}}') as Row;
  const reject = { number: 1, line: 2, reason: 'r', message: 'm', raw } as unknown as Parameters<
    typeof csvLine
  >[0];
  assert.equal(csvLine(reject, Object.keys(raw)), `-12.50,-9007199254740993,'-5,"{""n"":-0}",1,2,r,m,`);
});
