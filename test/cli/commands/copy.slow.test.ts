import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sluice as command, type Ended as Ran } from '../../support/cli.js';
import { type TestDatabase, testDatabase, WITHOUT_LEDGER } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';

const sluice = (
  args: readonly string[],
  { cwd, url, stdin = '' }: { readonly cwd: string; readonly url: string; readonly stdin?: string | Buffer },
): Promise<Ran> => command([...args, '--database-url', url], { cwd, input: stdin, env: { NO_COLOR: '1' } });

const ORDERS = `
  CREATE TABLE orders (
    id integer PRIMARY KEY, customer text NOT NULL, total numeric(8,2), note text DEFAULT 'none'
  );
  INSERT INTO orders VALUES (1, 'Ada', 10, 'first'), (2, 'Grace', 20, 'second')`;

const FILE = 'id,customer,total\n3,Joan,30\n4,"Lee, A.",\n';

/** A database with a table, a folder with files, and `sluice copy` in both. */
async function shop(t: TestContext, files: Readonly<Record<string, string | Buffer>> = { 'new.csv': FILE }) {
  const database = await testDatabase(t);
  await database.query(ORDERS);
  const cwd = tempFolder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  const command = (args: readonly string[], stdin: string | Buffer = '') =>
    sluice(args, { cwd, url: database.url, stdin });
  return {
    database,
    cwd,
    command,
    /** `sluice copy … --into orders --yes` */
    copy: (args: readonly string[], stdin: string | Buffer = '') =>
      command(['copy', ...args, '--into', 'orders', '--yes'], stdin),
  };
}

