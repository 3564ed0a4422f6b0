import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { prepareCopy } from '../../src/copy/prepare.js';
import type { CopyRequest } from '../../src/copy/request.js';
import { PgDatabase } from '../../src/db/connect.js';
import type { RunOptions } from '../../src/run/given/options.js';
import { runPipeline } from '../../src/run/run.js';
import { testDatabase, WITHOUT_LEDGER } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { long } from '../support/long.js';
import { testRun } from '../support/run.js';

const ROWS = ['(3,Joan,30.00)', '(4,"Lee, A.",)'];
const FILE = 'id,customer,total\n3,Joan,30\n4,"Lee, A.",\n';

async function shop(t: TestContext) {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL, total numeric(8,2))',
  );
  const folder = tempFolder(t);
  const pg = new PgDatabase({ url: database.url, described: 'test', from: 'test' });
  t.after(() => pg.close());
  const run = testRun();
  return {
    database,
    logged: run.logged,
    write(name: string, content: string | Buffer) {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
    async copy(request: Omit<CopyRequest, 'into'> & { into?: string }, options: Partial<RunOptions> = {}) {
      const around = { database: pg, log: run.log, signal: options.signal ?? run.signal };
      const prepared = await prepareCopy({ into: 'orders', ...request }, around);
      try {
        return await runPipeline(prepared.pipeline, { ...around, from: prepared.from, ...options });
      } finally {
        await prepared.release();
      }
    },
    rows: async () =>
      (await database.query<{ row: string }>('SELECT t::text AS row FROM orders t ORDER BY id')).map(
        ({ row }) => row,
      ),
  };
}

test('what cannot be matched is a usage error, before a batch is begun', async (t) => {
  const { database, write, copy } = await shop(t);
  await database.query(WITHOUT_LEDGER);
  const file = write('new.csv', FILE);
  const semicolons = write('semicolon.csv', 'id;customer\n3;Joan\n');
  const none = write('none.json', '[]');
  await assert.rejects(copy({ files: [file, file] }), { code: 'file_twice' });
  await assert.rejects(copy({ files: [semicolons] }), { code: 'extra_columns' });
  await assert.rejects(copy({ files: [none] }), { code: 'no_columns' });
  await assert.rejects(copy({ files: [file], into: 'shop.orders' }), { code: 'no_such_table' });
  // Where both are missing: that the table can be made of a file that is not there is no advice.
  await assert.rejects(copy({ files: [`${file}.old`], into: 'shop.orders' }), { code: 'file_not_found' });
  await assert.rejects(copy({ files: [file], skip: ['id'] }), { code: 'missing_column' });
  await assert.rejects(copy({ files: [file], columns: ['id', 'customer', 'total'] }), { code: 'has_header' });
  await assert.rejects(copy({ files: [write('ragged.csv', 'id,id\n1,2\n')] }), { code: 'duplicate_column' });
  await assert.rejects(copy({ files: [write('empty.csv', '')] }), { code: 'empty_file' });
  assert.deepEqual(await database.query("SELECT FROM pg_namespace WHERE nspname = 'sluice'"), []);
});

test('a file that holds a header and no row empties a table only where that is meant', async (t) => {
  const { database, write, copy, rows } = await shop(t);
  await database.query("INSERT INTO orders VALUES (1, 'Ada', 1)");
  const none = { files: [write('none.csv', 'id,customer,total\n')], mode: 'replace' as const };
  await assert.rejects(copy(none), { code: 'would_empty' });
  assert.equal((await rows()).length, 1);
  const { summary } = await copy(none, { allowEmpty: true });
  assert.deepEqual([summary.status, summary.read], ['completed', 0]);
  assert.deepEqual(await rows(), []);
});

test('when one of several files fails, the others are stopped and nothing is published', async (t) => {
  const { database, write, copy, rows } = await shop(t);
  const line = (at: number) => `${at},customer ${at},1\n`;
  const long = Array.from({ length: 200_000 }, (_, at) => line(at)).join('');
  const big = write('big.csv', `id,customer,total\n${long}`);
  // Not JSON from its second half on, which is far behind what is read beforehand.
  const half = Array.from(
    { length: 20_000 },
    (_, at) => `{"id": ${-at - 1}, "customer": "c", "total": 1},`,
  ).join('\n');
  const broken = write('broken.json', `[${half}\n{"id": }]`);
  await assert.rejects(copy({ files: [big, broken] }, { jobs: 2 }), { code: 'invalid_json' });
  assert.deepEqual(await rows(), []);
  const [batch] = await database.query(
    'SELECT status, total_records < 220000 AS stopped FROM sluice.migration_batch',
  );
  assert.deepEqual(batch, { status: 'failed', stopped: true });
});

