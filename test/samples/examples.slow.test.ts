import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type TestedPipeline, testPipeline, testStage } from 'sluice/testing';
import { partsInto } from '../../samples/examples/custom-sink/index.js';
import customSource from '../../samples/examples/custom-source/index.js';
import httpEnrichment from '../../samples/examples/http-enrichment/index.js';
import lookups from '../../samples/examples/lookups/index.js';
import nodeTransform, { through } from '../../samples/examples/node-transform/index.js';
import oneToMany, { eachIngredient } from '../../samples/examples/one-to-many/index.js';
import rejectRules from '../../samples/examples/reject-rules/index.js';
import renumbering from '../../samples/examples/renumbering/index.js';
import { salesOf } from '../../samples/examples/several-files/index.js';
import twoDatabases from '../../samples/examples/two-databases/index.js';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { projectFolder } from '../support/server.js';

const reasons = ({ rejects }: TestedPipeline) => rejects.map(({ line, reason }) => [line, reason]);

test('reject-rules: a booking that cannot be believed is set aside with its reasons', async () => {
  const tested = await testPipeline(rejectRules, {
    tables: { bookings: '"id" integer PRIMARY KEY, "from" date, "to" date, guests integer' },
    maxRejects: 1,
  });
  assert.deepEqual(reasons(tested), [[2, 'type']]);
  assert.match(tested.rejects[0]?.message ?? '', /guests.*it begins on 2025-03-09 and ends on 2025-03-05/s);
  assert.deepEqual(tested.tables.bookings, [{ id: 1, from: '2025-03-01', to: '2025-03-04', guests: 2 }]);
  const many = [{ id: '3', from: '2025-03-01', to: '2025-03-04', guests: '12' }];
  const full = await tested.again({ inputs: { bookings: many }, fails: 'too_many_rejects', maxRejects: 0 });
  assert.deepEqual(reasons(full), [[1, 'too_many_guests']]);
});

test('lookups: a line is multiplied by a price of the database; one without is a reject', async () => {
  const tested = await testPipeline(lookups, {
    tables: {
      lines: { id: 'integer PRIMARY KEY', sku: 'text', cents: 'integer' },
      prices: { sku: 'text PRIMARY KEY', cents: 'integer NOT NULL' },
    },
    rows: {
      prices: [
        { sku: 'bolt', cents: 25 },
        { sku: 'nut', cents: 10 },
      ],
    },
    maxRejects: 1,
  });
  assert.deepEqual(tested.tables.lines, [
    { id: 1, sku: 'bolt', cents: 250 },
    { id: 2, sku: 'nut', cents: 40 },
  ]);
  assert.deepEqual(reasons(tested), [[3, 'no_price']]);
});

test('one-to-many: a recipe becomes a row for each ingredient, whatever the chunks', async () => {
  const tested = await testPipeline(oneToMany, {
    tables: { ingredients: 'recipe text, position integer, ingredient text, PRIMARY KEY (recipe, position)' },
  });
  assert.deepEqual(
    tested.tables.ingredients?.map(({ recipe, ingredient }) => `${recipe}: ${ingredient}`),
    ['bread: flour', 'bread: water', 'bread: salt', 'tea: leaves', 'tea: water'],
  );
  const { added, skipped } = await testStage(eachIngredient, [
    { name: 'a', ingredients: 'x;y' },
    { name: 'b', ingredients: '' },
  ]);
  assert.deepEqual([added, skipped], [{ ingredient: 1 }, { no_ingredients: 1 }]);
});

test('renumbering: invoices are numbered by year, in the order they were written', async () => {
  const tested = await testPipeline(renumbering, {
    tables: { invoices: { id: 'text PRIMARY KEY', number: 'text UNIQUE' } },
  });
  assert.deepEqual(tested.tables.invoices, [
    { id: 'a', number: '2024-0001' },
    { id: 'b', number: '2025-0001' },
    { id: 'c', number: '2025-0002' },
  ]);
});