const rowsOf = async (database: TestDatabase, table = 'orders') =>
  (await database.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t ORDER BY 1`)).map(
    ({ row }) => row,
  );

const BEFORE = ['(1,Ada,10.00,first)', '(2,Grace,20.00,second)'];
const AFTER = [...BEFORE, '(3,Joan,30.00,none)', '(4,"Lee, A.",,none)'];

function assertRan(ran: Ran, code: number, ...said: readonly RegExp[]): void {
  assert.equal(ran.code, code, ran.stderr);
  for (const each of said) assert.match(ran.stderr, each);
}

test('what does not fit is refused before anything is written, with what to type next', async (t) => {
  const { database, command, copy } = await shop(t, {
    'new.csv': FILE,
    'extra.csv': 'id,custmer\n3,Joan\n',
  });
  const into = async (table: string) => command(['copy', 'new.csv', '--into', table, '--yes']);
  assertRan(await into('ordres'), 2, /no table ordres/, /did you mean orders\?/);
  assertRan(await copy(['nw.csv']), 2, /did you mean new\.csv/);
  assertRan(await copy(['new.csv', '--mode', 'replace']), 2, /orders\.note/, /--omit note/);
  assertRan(await copy(['new.csv', '--key', 'id']), 2, /--mode merge/);
  assertRan(await copy(['new.csv', '--delimiter', '']), 2, /delimiter is empty/, /--delimiter ';'/);
  assertRan(
    await copy(['new.csv', '--columns', 'id,customer,total']),
    2,
    /is a header/,
    /the header says the same/,
  );
  assertRan(await copy(['new.csv', '--at', 'data']), 2, /at does not apply to csv/);
  assertRan(
    await copy(['new.csv', 'extra.csv', '--skip-columns', 'total']),
    2,
    /extra\.csv has no column "total"/,
  );
  assertRan(await command(['copy', 'new.csv', '--into', 'orders']), 2, /--yes/);
  assert.deepEqual(await rowsOf(database), BEFORE);
});

test('a bad JSON Schema is refused, a row that does not fit a good one is a reject', async (t) => {
  const { database, copy } = await shop(t, {
    'new.csv': FILE,
    'broken.json': '{"type": ',
    'wrong.json': '{"type": "objekt"}',
    'list.json': '[]',
    'rows.schema.json': JSON.stringify({ properties: { Sum: { type: 'number', minimum: 31 } } }),
    'sums.csv': 'id,customer,Sum\n3,Joan,30\n4,Lee,40\n',
  });
  assertRan(await copy(['new.csv', '--schema', 'none.json']), 2, /no file none\.json/);
  assertRan(
    await copy(['new.csv', '--schema', 'broken.json']),
    2,
    /broken\.json cannot be used/,
    /JSON Schema/,
  );
  assertRan(await copy(['new.csv', '--schema', 'wrong.json']), 2, /schema of wrong\.json cannot be used/);
  assertRan(await copy(['new.csv', '--schema', 'list.json']), 2, /no JSON object/);
  // The schema speaks of the file's own columns, whatever the table calls them.
  const sums = ['sums.csv', '--map', 'Sum=total', '--schema', 'rows.schema.json'];
  assertRan(await copy(sums), 3, /1 of 2 rows was rejected/, /sums\.csv, line 2: Sum must be >= 31/);
  assert.deepEqual(await rowsOf(database), BEFORE);
  assertRan(await copy([...sums, '--max-rejects', '1']), 4, /rejected rows \(1\)/);
  assert.deepEqual(await rowsOf(database), [...BEFORE, '(4,Lee,40.00,none)']);
});

test('rejected rows name line, column and value, publish nothing, and are kept', async (t) => {
  const { database, command, copy } = await shop(t, {
    'bad.csv': 'id,customer,total\n3,Joan,30\nx,Lee,40\n5,,50\n6,Ann,1234567\n7,"torn,1\n',
  });
  const ran = await copy(['bad.csv']);
  assertRan(
    ran,
    3,
    /4 of 5 rows were rejected/,
    /line 3: id is "x"; expected: integer/,
    /live tables are untouched/,
  );
  assert.deepEqual(await rowsOf(database), BEFORE);
  const rejects = await command(['rejects', '1', '--json']);
  const kept = rejects.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(kept.map(({ line, column_name, value }) => [Number(line), column_name, value]).sort(), [
    [3, 'id', 'x'],
    [4, 'customer', null],
    [5, 'total', '1234567'],
    [6, null, null],
  ]);
  assert.match((await command(['status', '1'])).stdout, /failed[\s\S]*sluice rejects 1/);
});

test('a dry run and a rehearsal change nothing and say what would be', async (t) => {
  const { database, copy } = await shop(t);
  await database.query(WITHOUT_LEDGER);
  assertRan(
    await copy(['new.csv', '--dry-run']),
    0,
    /nothing was written/,
    /sluice copy new\.csv --into orders --yes .*write it\n/,
  );
  assert.deepEqual(await database.query("SELECT FROM pg_namespace WHERE nspname = 'sluice'"), []);
  assertRan(await copy(['new.csv', '--rehearse']), 0, /rolled back; live is as it was/);
  assert.deepEqual(await rowsOf(database), BEFORE);
});

test('rows are appended where nothing else is asked for, and a rollback takes them out again', async (t) => {
  const { database, command, copy } = await shop(t);
  const ran = await copy(['new.csv', '--json']);
  assertRan(ran, 0, /add the rows of new\.csv to those of public\.orders/, /public\.orders\s+append/);
  const summary = JSON.parse(ran.stdout);
  assert.deepEqual([summary.status, summary.read, summary.loaded], ['completed', 2, { 'public.orders': 2 }]);
  assert.deepEqual(await rowsOf(database), AFTER);
  assertRan(await command(['rollback', '1', '--yes']), 0);
  assert.deepEqual(await rowsOf(database), BEFORE);
});

test('a second append of the same keys is refused, and each row named with its line', async (t) => {
  const { database, copy } = await shop(t);
  assertRan(await copy(['new.csv']), 0);
  assertRan(
    await copy(['new.csv']),
    3,
    /2 of 2 rows were rejected/,
    /new\.csv, line 3: id is .*no row of public\.orders has \(constraint orders_pkey\)/,
  );
  assert.deepEqual(await rowsOf(database), AFTER);
});

test('replace puts the rows in place of all, and a second time changes nothing', async (t) => {
  const { database, command, copy } = await shop(t);
  const args = ['new.csv', '--mode', 'replace', '--omit', 'note'];
  assertRan(await copy(args), 0, /put the rows of new\.csv in place of all rows of public\.orders/);
  assert.deepEqual(await rowsOf(database), AFTER.slice(2));
  assertRan(await copy(args), 0, /nothing to do/);
  assert.deepEqual(await rowsOf(database), AFTER.slice(2));
  assertRan(await command(['rollback', '1', '--yes']), 0);
  assert.deepEqual(await rowsOf(database), BEFORE);
});

test('merge finds rows by the primary key, patch updates only what the file has', async (t) => {
  const { database, copy } = await shop(t, {
    'merge.csv': 'id,customer,total\n2,Hopper,21\n3,Joan,30\n',
    'patch.csv': 'ID,Total\n1,11\n',
  });
  assertRan(await copy(['merge.csv', '--mode', 'merge']), 0, /same id/);
  assertRan(await copy(['patch.csv', '--mode', 'patch', '--key', 'id']), 0);
  assert.deepEqual(await rowsOf(database), [
    '(1,Ada,11.00,first)',
    '(2,Hopper,21.00,second)',
    '(3,Joan,30.00,none)',
  ]);
});

test('merge without a key is refused where the table has no primary key', async (t) => {
  const { database, copy } = await shop(t);
  await database.query('ALTER TABLE orders DROP CONSTRAINT orders_pkey');
  assertRan(await copy(['new.csv', '--mode', 'merge']), 2, /no primary key/, /--key/);
});

for (const mode of ['append', 'replace', 'merge']) {
  test(`what was loaded by ${mode} without a swap is published later, without the file`, async (t) => {
    const { database, command, copy, cwd } = await shop(t);
    const omit = mode === 'replace' ? ['--omit', 'note'] : [];
    assertRan(await copy(['new.csv', '--mode', mode, ...omit, '--no-swap']), 0, /sluice swap 1/);
    assert.deepEqual(await rowsOf(database), BEFORE);
    const status = (await command(['status', '1'])).stdout;
    assert.match(status, /staged[\s\S]*new\.csv[\s\S]*into=public\.orders; mode=[\s\S]*next: sluice swap 1/);
    rmSync(join(cwd, 'new.csv'));
    assertRan(await command(['swap', '1', '--yes']), 0, /published/);
    assert.deepEqual(await rowsOf(database), mode === 'replace' ? AFTER.slice(2) : AFTER);
    assertRan(await command(['rollback', '1', '--yes']), 0);
    assert.deepEqual(await rowsOf(database), BEFORE);
  });
}

test('a column that is added between load and swap is refused with the flag to use', async (t) => {
  const { database, command, copy } = await shop(t);
  assertRan(await copy(['new.csv', '--mode', 'replace', '--omit', 'note', '--no-swap']), 0);
  await database.query('ALTER TABLE orders ADD added text');
  assertRan(await command(['swap', '1', '--yes']), 3, /--omit note,added/);
});

test('writes to the table during the load of a replace are not lost', async (t) => {
  const { database, command, copy } = await shop(t);
  assertRan(await copy(['new.csv', '--mode', 'replace', '--omit', 'note', '--no-swap']), 0);
  await database.query("INSERT INTO orders VALUES (9, 'late', 9)");
  const swap = await command(['swap', '1', '--yes']);
  assert.notEqual(swap.code, 0, swap.stderr);
  assert.deepEqual(await rowsOf(database), [...BEFORE, '(9,late,9.00,none)']);
});

test('rows come from stdin and from a pipe with a name, packed or not', async (t) => {
  const { database, copy, cwd } = await shop(t, { 'a.csv.gz': gzipSync(FILE) });
  const lines = '{"id": 3, "customer": "Joan", "total": 30}\n{"id": 4, "customer": "Lee, A."}\n';
  const again = () => database.query('DELETE FROM orders WHERE id > 2');
  for (const [stdin, flags] of [
    [gzipSync(FILE), []],
    [FILE.replaceAll('customer', 'Kunde'), ['--map', 'Kunde=customer']],
    [lines, ['--format', 'jsonl']],
    [`{"data": {"items": [${lines.trim().replace('\n', ',')}]}}`, ['--at', 'data.items']],
  ] as const) {
    assertRan(await copy(['-', ...flags], stdin), 0, /input file\s+stdin/);
    assert.deepEqual(await rowsOf(database), AFTER);
    await again();
  }
  const kinds = await database.query('SELECT source FROM sluice.migration_batch ORDER BY id');
  assert.deepEqual(
    kinds.map(({ source }) => source),
    ['csv', 'csv', 'json', 'json'],
  );
  // As `sluice copy <(zcat …)` does it.
  execFileSync('mkfifo', [join(cwd, 'fifo')]);
  const writer = spawn('sh', ['-c', 'cat a.csv.gz > fifo'], { cwd });
  assertRan(await copy(['fifo']), 0);
  assert.equal(writer.exitCode, 0);
  assert.deepEqual(await rowsOf(database), AFTER);
});

test('rejects and skipped lines of the first rows of stdin are counted once', async (t) => {
  const { copy } = await shop(t);
  const ran = await copy(['-', '--max-rejects', '9', '--json'], 'id,customer\n\n3,Joan\nbroken"\n4,Lee\n');
  assert.equal(ran.code, 4, ran.stderr);
  const { read, rejected, skipped, loaded } = JSON.parse(ran.stdout);
  assert.deepEqual([read, rejected, skipped, loaded], [4, 1, 1, { 'public.orders': 2 }]);
});

long('keys that only later JSON rows have are loaded where that is safe, and else rejects', async (t) => {
  const many = Array.from({ length: 20_000 }, (_, at) => ({ id: at + 10, customer: 'c' }));
  const late = [...many, { id: 5, customer: 'late', total: 5 }, { id: 6, customer: 'x', weather: 'sun' }];
  const { database, copy } = await shop(t, {
    'late.jsonl': late.map((row) => JSON.stringify(row)).join('\n'),
  });
  assertRan(await copy(['late.jsonl']), 3, /1 of 20002 rows was rejected/, /--skip-columns weather/);
  assertRan(await copy(['late.jsonl', '--skip-columns', 'weather']), 0);
  assert.deepEqual(await database.query('SELECT total::text FROM orders WHERE id = 5'), [{ total: '5.00' }]);
  const merge = await copy(['late.jsonl', '--skip-columns', 'weather', '--mode', 'merge']);
  assertRan(merge, 3, /line 20001/, /--columns id,customer,total/);
});

test('several files of the same columns go into one table, in one batch', async (t) => {
  const { database, copy } = await shop(t, {
    'a.csv': 'id,customer\n3,Joan\n',
    'b.jsonl': '{"customer": "Lee", "id": 4}\n',
    'c.csv': 'ID,Customer\n5,Ann\n',
    'other.csv': 'id,customer,total\n6,Eve,1\n',
  });
  assertRan(await copy(['a.csv', 'other.csv']), 2, /same columns as a\.csv/, /besides total/);
  const files = ['a.csv', 'c.csv', '-'];
  const ran = await copy([...files, '--jobs', '3', '--json'], 'id,customer\n7,Kay\n');
  assertRan(ran, 0);
  assert.deepEqual(JSON.parse(ran.stdout).loaded, { 'public.orders': 3 });
  assert.deepEqual((await rowsOf(database)).slice(2), ['(3,Joan,,none)', '(5,Ann,,none)', '(7,Kay,,none)']);
});

test('--create proposes types, creates the table, and loads it', async (t) => {
  const { database, command } = await shop(t, {
    'people.csv':
      'Id,Name,Zip,Born,Sex,Seen\n1,Ada,01234,1815-12-10,F,2026-01-02 03:04:05\n2,Grace,99999,1906-12-09,F,\n',
  });
  const args = ['copy', 'people.csv', '--into', 'people', '--create', '--key', 'id'];
  assertRan(await command(args), 2, /"zip" text/, /--yes/);
  assertRan(await command([...args, '--dry-run']), 0, /nothing was written/);
  assertRan(
    await command([...args, '--rehearse', '--yes']),
    0,
    /dropped again, since nothing is published: public\.people/,
  );
  assert.deepEqual(await database.query("SELECT FROM pg_class WHERE relname = 'people'"), []);
  assertRan(await command([...args, '--yes']), 0);
  const columns = await database.query<{ is: string }>(
    `SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END AS is
     FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY attnum`,
  );
  assert.deepEqual(
    columns.map(({ is }) => is),
    [
      'id integer not null',
      'name text',
      'zip text',
      'born date',
      'sex text',
      'seen timestamp without time zone',
    ],
  );
  assert.equal((await rowsOf(database, 'people')).length, 2);
  assertRan(
    await command([...args, '--yes']),
    3,
    /is there already/,
    /no row of public\.people has \(constraint people_pkey\)/,
  );
});

test('a table that --create made is dropped again when the copy comes to nothing', async (t) => {
  const { database, command } = await shop(t, { 'bad.csv': 'id,name\n1,Ada\n2,nul\0\n' });
  const args = ['copy', 'bad.csv', '--into', 'people', '--create', '--yes'];
  assertRan(
    await command(args),
    3,
    /proposed from the whole input, 2 rows/,
    /line 3: name is "nul/,
    /dropped again, since nothing is published: public\.people/,
  );
  assert.deepEqual(await database.query("SELECT FROM pg_class WHERE relname = 'people'"), []);
  assertRan(await command([...args, '--no-swap', '--max-rejects', '1']), 0, /sluice swap/);
  assertRan(await command(['swap', '2', '--yes']), 4);
  assert.deepEqual(await rowsOf(database, 'people'), ['(1,Ada)']);
  assertRan(
    await command(['rollback', '2', '--yes']),
    0,
    /dropped, since this batch had made them: public\.people/,
  );
  assert.deepEqual(await database.query("SELECT FROM pg_class WHERE relname = 'people'"), []);
});

test('corrected rejects of a copy that came to nothing create its table anew', async (t) => {
  const { cwd, database, command } = await shop(t, { 'new.csv': 'id,flag\n1,t\n,f\n' });
  const args = ['--into', 'people', '--create', '--key', 'id', '--yes'];
  assertRan(await command(['copy', 'new.csv', ...args]), 3, /dropped again/);
  const rejects = (await command(['rejects', '1', '--format', 'csv'])).stdout;
  writeFileSync(join(cwd, 'fixed.csv'), rejects.replace(/^,f/m, '2,f'));
  const fed = await command(['copy', 'fixed.csv', '--only-rejects-of', '1', '--into', 'people', '--yes']);
  assertRan(fed, 0, /"flag" boolean/, /made, since they were missing: public\.people/);
  assert.deepEqual(await rowsOf(database, 'people'), ['(1,t)', '(2,f)']);
});

test('a corrected reject is not changed either by a type that was proposed', async (t) => {
  const { cwd, database, command } = await shop(t, { 'new.csv': 'id,flag,name\n1,t,Ada\n,f,Bob\n' });
  const create = [
    'copy',
    'new.csv',
    '--into',
    'people',
    '--create',
    '--key',
    'id',
    '--max-rejects',
    '1',
    '--yes',
  ];
  assertRan(await command(create), 4, /"flag" boolean/);
  const rejects = (await command(['rejects', '1', '--format', 'csv'])).stdout;
  const resubmit = async (row: string) => {
    writeFileSync(join(cwd, 'fixed.csv'), rejects.replace(/^,f,Bob/m, row));
    return command(['copy', 'fixed.csv', '--into', 'people', '--only-rejects-of', '1', '--yes']);
  };
  assertRan(await resubmit('2,F,Bob'), 3, /flag is "F"; expected: t or f/);
  assertRan(await resubmit('2,f,Bob'), 0);
  assert.deepEqual(await rowsOf(database, 'people'), ['(1,t,Ada)', '(2,f,Bob)']);
});

test('a table that --create made stays where the copy can go on after a lost connection', async (t) => {
  const { database, command, copy } = await shop(t, { 'new.csv': FILE, 'people.csv': 'id,name\n1,Ada\n' });
  assertRan(await copy(['new.csv']), 0);
  // The ledger is there by now, and is made to end the next session that is done with its load.
  await database.query(`
    CREATE SEQUENCE times;
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.phase = 'prepare' THEN
        IF nextval('public.times') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid(), 5000); END IF;
      END IF;
      RETURN NEW; END $$;
    CREATE TRIGGER die BEFORE UPDATE ON sluice.migration_batch FOR EACH ROW EXECUTE FUNCTION die()`);
  const broken = await command(['copy', 'people.csv', '--into', 'people', '--create', '--yes']);
  assertRan(broken, 1, /connection .*lost/, /made for this batch, and kept for it to go on: public\.people/);
  const goOn = /next: +sluice (copy .* --resume 2)/.exec(broken.stderr)?.[1];
  assert.ok(goOn !== undefined, broken.stderr);
  assertRan(await command([...goOn.split(' '), '--yes']), 0);
  assert.deepEqual(await rowsOf(database, 'people'), ['(1,Ada)']);
});

/** The commands that one suggests, as a shell has their words; the database is the test's own. */
function suggested(ran: Ran): string[][] {
  const lines = ran.stderr
    .split('\n')
    .flatMap((line) => /sluice (copy .*?)(?: {3}\(|$)/.exec(line)?.[1] ?? []);
  return lines.map((line) => {
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`])
      .toString()
      .split('\0')
      .slice(0, -1);
    const at = words.indexOf('--database-url');
    return at < 0 ? words : words.toSpliced(at, 2);
  });
}

