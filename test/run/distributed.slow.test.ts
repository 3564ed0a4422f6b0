import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { holdGuard } from '../../sinks/publish/write-guard/lock.js';
import { type CitusDatabase, citusDatabase, noCitus } from '../support/citus.js';
import { type Ended, sluice } from '../support/cli.js';
import { tempFolder } from '../support/files.js';
import { PATIENT } from '../support/patience.js';

/** A reference table, two tables distributed alike, and a local one; with keys from each to the one before it. */
const SHOP = `
CREATE TABLE country (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE customer (id bigint PRIMARY KEY, country text NOT NULL, name text);
CREATE TABLE purchase (customer_id bigint NOT NULL, id bigint NOT NULL, amount numeric(10,2) CHECK (amount >= 0),
  PRIMARY KEY (customer_id, id));
CREATE TABLE setting (name text PRIMARY KEY, value text);
SELECT create_reference_table('country');
SELECT create_distributed_table('customer', 'id');
SELECT create_distributed_table('purchase', 'customer_id', colocate_with => 'customer');
CREATE INDEX ON purchase (amount);
ALTER TABLE customer ADD CONSTRAINT customer_country FOREIGN KEY (country) REFERENCES country;
ALTER TABLE purchase ADD CONSTRAINT purchase_customer FOREIGN KEY (customer_id) REFERENCES customer;
INSERT INTO country VALUES ('de', 'Germany'), ('at', 'Austria');
INSERT INTO customer SELECT i, 'de', 'old ' || i FROM generate_series(1, 100) i;
INSERT INTO purchase SELECT 1 + i % 100, i, i FROM generate_series(1, 500) i;
INSERT INTO setting VALUES ('a', 'old');`;

const FILES = {
  country: 'code,name\nde,Deutschland\nat,Österreich\nch,Schweiz\n',
  customer: `id,country,name\n${lines(120, (i) => `${i},${i % 2 === 0 ? 'ch' : 'de'},new ${i}`)}`,
  purchase: `customer_id,id,amount\n${lines(600, (i) => `${1 + (i % 100)},${i},${i}.25`)}`,
  setting: 'name,value\na,new\nb,new\n',
};

const PIPELINE = `
import { csv, flow, pipeline, replace } from 'sluice';
export default pipeline({
  name: 'shop',
  inputs: { country: csv(), customer: csv(), purchase: csv() },
  tables: { country: replace('country'), customer: replace('customer'), purchase: replace('purchase') },
  flows: ({ inputs, tables }) => [
    flow(inputs.country).into(tables.country),
    flow(inputs.customer).into(tables.customer),
    flow(inputs.purchase).into(tables.purchase),
  ],
});`;

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => `${line(i + 1)}\n`).join('');
}

interface Shop {
  readonly database: CitusDatabase;
  readonly cwd: string;
  /** Runs a command on the database. */
  readonly command: (...args: string[]) => Promise<Ended>;
  readonly copy: (table: keyof typeof FILES, ...args: string[]) => Promise<Ended>;
}

async function shop(t: TestContext, more = ''): Promise<Shop> {
  const database = await citusDatabase(t, SHOP + more);
  const cwd = tempFolder(t);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(cwd, `${name}.csv`), text);
  writeFileSync(join(cwd, 'shop.ts'), PIPELINE);
  const command = (...args: string[]) => sluice([...args, '--database-url', database.url], { cwd });
  return {
    database,
    cwd,
    command,
    copy: (table, ...args) => command('copy', `${table}.csv`, '--into', table, '--yes', ...args),
  };
}

/** How Citus has the tables of schema public: by name, the way, the column and who it is colocated with. */
const distribution = ({ query }: CitusDatabase) =>
  query<{ table: string; how: string; column: string; group: number }>(
    `SELECT table_name::text AS table, citus_table_type AS how, distribution_column AS column, colocation_id AS "group"
     FROM citus_tables WHERE table_name::text !~ '^sluice' ORDER BY 1`,
  );

