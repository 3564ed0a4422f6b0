import assert from 'node:assert/strict';
import { renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { sluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';

interface Told {
  readonly batch: string;
  readonly status: string;
  readonly published_by: string | null;
  readonly read: number;
  readonly timings: Readonly<Record<string, number>>;
}

/** A folder with orders.csv, old enough to be known by its content, and the table that it is copied into. */
async function orders(t: TestContext) {
  const database = await testDatabase(t);
  const cwd = tempFolder(t);
  await database.query(
    'CREATE TABLE orders (id int PRIMARY KEY, name text, price numeric(8,2), at timestamptz)',
  );
  const line = (id: number) => `${id},name ${id},${id}.00,2026-01-01 12:00:00\n`;
  const text = `id,name,price,at\n${Array.from({ length: 200 }, (_, at) => line(at + 1)).join('')}`;
  writeFileSync(join(cwd, 'orders.csv'), text);
  const command = (args: string) =>
    sluice(args.split(' '), { cwd, env: { NO_COLOR: '1', DATABASE_URL: database.url } });
  /** Copies, and says what the command said. */
  const copy = async (more = '', files = 'orders.csv'): Promise<Told> => {
    const ran = await command(`copy ${files} --into orders --mode replace --yes --json${more}`);
    assert.match(ran.stdout, /^\{/, ran.stderr);
    return JSON.parse(ran.stdout) as Told;
  };
  await sleep(2_100);
  return { database, cwd, text, command, copy };
}

test('a file that is live already is not loaded; --always loads it', async (t) => {
  const { cwd, text, command, copy } = await orders(t);
  const first = await copy();
  assert.deepEqual([first.status, first.published_by], ['completed', null]);

  const second = await copy();
  assert.equal(second.status, 'unchanged');
  assert.equal(second.published_by, first.batch);
  assert.equal(second.read, 0);
  assert.ok((second.timings.compare ?? 0) > 0);
  assert.equal(second.timings.load, undefined, 'nothing was read');

  // The same bytes, written anew.
  writeFileSync(join(cwd, 'orders.csv'), text);
  await sleep(2_100);
  const said = await command('copy orders.csv --into orders --mode replace --yes');
  assert.equal(said.code, 0);
  assert.match(said.stderr, new RegExp(`nothing to do: live is what batch ${first.batch} has made of`));
  assert.match(said.stderr, /sluice copy orders\.csv .*--always +load it all the same/);

  const loaded = await copy(' --always');
  assert.deepEqual([loaded.published_by, loaded.read], [null, 200]);
  assert.equal((await copy(' --rehearse')).read, 200);
});

/** A test that each of these changes to live is seen, and that the file is loaded then. */
const seen = (changes: readonly string[]) => async (t: TestContext) => {
  const { database, copy } = await orders(t);
  await copy();
  for (const change of changes) {
    await database.query(change);
    const { status, published_by, read } = await copy();
    assert.deepEqual([published_by, read], [null, 200], change);
    // Where only the catalog has changed, the load finds the rows as they are.
    assert.ok(status === 'completed' || status === 'unchanged', change);
    await copy(' --always');
  }
};

test(
  'what was done to live since is seen',
  seen(['UPDATE orders SET price = 0 WHERE id = 7', 'DELETE FROM orders WHERE id = 200']),
);

long(
  'whatever was done to live since is seen',
  seen([
    'UPDATE orders SET price = price WHERE id = 7',
    'TRUNCATE orders',
    "INSERT INTO orders VALUES (201, 'more', 1, now())",
    'DELETE FROM orders WHERE id = 5; INSERT INTO orders VALUES (5)',
    'ALTER TABLE orders ALTER name TYPE varchar(80)',
    'ALTER TABLE orders ALTER price TYPE numeric(10,3)',
    'ALTER TABLE orders ADD CHECK (at < now())',
    'CREATE TABLE copied AS TABLE orders; ALTER TABLE copied ADD PRIMARY KEY (id); DROP TABLE orders; ALTER TABLE copied RENAME TO orders',
  ]),
);

long('a column or constraint that live has got, or another session, decides the rows, too', async (t) => {
  const { database, command, copy } = await orders(t);
  await copy();
  for (const [change, back] of [
    ['ALTER TABLE orders ADD note text DEFAULT 1', 'ALTER TABLE orders DROP note'],
    [
      'ALTER TABLE orders ADD CONSTRAINT dear CHECK (price > 1000) NOT VALID',
      'ALTER TABLE orders DROP CONSTRAINT dear',
    ],
    [
      'CREATE TABLE names (name text PRIMARY KEY); ALTER TABLE orders ADD CONSTRAINT named FOREIGN KEY (name) REFERENCES names NOT VALID',
      'DROP TABLE names CASCADE',
    ],
  ] as const) {
    await database.query(change);
    const { code, stdout } = await command('copy orders.csv --into orders --mode replace --yes --json');
    // The load finds out what is wrong, if anything is; that it ended well without one would be a lie.
    assert.ok(code !== 0 || (JSON.parse(stdout) as Told).read === 200, change);
    await database.query(back);
    await copy(' --always');
  }
  const zone = (name: string) =>
    database.query(
      `DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = %L', current_database(), '${name}'); END $do$`,
    );
  assert.equal((await copy(' --always')).read, 200);
  await zone('Asia/Tokyo');
  assert.equal((await copy()).status, 'completed', 'a time without a zone is another one');
  assert.notEqual((await copy()).published_by, null);
  await zone('UTC');
  assert.equal((await copy()).status, 'completed');
});

test('another file of the same name, size and time is loaded; so is one that was taken back', async (t) => {
  const { cwd, text, command, copy } = await orders(t);
  const path = join(cwd, 'orders.csv');
  const first = await copy();

  const { atime, mtime } = statSync(path);
  writeFileSync(join(cwd, 'other.csv'), text.replace('name 99,', 'name XX,'));
  utimesSync(join(cwd, 'other.csv'), atime, mtime);
  renameSync(join(cwd, 'other.csv'), path);
  assert.equal(statSync(path).mtime.getTime(), mtime.getTime());
  await sleep(2_100);
  const second = await copy();
  assert.deepEqual([second.status, second.published_by], ['completed', null]);
  assert.equal((await copy()).published_by, second.batch);

  // Live is the first batch's again: the second one's file is loaded, that of the first is not.
  const back = await command(`rollback ${second.batch} --yes`);
  assert.equal(back.code, 0, back.stderr);
  assert.equal((await copy(' --no-swap')).read, 200);
  writeFileSync(path, text);
  await sleep(2_100);
  assert.equal((await copy()).published_by, first.batch);
});

long('other words, a merge in between, a ledger that is not of this server: it is loaded', async (t) => {
  const { database, command, copy } = await orders(t);
  await copy();
  for (const words of [' --null 1.00', ' --map id=id', ' --delimiter ,', ' --encoding latin1']) {
    assert.equal((await copy(words)).published_by, null, words);
    await copy(' --always');
  }
  await database.query("UPDATE orders SET name = 'other' WHERE id = 3");
  const merged = await command('copy orders.csv --into orders --mode merge --yes --json');
  assert.equal((JSON.parse(merged.stdout) as Told).status, 'completed');
  assert.equal((await copy()).read, 200, 'the rows are the same, but not as they were published');
  await database.query("UPDATE orders SET name = 'other' WHERE id = 3");
  assert.equal((await copy()).status, 'completed');
  await database.query(`UPDATE sluice.migration_publish SET facts = facts || '{"xid": "99999999999"}'`);
  assert.equal((await copy()).read, 200, 'transactions that are yet to come');
});

long('several files, and packed ones', async (t) => {
  const { cwd, copy } = await orders(t);
  writeFileSync(join(cwd, 'more.csv.gz'), gzipSync('id,name,price,at\n900,more,1,\n'));
  await sleep(2_100);
  const both = 'orders.csv more.csv.gz';
  const first = await copy('', both);
  assert.equal(first.read, 201);
  assert.equal((await copy('', both)).published_by, first.batch);
  assert.equal((await copy('', 'more.csv.gz orders.csv')).published_by, null, 'in another order');
  assert.equal((await copy('', 'orders.csv')).read, 200);
});

long('rows that are not all there, or are made by more than the files, are not known by them', async (t) => {
  const { database, cwd, copy } = await orders(t);
  writeFileSync(join(cwd, 'bad.csv'), 'id,name,price,at\n1,a,1,\n2,b,x,\n');
  writeFileSync(join(cwd, 'twice.csv'), 'id,name,price,at\n1,a,1,\n1,b,1,\n');
  writeFileSync(join(cwd, 'part.csv'), 'id,name,price\n1,a,1\n');
  writeFileSync(join(cwd, 'schema.json'), '{"type":"object"}');
  await sleep(2_100);
  for (const [words, file] of [
    [' --max-rejects 1', 'bad.csv'],
    [' --max-rejects 1', 'twice.csv'],
    [' --omit at', 'part.csv'],
    [' --schema schema.json', 'orders.csv'],
  ] as const) {
    await copy(`${words} --max-shrink 100%`, file);
    const again = await copy(`${words} --max-shrink 100%`, file);
    assert.equal(again.published_by, null, words);
    assert.ok(again.read > 0, words);
  }
  // A value that the table makes by itself.
  await database.query('ALTER TABLE orders ADD made int GENERATED ALWAYS AS (id + 1) STORED');
  await copy(' --always');
  assert.equal((await copy()).read, 200);
});