long(
  'columns without a name of their own are mapped, skipped or named anew, as the advice says',
  async (t) => {
    const { database, command } = await shop(t, {
      'pandas.csv': ',name,note\n0,ann,x\n1,bob,y\n',
      'trail.csv': 'idx,name,\n0,ann,\n1,bob,\n',
      'twice.csv': 'name,idx,name\nann,0,a\nbob,1,b\n',
      'foreign.csv': 'Nr,Name,Notiz\n0,ann,x\n1,bob,y\n',
    });
    await database.query('CREATE TABLE people (idx text, name text, note text)');
    const run = async (words: readonly string[] | undefined) => {
      await database.query('TRUNCATE people');
      const ran = await command(words ?? []);
      return { ran, rows: await rowsOf(database, 'people') };
    };
    const copy = (...args: string[]) => run(['copy', ...args, '--into', 'people', '--yes']);
    const pandas = ['(0,ann,x)', '(1,bob,y)'];
    const unnamed = (await copy('pandas.csv')).ran;
    assertRan(unnamed, 2, /column 1 has no name in the header/, /did you mean idx\?/);
    const [map, skip] = suggested(unnamed);
    assert.deepEqual((await run(map)).rows, pandas);
    assert.deepEqual((await run(skip)).rows, ['(,ann,x)', '(,bob,y)']);
    assertRan((await copy('pandas.csv', '--skip-columns', '""')).ran, 2, /--skip-columns '#1'/);

    const trailing = (await copy('trail.csv')).ran;
    assertRan(trailing, 2, /column 3 has no name/);
    assert.deepEqual((await run(suggested(trailing)[1])).rows, ['(0,ann,)', '(1,bob,)']);

    const twice = (await copy('twice.csv')).ran;
    assertRan(twice, 2, /"name" stands 2 times in the header, in columns 1, 3/);
    const [first, second] = suggested(twice);
    assert.deepEqual((await run(first)).rows, ['(0,ann,)', '(1,bob,)']);
    assert.deepEqual((await run(second)).rows, ['(0,a,)', '(1,b,)']);

    // The header is never a row, unless that is said.
    const columns = ['--columns', 'idx,name,note'];
    const header = await copy('pandas.csv', ...columns);
    assertRan(header.ran, 2, /the first line of pandas\.csv is a header: it holds "name"/);
    assert.deepEqual(header.rows, []);
    const [anew, asRow] = suggested(header.ran);
    assert.deepEqual((await run(anew)).rows, pandas);
    assert.deepEqual((await run(asRow)).rows, ['(,name,note)', ...pandas]);
    assert.deepEqual((await copy('foreign.csv', ...columns, '--header')).rows, pandas);
    assert.deepEqual((await copy('foreign.csv', '--map', '#1=idx', '--map', '#3=note')).rows, pandas);
  },
);