const count = async ({ query }: CitusDatabase, table: string): Promise<number> =>
  (await query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n ?? -1;

const leftovers = ({ query }: CitusDatabase) =>
  query(
    `SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_' UNION ALL SELECT conname FROM pg_constraint WHERE conname ~ '__swap'`,
  );

test('a table is replaced by one that is distributed as it was, on every node, and comes back', {
  skip: noCitus,
}, async (t) => {
  const { database, command, copy } = await shop(t);
  const before = await distribution(database);

  const run = await copy('purchase', '--mode', 'replace', '--guard', 'lock');
  assert.equal(run.code, 0, run.stderr);
  assert.equal(await count(database, 'purchase'), 600);
  assert.deepEqual(await distribution(database), before);
  const [held] = await database.query<{ shards: number; nodes: number }>(
    `SELECT count(DISTINCT shardid)::int AS shards, count(DISTINCT nodeport)::int AS nodes FROM citus_shards WHERE table_name = 'purchase'::regclass`,
  );
  assert.deepEqual(held, { shards: 4, nodes: 2 });
  const joined = await database.query(
    'SELECT count(*)::int AS n FROM purchase p JOIN customer c ON c.id = p.customer_id JOIN country o ON o.code = c.country',
  );
  assert.deepEqual(joined, [{ n: 600 }]);
  await assert.rejects(
    database.query('INSERT INTO purchase VALUES (5000, 1, 1)'),
    /violates foreign key constraint "purchase_customer/,
  );
  await assert.rejects(database.query('INSERT INTO purchase VALUES (1, 9999, -1)'), /purchase_amount_check/);

  const blind = await command('rollback', '1', '--yes');
  assert.equal(blind.code, 3, blind.stderr);
  assert.match(blind.stderr, /whether rows of public\.purchase were written since .* cannot be told/);
  assert.match(blind.stderr, /--discard-writes/);
  assert.equal(await count(database, 'purchase'), 600);

  const back = await command('rollback', '1', '--yes', '--discard-writes');
  assert.equal(back.code, 0, back.stderr);
  assert.equal(await count(database, 'purchase'), 500);
  assert.deepEqual(await distribution(database), before);

  const swept = await command('cleanup', '--older-than', '0d', '--execute');
  assert.equal(swept.code, 0, swept.stderr);
  assert.deepEqual(await leftovers(database), []);
});

test('reference and distributed tables with keys to each other are replaced in one run', {
  skip: noCitus,
}, async (t) => {
  const { database, command } = await shop(t);
  const before = await distribution(database);
  const sources = ['country', 'customer', 'purchase'].flatMap((name) => ['--input', `${name}=${name}.csv`]);
  const rehearsed = await command('run', './shop.ts', ...sources, '--guard', 'lock', '--yes', '--rehearse');
  assert.equal(rehearsed.code, 0, rehearsed.stderr);
  assert.equal(await count(database, 'customer'), 100);

  const run = await command('run', './shop.ts', ...sources, '--guard', 'lock', '--yes');
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(await distribution(database), before);
  assert.equal(await count(database, 'customer'), 120);
  assert.deepEqual(
    await database.query(
      `SELECT c.country, count(*)::int AS n FROM customer c JOIN country o ON o.code = c.country GROUP BY 1 ORDER BY 1`,
    ),
    [
      { country: 'ch', n: 60 },
      { country: 'de', n: 60 },
    ],
  );
  const keys = await database.query(
    `SELECT conname AS key, confrelid::regclass::text AS parent, convalidated AS valid FROM pg_constraint
     WHERE contype = 'f' AND conrelid::regclass::text IN ('customer', 'purchase') ORDER BY 1`,
  );
  assert.deepEqual(keys, [
    { key: 'customer_country', parent: 'country', valid: true },
    { key: 'purchase_customer', parent: 'customer', valid: true },
  ]);

  const back = await command('rollback', '2', '--yes', '--discard-writes');
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual(await distribution(database), before);
  assert.equal(await count(database, 'customer'), 100);
});

test('what a new table cannot be given is refused by name before anything is written', {
  skip: noCitus,
}, async (t) => {
  const { database, cwd, command, copy } = await shop(
    t,
    `
SET citus.enable_schema_based_sharding = on;
CREATE SCHEMA tenant;
RESET citus.enable_schema_based_sharding;
CREATE TABLE tenant.setting (name text PRIMARY KEY, value text);
CREATE TABLE local_setting (name text PRIMARY KEY REFERENCES country, value text);`,
  );
  const refused = async (expected: RegExp, table: keyof typeof FILES, ...args: string[]) => {
    refusedAs(expected, await copy(table, ...args));
  };
  const refusedAs = (expected: RegExp, { code, stderr }: Ended) => {
    assert.equal(code, 3, stderr);
    assert.match(stderr.replaceAll('\n', ' '), expected);
    assert.match(stderr, /state: nothing was written; live tables are untouched/);
    assert.doesNotMatch(stderr, /SQLSTATE|the server refuses/);
  };
  const { query } = database;
  const replace = ['--mode', 'replace', '--guard', 'lock'];
  await refused(/refuses the triggers of --guard journal.*--guard lock/, 'purchase', '--mode', 'replace');
  for (const mode of ['append', 'merge', 'sync', 'patch'])
    for (const table of ['purchase', 'country'] as const)
      await refused(
        new RegExp(
          `${mode} into public\\.${table} is not possible: it is distributed by Citus.*--mode replace`,
        ),
        table,
        ...['--mode', mode, '--guard', 'lock'],
      );
  await refused(
    /foreign key purchase_customer of public\.purchase refers to public\.customer.*replace public\.purchase in the same run/,
    'customer',
    ...replace,
  );
  await query(`CREATE TABLE numbered (id bigserial PRIMARY KEY, name text)`);
  await query(`SELECT create_distributed_table('numbered', 'id')`);
  writeFileSync(join(cwd, 'numbered.csv'), 'id,name\n1,a\n');
  refusedAs(
    /sequence public\.numbered_id_seq belongs to a column of public\.numbered.*identity/,
    await command('copy', 'numbered.csv', '--into', 'numbered', '--yes', ...replace),
  );
  for (const guard of ['lock', 'off'])
    await refused(
      /tenant\.setting has a single shard/,
      'setting',
      '--mode',
      'replace',
      '--guard',
      guard,
      '--into',
      'tenant.setting',
    );
  await refused(
    /public\.local_setting is a local table that Citus keeps in its metadata/,
    'setting',
    ...replace,
    '--into',
    'local_setting',
  );
  const [worker = ''] = database.workers;
  const { code, stderr } = await sluice(
    ['copy', 'country.csv', '--into', 'country', ...replace, '--yes', '--database-url', worker],
    { cwd },
  );
  assert.equal(code, 3, stderr);
  assert.match(stderr, /is a worker node of a Citus cluster/);
  assert.match(stderr, /name the coordinator in --database-url/);
  assert.deepEqual(await leftovers(database), []);
  assert.equal(await count(database, "pg_namespace WHERE nspname = 'sluice'"), 0);
});

test('an ordinary table has every mode, also where new schemas are distributed', {
  skip: noCitus,
}, async (t) => {
  const { database, command, copy } = await shop(t);
  const { query } = database;
  const [{ name } = { name: '' }] = await query<{ name: string }>('SELECT current_database() AS name');
  await query(`ALTER DATABASE ${name} SET citus.enable_schema_based_sharding = on`);
  for (const mode of ['replace', 'merge', 'sync', 'patch']) {
    await query('TRUNCATE setting');
    await query("INSERT INTO setting VALUES ('a', 'old'), ('b', 'old')");
    const run = await copy('setting', '--mode', mode);
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(await query('SELECT * FROM setting ORDER BY name'), [
      { name: 'a', value: 'new' },
      { name: 'b', value: 'new' },
    ]);
    const [batch] = await query<{ id: string }>('SELECT max(id)::text AS id FROM sluice.migration_batch');
    const back = await command('rollback', batch?.id ?? '', '--yes');
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(await query('SELECT DISTINCT value FROM setting'), [{ value: 'old' }]);
  }
  assert.deepEqual(await query('SELECT * FROM pg_dist_schema'), []);
});

test('what a distributed table has beside its rows the new one has', { skip: noCitus }, async (t) => {
  const { database, cwd, command } = await shop(
    t,
    `
CREATE TABLE part (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text CHECK (length(name) < 100),
  upper_name text GENERATED ALWAYS AS (upper(name)) STORED, UNIQUE (id, name));
SELECT create_distributed_table('part', 'id');
CREATE INDEX part_lower ON part (lower(name));
CREATE STATISTICS part_statistics (dependencies) ON id, name FROM part;
COMMENT ON COLUMN part.name IS 'as the catalogue has it';
CREATE VIEW part_names AS SELECT name FROM part;
GRANT SELECT ON part TO pg_monitor;
ALTER TABLE part ENABLE ROW LEVEL SECURITY;
CREATE POLICY positive ON part USING (id > 0);
INSERT INTO part (name) VALUES ('old');`,
  );
  const { query } = database;
  const look = () =>
    query(`SELECT (SELECT json_agg(indexdef ORDER BY indexdef) FROM pg_indexes WHERE tablename = 'part' AND schemaname = 'public') AS indexes,
      (SELECT json_agg(pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conrelid = 'part'::regclass) AS constraints,
      col_description('part'::regclass, 2) AS comment, (SELECT json_agg(polname) FROM pg_policy WHERE polrelid = 'part'::regclass) AS policies,
      (SELECT json_agg(stxname) FROM pg_statistic_ext WHERE stxrelid = 'part'::regclass) AS statistics`);
  const before = await look();
  writeFileSync(join(cwd, 'part.csv'), 'id,name\n7,new\n8,newer\n');
  const run = await command(
    'copy',
    'part.csv',
    '--into',
    'part',
    '--mode',
    'replace',
    '--guard',
    'lock',
    '--yes',
  );
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(await look(), before);
  assert.deepEqual(await query('SELECT name FROM part_names ORDER BY 1'), [
    { name: 'new' },
    { name: 'newer' },
  ]);
  const numbered = await query<{ id: string }>(
    "INSERT INTO part (name) VALUES ('next') RETURNING id, upper_name",
  );
  assert.deepEqual(numbered, [{ id: '9', upper_name: 'NEXT' }]);
  assert.doesNotMatch(run.stderr, /warning/);
  assert.equal(
    await count(database, "pg_policy WHERE polrelid = 'sluice_old_1.part'::regclass"),
    0,
    'tidied up',
  );

  const back = await command('rollback', '1', '--yes', '--discard-writes');
  assert.equal(back.code, 0, back.stderr);
  assert.doesNotMatch(back.stderr, /warning/);
  assert.deepEqual(await look(), before);
  assert.deepEqual(await query('SELECT name FROM part_names'), [{ name: 'old' }]);
});

test('the guard keeps writers out on every node', { skip: noCitus }, async (t) => {
  const { database } = await shop(t);
  const [worker = ''] = database.workers;
  const holder = new pg.Client({ connectionString: database.url });
  const writer = new pg.Client({ connectionString: worker });
  try {
    await holder.connect();
    await writer.connect();
    await holdGuard(holder, [{ schema: 'public', table: 'purchase' }], PATIENT);
    await writer.query("SET lock_timeout = '100ms'");
    const write = () => writer.query('INSERT INTO purchase VALUES (1, 9999, 1)');
    await assert.rejects(write(), /lock timeout/);
    assert.equal(await count(database, 'purchase'), 500, 'who reads is let in');
    await holder.query('ROLLBACK');
    await write();
  } finally {
    await holder.end();
    await writer.end();
  }
});
