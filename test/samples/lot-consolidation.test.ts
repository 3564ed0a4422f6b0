import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type pg from 'pg';
import { testStage } from 'sluice/testing';
import { COLUMNS, csv, FILES, fill, shuffledCsv } from '../../samples/lot-consolidation/generate.js';
import { groups } from '../../samples/lot-consolidation/system.js';
import { sort } from '../../transforms/sort/index.js';
import { testDatabase } from '../support/database.js';

const read = (name: string) => readFile(new URL(name, FILES), 'utf8');

/** Every value as the text that the server sends. */
const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

async function oldSystem(t: TestContext) {
  const database = await testDatabase(t);
  const client = await database.connect({ types: asText });
  await client.query("SET TimeZone = 'UTC'");
  await client.query(await read('schema.sql'));
  return client;
}

/** Results of the statements in `sql` as CSV, NULL empty. */
async function asCsv(client: pg.Client, sql: string): Promise<string[]> {
  const results = (await client.query(sql)) as unknown as pg.QueryResult | pg.QueryResult[];
  return [results].flat().map(({ fields, rows }) => {
    const lines = rows.map((row) => fields.map(({ name }) => row[name] ?? '').join(','));
    return [fields.map(({ name }) => name).join(','), ...lines, ''].join('\n');
  });
}

test('the sample loads, and the independent SQL gives the expected files', async (t) => {
  const client = await oldSystem(t);
  await client.query(await read('data.sql'));
  const [lots, serials] = await asCsv(client, await read('expected.sql'));
  assert.equal(lots, await read('expected/lots.csv'));
  assert.equal(serials, await read('expected/serials.csv'));
});

test('the expected files hold the documented example to the letter', async () => {
  const lots = (await read('expected/lots.csv')).split('\n');
  assert.ok(lots.some((line) => line.startsWith('63,LI14PSA2511,')));
  assert.ok(!lots.some((line) => /^6[45],/.test(line)));
  const serials = new Map(
    (await read('expected/serials.csv'))
      .split('\n')
      .map((line) => [line.split(',')[0], line.split(',').slice(1).join(' ')]),
  );
  const ends = [6301, 6400, 6401, 6500, 6501, 6550].map((id) => serials.get(String(id)));
  assert.deepEqual(ends, [
    '63 LI14PSA2511001',
    '63 LI14PSA2511100',
    '63 LI14PSA2511101',
    '63 LI14PSA2511200',
    '63 LI14PSA2511201',
    '63 LI14PSA2511250',
  ]);
});

test('each awkward case loads into the old system', async (t) => {
  const client = await oldSystem(t);
  await client.query(await read('data.sql'));
  for (const [folder, least] of [
    ['bad', 3],
    ['left', 4],
  ] as const) {
    const cases = await readdir(new URL(`${folder}/`, FILES));
    assert.ok(cases.length >= least);
    for (const name of cases) await client.query(await read(`${folder}/${name}`));
  }
});

test('the schema can be made twice on one server, in two databases at once', async (t) => {
  await Promise.all([oldSystem(t), oldSystem(t)]);
});

test('the generator gives the same bytes for the same seed, and others for another', () => {
  const digest = (seed: number) => {
    const hash = createHash('sha256');
    for (const piece of csv({ serials: 5000, seed })) hash.update(piece);
    return hash.digest('hex');
  };
  assert.equal(digest(7), digest(7));
  assert.notEqual(digest(7), digest(8));
});

test('the generator makes as many serials as asked for, in groups that three digits can number', () => {
  for (const serials of [0, 1, 30_000]) {
    let made = 0;
    let largest = 0;
    for (const group of groups({ serials, seed: 3 })) {
      const size = group.reduce((sum, lot) => sum + lot.serials.length, 0);
      made += size;
      largest = Math.max(largest, size);
    }
    assert.equal(made, serials);
    assert.ok(largest <= 999);
  }
});

test('a shuffled export has the same lines in another order', () => {
  const options = { serials: 3000, seed: 7 };
  const lines = (pieces: Iterable<string>) => [...pieces].join('').trimEnd().split('\n');
  const ordered = lines(csv(options));
  const shuffled = lines(shuffledCsv(options));
  assert.equal(shuffled[0], COLUMNS.join(','));
  assert.notDeepEqual(shuffled, ordered);
  assert.deepEqual([...shuffled].sort(), [...ordered].sort());
});

test('the generated database exports as the generated CSV, in the same order', async (t) => {
  const options = { serials: 20_000, seed: 11, alreadyNew: 0.2, empty: 0.1 };
  const client = await oldSystem(t);
  await fill(client, options);
  const [exported] = await asCsv(client, await read('export.sql'));
  assert.equal(exported, [...csv(options)].join(''));
});

test('the sort stage puts a shuffled export into the order of the database', async () => {
  const options = { serials: 4000, seed: 5, alreadyNew: 0.2, empty: 0.1 };
  const parse = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .slice(1)
      .map(
        (line) =>
          ({
            line,
            ...Object.fromEntries(line.split(',').map((v, i) => [COLUMNS[i] as string, v === '' ? null : v])),
          }) as Record<string, string | null>,
      );
  const order = sort<Record<string, string | null>>({
    name: 'lot',
    memoryRows: 500,
    by: [
      { column: 'production_line_id', as: 'integer' },
      { column: 'product_model_id', as: 'integer' },
      'production_month',
      'kept',
      { column: 'lot_id', as: 'integer' },
      { column: 'serial_number', as: 'shortlex' },
    ],
  });
  const rows = parse([...shuffledCsv(options)].join('')).map((row) => ({
    ...row,
    kept: row.lot_number === `${row.line_code}${row.model_code}${row.production_month}` ? '0' : '1',
  }));
  const sorted = (await testStage(order, rows, { chunkSizes: [700] })).rows.map(({ line }) => line);
  assert.deepEqual(
    sorted,
    parse([...csv(options)].join('')).map((row) => row.line),
  );
});
