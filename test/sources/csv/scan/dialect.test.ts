import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readColumns } from '../../../../src/db/catalog/columns.js';
import { rawDialect } from '../../../../src/sources/csv/scan/dialect.js';
import { testDatabase } from '../../../support/database.js';
import { raw } from '../../../support/lanes.js';

test('every dialect of our own reader that COPY takes, and no other', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE t (a text)');
  const client = await database.connect();
  const columns = await readColumns(database, 'public', 't');
  const taken = async (delimiter: string, nullText: string) =>
    (await raw({ client, table: 't', columns, delimiter, null: nullText }, Buffer.alloc(0))) === undefined;
  // Neither a NUL nor a quote or line end as delimiter gets as far as COPY.
  const delimiters = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)).filter(
    (character) => !/[\r\n"]/.test(character),
  );
  const nulls = ['\\N', 'NULL', '"x', 'a\nb', '\r', ';', 'é'];
  const pairs = [
    ...delimiters.map((delimiter) => [delimiter, ''] as const),
    ...nulls.flatMap((nullText) => [',', ';', 'N'].map((delimiter) => [delimiter, nullText] as const)),
  ];
  for (const [delimiter, nullText] of pairs)
    assert.equal(
      rawDialect({ delimiter, null: nullText }) !== undefined,
      await taken(delimiter, nullText),
      JSON.stringify([delimiter, nullText]),
    );
  await client.end();
  assert.deepEqual(rawDialect({}), { delimiter: 44, nullText: Buffer.alloc(0) });
  assert.deepEqual(rawDialect({ delimiter: ';', null: 'é' }), { delimiter: 59, nullText: Buffer.from('é') });
  for (const other of [
    { quote: "'" },
    { quote: false as const },
    { escape: '\\' },
    { comment: '#' },
    { relaxQuotes: true },
    { trim: true },
    { skipLines: 1 },
    { delimiter: '::' },
    { delimiter: 'é' },
    { delimiter: '\0' },
    { null: 'a\0' },
  ])
    assert.equal(rawDialect(other), undefined, JSON.stringify(other));
});