test('http-enrichment: towns come from a service; a broken service publishes nothing', async (t) => {
  const towns: Record<string, string> = { '10115': 'Berlin', '80331': 'München' };
  let broken = false;
  const server = createServer((request, response) => {
    const found = towns[request.url?.split('/').at(-1) ?? ''];
    response.writeHead(broken ? 500 : found === undefined ? 404 : 200).end(found);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const settings = { service: `http://127.0.0.1:${(server.address() as AddressInfo).port}/towns` };
  const tables = { places: { id: 'integer PRIMARY KEY', postcode: 'text', town: 'text NOT NULL' } };
  const tested = await testPipeline(httpEnrichment, { tables, settings, maxRejects: 1 });
  assert.deepEqual(
    tested.tables.places?.map(({ id, town }) => [id, town]),
    [
      [1, 'Berlin'],
      [3, 'München'],
    ],
  );
  assert.deepEqual(reasons(tested), [[2, 'unknown_postcode']]);
  broken = true;
  const failed = await tested.again({ fails: 'stage_failed', always: true });
  assert.match(failed.error?.message ?? '', /answered 500/);
  assert.deepEqual(failed.tables, tested.tables);
});

test('custom-source: all pages are read, and an entry that is no user is a reject', async () => {
  const tested = await testPipeline(customSource, {
    tables: { users: { id: 'integer PRIMARY KEY', name: 'text NOT NULL' } },
    maxRejects: 1,
  });
  assert.deepEqual(
    tested.tables.users?.map(({ name }) => name),
    ['Ada', 'Grace', 'Joan'],
  );
  assert.deepEqual(reasons(tested), [[4, 'no_user']]);
});

test('custom-sink: the file is whole or not there, and a dry run writes none', async (t) => {
  const path = join(tempFolder(t), 'parts.jsonl');
  const tables = { parts: { id: 'integer PRIMARY KEY', name: 'text NOT NULL' } };
  await testPipeline(partsInto(path), { tables, until: 'dry run' });
  assert.ok(!existsSync(path));
  await testPipeline(partsInto(path), { tables, inputs: { parts: [{ id: 'x', name: 'y' }] }, fails: true });
  assert.deepEqual(readdirSync(join(path, '..')), []);
  const tested = await testPipeline(partsInto(path), { tables });
  assert.equal(readFileSync(path, 'utf8'), '{"id":"1","name":"bolt"}\n{"id":"2","name":"nut"}\n');
  assert.deepEqual(
    tested.summary.files.map((file) => file.path),
    [path],
  );
});

test('node-transform: what the stream leaves out is counted, and its error ends the batch', async () => {
  const tested = await testPipeline(nodeTransform, {
    tables: { readings: { at: 'timestamp PRIMARY KEY', celsius: 'integer' } },
  });
  assert.deepEqual(
    tested.tables.readings?.map(({ celsius }) => celsius),
    [3, 4],
  );
  assert.deepEqual(tested.summary.skip_reasons, { unchanged: 1 });
  const { Transform } = await import('node:stream');
  const broken = through(
    () =>
      new Transform({ objectMode: true, transform: (_row, _encoding, done) => done(new Error('no more')) }),
    'left_out',
  );
  await assert.rejects(testStage(broken, [{ a: '1' }]), { code: 'stage_failed' });
});

test('several-files: every row knows its file', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, '2025-02.csv'), 'day,shop,cents\n2025-02-01,north,3\n');
  writeFileSync(join(folder, '2025-01.csv'), 'day,shop,cents\n2025-01-01,north,1\n2025-01-02,south,2\n');
  const tested = await testPipeline(salesOf(folder), {
    tables: { sales: { day: 'date', shop: 'text', cents: 'integer', file: 'text' } },
  });
  assert.deepEqual(
    tested.tables.sales?.map(({ cents, file }) => [cents, file]),
    [
      [1, '2025-01.csv'],
      [2, '2025-01.csv'],
      [3, '2025-02.csv'],
    ],
  );
});

test('two-databases: rows of another database are read page by page', async (t) => {
  const old = await testDatabase(t);
  await old.query(`CREATE TABLE customers (id bigint PRIMARY KEY, mail text);
    INSERT INTO customers SELECT i, CASE WHEN i % 2 = 0 THEN 'C' || i || '@X' END FROM generate_series(1, 1201) i`);
  const tested = await testPipeline(twoDatabases, {
    tables: { customers: { id: 'integer PRIMARY KEY', mail: 'text' } },
    settings: { old: old.url },
  });
  assert.equal(tested.tables.customers?.length, 1201);
  assert.deepEqual(tested.tables.customers?.slice(1199), [
    { id: 1200, mail: 'c1200@x' },
    { id: 1201, mail: null },
  ]);
});

test('every example is in the list of examples, and the other way round', () => {
  const folder = join(projectFolder, 'samples', 'examples');
  const there = readdirSync(folder).filter((name) => !name.endsWith('.md'));
  const listed = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/\]\(([a-z-]+)\/index\.ts\)/g)];
  assert.deepEqual(listed.map(([, name]) => name).sort(), there.sort());
  assert.ok(there.length >= 10);
});