test('--create asks for the name of a column that has none, and takes it by position', async (t) => {
  const { database, command } = await shop(t, { 'pandas.csv': ',name,name\n0,ann,x\n' });
  const unnamed = await command(['copy', 'pandas.csv', '--into', 'people', '--create', '--yes']);
  assertRan(unnamed, 2, /column 1 has no name in the header/);
  const named = await command(suggested(unnamed)[0] ?? []);
  assertRan(named, 0, /"column_1" integer/, /"name_2" text/, /"name_3" text/);
  assert.deepEqual(await rowsOf(database, 'people'), ['(0,ann,x)']);
});

test('rows that are not UTF-8 are offered to be read in another encoding', async (t) => {
  const { database, command } = await shop(t, {
    'latin.csv': Buffer.from('id,customer\n7,Zo\xeb\n8,Ann\n', 'latin1'),
  });
  const rejected = await command(['copy', 'latin.csv', '--into', 'orders', '--yes']);
  assertRan(
    rejected,
    3,
    /invalid_utf8: 1/,
    /if it is not UTF-8, name its encoding, such as: sluice copy latin\.csv/,
  );
  const named = suggested(rejected).find((words) => words.includes('--encoding'));
  assertRan(await command(named ?? []), 0);
  const [row] = await database.query('SELECT customer FROM orders WHERE id = 7');
  assert.deepEqual(row, { customer: 'Zoë' });
});

