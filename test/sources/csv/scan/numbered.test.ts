import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readColumns } from '../../../../src/db/catalog/columns.js';
import { numbered } from '../../../../src/sources/csv/scan/numbered.js';
import { testDatabase } from '../../../support/database.js';
import { type Lanes, raw } from '../../../support/lanes.js';

const COMMA = 44;
const text = (of: string, numbering: Parameters<typeof numbered>[4], delimiter = COMMA) => {
  const bytes = Buffer.from(`"x\n${of}"y\n`);
  return numbered(bytes, 3, bytes.length - 3, delimiter, numbering).toString();
};

test('every record has its number, and its line, in front', () => {
  const records = '1,a\n2,"b\n\r\nc,""\n"\r\n\n3,"d"\n';
  assert.equal(text(records, { rows: 4, row: 9 }), '9,1,a\n10,2,"b\n\r\nc,""\n"\r\n11,\n12,3,"d"\n');
  assert.equal(
    text(records, { rows: 4, row: 9, line: 99 }),
    '9,99,1,a\n10,100,2,"b\n\r\nc,""\n"\r\n11,104,\n12,105,3,"d"\n',
  );
  assert.equal(text('a;b', { rows: 1, row: 0, line: 1 }, 59), '0;1;a;b');
  assert.equal(text('', { rows: 0, row: 1 }), '');
});

test('numbers as great as a double counts to find room', () => {
  const row = Number.MAX_SAFE_INTEGER - 2;
  const all = '\n'.repeat(3);
  assert.equal(
    text(all, { rows: 3, row, line: row }),
    [0, 1, 2].map((i) => `${row + i},${row + i},\n`).join(''),
  );
  assert.equal(
    text(all, { rows: 3, row, line: row, nullText: Buffer.from('5') }),
    [0, 1, 2].map((i) => `"${row + i}","${row + i}",\n`).join(''),
  );
});

test('a number is read as one, whatever the delimiter and NULL are', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE numbered (a text, b text, row bigint, line bigint)');
  const client = await database.connect();
  const columns = (await readColumns(database, 'public', 'numbered')).slice(0, 2);
  for (const [delimiter, nullText] of [
    [',', ''],
    ['1', ''],
    [',', '11'],
    ['2', '1'],
    ['\\', 'NULL'],
  ] as const) {
    const lanes: Lanes = { client, table: 'numbered', columns, delimiter, null: nullText };
    const bytes = Buffer.from(`x${delimiter}y\n"z\n"${delimiter}""\n`);
    const out = numbered(bytes, 0, bytes.length, delimiter.charCodeAt(0), {
      rows: 2,
      row: 11,
      line: 21,
      nullText: Buffer.from(nullText),
    });
    assert.equal(await raw(lanes, out, ['row', 'line', 'a', 'b']), undefined, delimiter);
    assert.deepEqual(await database.query('DELETE FROM numbered RETURNING *'), [
      { a: 'x', b: 'y', row: '11', line: '21' },
      { a: 'z\n', b: '', row: '12', line: '22' },
    ]);
  }
  await client.end();
});