long(
  'files loaded at once have a session each, and no more files are loaded at once than asked',
  async (t) => {
    const { database, write, copy, rows } = await shop(t);
    const files = Array.from({ length: 5 }, (_, file) =>
      write(
        `${file}.csv`,
        `id,customer,total\n${Array.from({ length: 10_000 }, (_, at) => `${file * 10_000 + at},c,\n`).join('')}`,
      ),
    );
    let most = 0;
    let busy = false;
    const watch = setInterval(async () => {
      if (busy) return;
      busy = true;
      const [row] = await database
        .query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'sluice batch % load %'`,
        )
        .catch(() => []);
      most = Math.max(most, row?.n ?? 0);
      busy = false;
    }, 5);
    try {
      const { summary } = await copy({ files }, { jobs: 3 });
      assert.deepEqual(summary.loaded, { 'public.orders': 50_000 });
    } finally {
      clearInterval(watch);
    }
    assert.equal((await rows()).length, 50_000);
    assert.ok(most <= 3, `${most} at once`);
    assert.ok(most >= 2, `${most} at once`);
  },
);

test('fewer files are loaded at once where the database has few connections left', async (t) => {
  const { database, write, copy, rows, logged } = await shop(t);
  await database.query(`ALTER DATABASE "${database.name}" CONNECTION LIMIT 7`);
  const files = Array.from({ length: 6 }, (_, at) => write(`${at}.csv`, `id,customer,total\n${at},c,\n`));
  await copy({ files }, { jobs: 6 });
  assert.equal((await rows()).length, 6);
  const [said] = logged.filter(({ message }) => message.startsWith('less at once: the server has few'));
  assert.equal(said?.facts?.flows, 1);
  assert.ok(Number(said?.facts?.sessions) <= 2);
});

test('a stop ends every file that is being loaded, and nothing is published', async (t) => {
  const { write, copy, rows } = await shop(t);
  const content = (from: number) =>
    `id,customer,total\n${Array.from({ length: 100_000 }, (_, at) => `${from + at},c,\n`).join('')}`;
  const files = [write('a.csv', content(0)), write('b.csv', content(100_000))];
  const stop = new AbortController();
  const events = { progress: ({ rows }: { rows: number }) => rows > 10_000 && stop.abort() };
  await assert.rejects(copy({ files }, { signal: stop.signal, events }), { code: 'interrupted' });
  assert.deepEqual(await rows(), []);
});

long('every way of writing the same rows gives the same table', async (t) => {
  const { database, write, copy, rows } = await shop(t);
  const objects = [
    { id: 3, customer: 'Joan', total: 30 },
    { id: 4, customer: 'Lee, A.' },
  ];
  const lines = `${objects.map((row) => JSON.stringify(row)).join('\n')}\n`;
  const cases: readonly (readonly [string, string | Buffer, Partial<CopyRequest>])[] = [
    ['a.csv.gz', gzipSync(FILE), {}],
    ['b.tsv', 'id\tcustomer\ttotal\n3\tJoan\t30\n4\tLee, A.\t\n', {}],
    ['c.csv', '3|Joan|30\n4|Lee, A.|\n', { columns: ['id', 'customer', 'total'], delimiter: '|' }],
    [
      'd.txt',
      "Id;Kunde;T\n3;Joan;30\n4;'Lee, A.';-\n",
      { delimiter: ';', quote: "'", null: '-', map: { Kunde: 'customer', T: 'total' } },
    ],
    ['e.jsonl', lines, {}],
    ['f.json', JSON.stringify({ data: { items: objects } }), { at: 'data.items' }],
    ['g.jsonl.gz', gzipSync(lines), {}],
    ['h', FILE, { format: 'csv' }],
    ['i.csv', 'id,customer,total,x\n3,Joan,30,1\n4,"Lee, A.",,2\n', { skip: ['x'] }],
    // A column that is skipped and has the name of one that is loaded.
    ['j.csv', 'old,customer,total,id\n3,Joan,30,99\n4,"Lee, A.",,98\n', { map: { old: 'id' }, skip: ['id'] }],
    ['k.csv', '\ufeffid\tcustomer\ttotal\r\n3\tJoan\t30\r\n4\t"Lee, A."\t\r\n', { delimiter: '\t' }],
    ['l.jsonl', lines.replaceAll('"id"', '"no"'), { map: { no: 'id' } }],
    ['m.jsonl', lines, { columns: ['id', 'customer', 'total'] }],
    ['n.csv', Buffer.from(FILE.replace('Joan', 'Jo\xebn'), 'latin1'), { encoding: 'windows-1252' }],
  ];
  for (const [name, content, how] of cases) {
    await database.query('TRUNCATE orders');
    await copy({ files: [write(name, content)], ...how });
    assert.deepEqual(
      await rows(),
      name === 'n.csv' ? [(ROWS[0] as string).replace('Joan', 'Joën'), ROWS[1]] : ROWS,
      name,
    );
  }
});

test('JSON values go into json columns as they are, text among them', async (t) => {
  const { database, write, copy } = await shop(t);
  await database.query('CREATE TABLE events (id integer, data jsonb)');
  const values = [{ a: 1 }, [1], 'text', '{"not": "parsed"}', 1.5, true, null];
  const file = write('events.jsonl', values.map((data, id) => JSON.stringify({ id, data })).join('\n'));
  await copy({ files: [file], into: 'events' });
  const stored = await database.query<{ data: unknown }>('SELECT data FROM events ORDER BY id');
  assert.deepEqual(
    stored.map(({ data }) => data),
    values,
  );
});
