import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { append, merge, patch, replace, type Target } from '../../../src/core/target.js';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { swapBatch } from '../../../src/run/swap.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { type Engine, engine, loads, rowsAfter } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { thrown } from '../../support/thrown.js';

const ROWS = [
  { id: '1', n: 'one' },
  { id: '2', n: 'changed' },
];
const TABLE = (name: string) =>
  `CREATE TABLE ${name} (id int PRIMARY KEY, n text); INSERT INTO ${name} VALUES (1, 'one'), (2, 'two')`;

/** The error of a run into `target` while whose rows are read `ddl` is run. */
async function altered(
  on: Engine,
  database: TestDatabase,
  target: Target,
  ddl: string,
): Promise<SluiceError> {
  const source = rowsAfter(ROWS, () => database.query(ddl));
  const error = await thrown(on.run(loads({ x: [target, source] })), ddl);
  return error;
}

const steps = (error: SluiceError) => [error.facts.next ?? []].flat().map(String);

test('what would be refused before a load is refused in the same words where it comes during the load', async (t) => {
  const database = await testDatabase(t);
  const on = engine(t, database);
  const cases: readonly [table: string, ddl: string, said: RegExp][] = [
    ['published', 'CREATE PUBLICATION p FOR TABLE published', /is published by p/],
    ['read', 'CREATE MATERIALIZED VIEW m AS SELECT max(n) AS x FROM read', /m: it reads the table directly/],
    [
      'returned',
      "CREATE FUNCTION f() RETURNS SETOF returned LANGUAGE sql AS 'SELECT * FROM returned'",
      /row type/,
    ],
    [
      'heir',
      'CREATE TABLE parent (id int NOT NULL, n text); ALTER TABLE heir INHERIT parent',
      /inherits from public.parent/,
    ],
  ];
  for (const [table, ddl, said] of cases) {
    await database.query(TABLE(table));
    const during = await altered(on, database, replace(table), ddl);
    assert.match(during.message, said);
    assert.match(during.facts.state ?? '', /nothing was published.*is staged/);
    const before = await thrown(on.run(loads({ x: [replace(table), ROWS] })));
    assert.deepEqual([during.code, during.kind, during.message], [before.code, before.kind, before.message]);
    assert.deepEqual(await database.query(`SELECT n FROM ${table} ORDER BY id`), [
      { n: 'one' },
      { n: 'two' },
    ]);
  }
});

test('a load whose table cannot be replaced for the moment is staged, and swapped in once that is taken back', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE('t'));
  const on = engine(t, database);
  const error = await altered(on, database, replace('t'), 'CREATE PUBLICATION p FOR TABLE t');
  assert.match(steps(error).at(-1) ?? '', /swap 1/);
  await database.query('DROP PUBLICATION p');
  await on.database.close();
  const again = engine(t, database);
  const { status } = await swapBatch(
    loads({ x: [replace('t'), ROWS] }),
    await findBatch(again.database, '1'),
    {
      database: again.database,
      log: again.log,
    },
  );
  assert.equal(status, 'completed');
  assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), [{ n: 'one' }, { n: 'changed' }]);
});

long('columns that change during a load are told, in every mode, and nothing is left behind', async (t) => {
  const database = await testDatabase(t);
  const on = engine(t, database);
  const columns = ['id', 'n'] as const;
  const modes: readonly (readonly [string, (table: string) => Target])[] = [
    ['replace', (table) => replace(table)],
    ['append', (table) => append(table, { columns })],
    ['merge', (table) => merge(table, { columns, key: ['id'] })],
    ['patch', (table) => patch(table, { columns, key: ['id'] })],
  ];
  const ddl: readonly [what: string, sql: string, said: RegExp][] = [
    ['added', 'ADD z int', /live has \(id, n, z\), staging \(id, n\)/],
    ['dropped', 'DROP n', /live has \(id\), staging \(id, n\)/],
    ['renamed', 'RENAME n TO m', /live has \(id, m\), staging \(id, n\)/],
    [
      'retyped',
      'ALTER n TYPE varchar(80)',
      /column n: type is character varying\(80\) in live, text in staging/,
    ],
  ];
  for (const [mode, target] of modes) {
    for (const [what, sql, said] of ddl) {
      const table = `${mode}_${what}`;
      await database.query(TABLE(table));
      const error = await altered(on, database, target(table), `ALTER TABLE ${table} ${sql}`);
      assert.equal(error.code, 'shape', `${table}: ${error.message}`);
      assert.match(error.message, said);
    }
  }
  const left = await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'");
  assert.deepEqual(left, []);
});

long('a new owner, and what needs no new load, is taken over', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE('t'));
  const ddl = 'ALTER TABLE t OWNER TO pg_database_owner; CREATE INDEX t_n ON t (n)';
  const source = rowsAfter(ROWS, () => database.query(ddl));
  await engine(t, database).run(loads({ x: [replace('t'), source] }));
  const [owner] = await database.query<{ name: string; n: string }>(
    "SELECT pg_get_userbyid(relowner) AS name, (SELECT count(*) FROM pg_index WHERE indrelid = c.oid) AS n FROM pg_class c WHERE oid = 't'::regclass",
  );
  assert.deepEqual(owner, { name: 'pg_database_owner', n: '2' });
});

/** Has `ddl` run each time that a publish is about to begin, behind the last survey. */
function beforeWindow({ database }: Engine, ddl: () => Promise<unknown>): void {
  const connect = database.connect.bind(database);
  database.connect = async (purpose, ...more) => {
    if (/publish$/.test(purpose)) await ddl();
    return connect(purpose, ...more);
  };
}

test('DDL between the last survey and the window stops it, says what was altered, and keeps the load', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE('t'));
  const on = engine(t, database);
  let n = 0;
  beforeWindow(on, () => database.query(`CREATE INDEX t_${++n} ON t (n)`));
  const busy = await thrown(on.run(loads({ x: [replace('t'), ROWS] })));
  assert.equal(busy.code, 'catalog_changed');
  assert.deepEqual(busy.facts.details, ['public.t: index t_3 is new']);
  assert.match(on.warnings.join('\n'), /public\.t: index t_1 is new/);
  assert.match(busy.facts.state ?? '', /is staged/);
});

long('what refuses a table behind the last survey is told as it is before the load', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE('t'));
  const on = engine(t, database);
  let times = 0;
  beforeWindow(on, async () => times++ === 0 && database.query('CREATE PUBLICATION p FOR ALL TABLES'));
  const error = await thrown(on.run(loads({ x: [replace('t'), ROWS] })));
  assert.match(error.message, /public\.t cannot be replaced: the table is published by p/);
  assert.match(error.facts.state ?? '', /is staged/);
});