test('--create asks for names where PostgreSQL can have none of the file’s, all at once', async (t) => {
  const asked = 'Have you, in the last twelve months, seen any of the following films?';
  const { database, command } = await shop(t, {
    'survey.csv': `id,xmin,"${asked}",\n1,2,yes,x\n`,
    'survey.jsonl': `${JSON.stringify({ id: 1, ctid: 2, [asked]: 'yes' })}\n`,
  });
  const create = (file: string) => ['copy', file, '--into', file.replace('.', '_'), '--create', '--yes'];
  const csv = await command(create('survey.csv'));
  assertRan(
    csv,
    2,
    /column 2 cannot keep its name in the new table: every table has a hidden column of that name/,
  );
  assertRan(
    await command(suggested(csv)[0] ?? []),
    0,
    /"xmin_2" integer/,
    /"have_you_in_the_last_twelve_months_seen_3"/,
    /"column_4"/,
  );
  assert.deepEqual(await rowsOf(database, 'survey_csv'), ['(1,2,yes,x)']);

  const json = await command(create('survey.jsonl'));
  assertRan(json, 2, /the key "ctid" cannot be the name of a column in the new table/);
  assertRan(await command(suggested(json)[0] ?? []), 0, /"ctid_2" integer/);
  assert.deepEqual(await rowsOf(database, 'survey_jsonl'), ['(1,2,yes)']);

  // What the command itself names is corrected where it is named.
  const flags = ['--map', `ctid=${'n'.repeat(64)}`, '--skip-columns', `"${asked}"`];
  const mapped = await command(['copy', 'survey.jsonl', '--into', 'other', '--create', '--yes', ...flags]);
  assertRan(mapped, 2, /--map: "n+" cannot be a name in PostgreSQL: it has 64 bytes/);
  const into = await command(['copy', 'survey.csv', '--into', 't'.repeat(64), '--create', '--yes']);
  assertRan(into, 2, /--into: .* it has 64 bytes, and PostgreSQL allows 63/, /give another name \(--into\)/);
});

test('--create says it where a table of PostgreSQL cannot have so many columns', async (t) => {
  const cells = Array.from({ length: 1601 }, (_, i) => `c${i}`).join();
  const { command } = await shop(t, { 'wide.csv': `${cells}\n${cells}\n` });
  const wide = await command(['copy', 'wide.csv', '--into', 'wide', '--create', '--yes']);
  assertRan(wide, 2, /wide would have 1601 columns, and no table of PostgreSQL has more than 1600/);
});

long('JSON on stdin is known by its first bytes, and told apart from what holds the rows', async (t) => {
  const { database, command, copy } = await shop(t);
  const rows = [
    { id: 3, customer: 'Joan', total: 30 },
    { id: 4, customer: 'Lee, A.' },
  ];
  const again = () => database.query('DELETE FROM orders WHERE id > 2');
  const lines = rows.map((row) => JSON.stringify(row));
  for (const text of [
    lines.join('\n'),
    lines.join(''),
    JSON.stringify(rows, null, 2),
    gzipSync(lines.join('\n')),
  ]) {
    assertRan(await copy(['-'], text), 0);
    assert.deepEqual(await rowsOf(database), AFTER);
    await again();
  }
  const wrapped = JSON.stringify({ page: 1, items: rows }, null, 2);
  const told = await copy(['-'], wrapped);
  assertRan(told, 2, /stdin is one JSON object/);
  assertRan(await command(suggested(told)[0] ?? [], wrapped), 0);
  assert.deepEqual(await rowsOf(database), AFTER);
  const kinds = await database.query('SELECT DISTINCT source FROM sluice.migration_batch');
  assert.deepEqual(kinds, [{ source: 'json' }]);
});

test('--create refuses stdin, a schema that is not there, and names that no table can have', async (t) => {
  const { command } = await shop(t, {
    'a.csv': 'a,A\n1,2\n',
    'b.csv': `${'x'.repeat(64)}\n1\n`,
    'c.csv': 'a\n1\n',
  });
  const create = (file: string, into: string) =>
    command(['copy', file, '--into', into, '--create', '--yes'], 'a\n1\n');
  assertRan(await create('-', 'new'), 2, /twice/, /save it to a file/);
  assertRan(await create('c.csv', 'nowhere.new'), 2, /no schema nowhere/, /CREATE SCHEMA/);
  assertRan(await create('a.csv', 'new'), 2, /both "a" and "A"/);
  assertRan(await create('b.csv', 'new'), 2, /PostgreSQL allows 63/, /--map '#1=/);
});
