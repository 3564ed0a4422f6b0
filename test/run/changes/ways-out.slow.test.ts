import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Next, Suggestion } from '../../../src/core/next.js';
import { replace, sync, type Target } from '../../../src/core/target.js';
import { checkPipeline } from '../../../src/run/check.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { checksums } from '../../support/window.js';

/** What makes of a table `t` (id, n, v) a kind that a swap cannot replace; more statements undo it where that is the way. */
interface Kind {
  readonly make: string;
  /** Of the sentence that refuses the replace. */
  readonly reason: RegExp;
  /** The other way that is named, and what is done to take it; the replace then goes through. */
  readonly other?: readonly [said: RegExp, ...sql: string[]];
  /** Publishing the differences is not offered, since it would not do or not keep what it promises. */
  readonly noSync?: true;
}

const KEYED = 'CREATE TABLE $ (id int PRIMARY KEY, n text, v int)';
const ROWS = "INSERT INTO $ SELECT i, 'n' || i, i FROM generate_series(1, 5) i";

const KINDS: Record<string, Kind> = {
  partitioned: {
    make: 'CREATE TABLE $ (id int PRIMARY KEY, n text, v int) PARTITION BY RANGE (id); CREATE TABLE $_1 PARTITION OF $ FOR VALUES FROM (0) TO (4); CREATE TABLE $_2 PARTITION OF $ DEFAULT',
    reason: /it is a partitioned table/,
  },
  partition: {
    make: 'CREATE TABLE $_all (id int PRIMARY KEY, n text, v int) PARTITION BY RANGE (id); CREATE TABLE $ PARTITION OF $_all FOR VALUES FROM (0) TO (100)',
    reason: /the table is a partition/,
    other: [/take it out of the whole for the run: (ALTER TABLE .*); replace it; (ALTER TABLE .*)$/m],
  },
  inheriting: {
    make: 'CREATE TABLE $_up (id int, n text); CREATE TABLE $ (v int, PRIMARY KEY (id)) INHERITS ($_up)',
    reason: /inherits from/,
  },
  inherited: {
    make: `${KEYED}; CREATE TABLE $_down (PRIMARY KEY (id)) INHERITS ($)`,
    reason: /inherits from it, and would be left behind/,
    other: [/publish into (?:public\.)?\w+_down itself.*by sync or merge/],
    noSync: true,
  },
  typed: {
    make: 'CREATE TYPE $_type AS (id int, n text, v int); CREATE TABLE $ OF $_type (PRIMARY KEY (id))',
    reason: /the table is typed/,
    other: [/ALTER TABLE … NOT OF/, 'ALTER TABLE $ NOT OF'],
  },
  extension: {
    make: `${KEYED}; CREATE EXTENSION IF NOT EXISTS hstore; ALTER EXTENSION hstore ADD TABLE $`,
    reason: /it belongs to an extension/,
  },
  extension_part: {
    make: `${KEYED}; CREATE INDEX $_v ON $ (v); CREATE EXTENSION IF NOT EXISTS hstore; ALTER INDEX $_v DEPENDS ON EXTENSION hstore`,
    reason: /marked as depending on an extension/,
    other: [/NO DEPENDS ON EXTENSION/, 'ALTER INDEX $_v NO DEPENDS ON EXTENSION hstore'],
  },
  published: {
    make: `${KEYED}; CREATE PUBLICATION $_pub FOR TABLE $`,
    reason: /published by \w+_pub; subscribers/,
    other: [/take it out of the publication/, 'ALTER PUBLICATION $_pub DROP TABLE $'],
  },
  subscribed: {
    make: `${KEYED}; CREATE SUBSCRIPTION $_sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE); INSERT INTO pg_subscription_rel SELECT oid, '$'::regclass, 'r' FROM pg_subscription WHERE subname = '$_sub'`,
    reason: /receives changes from subscription \w+_sub/,
    other: [/drop the subscription/, 'DROP SUBSCRIPTION $_sub'],
    noSync: true,
  },
  row_type: {
    make: `${KEYED}; CREATE FUNCTION $_f($) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    reason: /it uses the table's row type/,
    other: [/use plain columns there, or drop it/, 'DROP FUNCTION $_f'],
  },
  rows_of_it: {
    make: `${KEYED}; CREATE FUNCTION $_f() RETURNS SETOF $ LANGUAGE sql AS 'SELECT * FROM $'`,
    reason: /it uses the table's row type/,
  },
  whole_row_view: { make: `${KEYED}; CREATE VIEW $_v AS SELECT w FROM $ w`, reason: /row type/ },
  whole_row_column: { make: `${KEYED}; CREATE TABLE $_u (x $[])`, reason: /row type/ },
  named_in_an_index: {
    make: `${KEYED}; CREATE TABLE $_u (x oid); CREATE INDEX $_i ON $_u ((x = '$'::regclass))`,
    reason: /it depends on the table's table/,
    other: [/drop it for the run/, 'DROP INDEX $_i'],
  },
  materialized: {
    make: `${KEYED}; CREATE MATERIALIZED VIEW $_m AS SELECT * FROM $`,
    reason: /reads the table directly/,
    other: [/drop it and create it again afterwards/, 'DROP MATERIALIZED VIEW $_m'],
  },
  aggregate: {
    make: `${KEYED}; CREATE FUNCTION $_s(int, $) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE $_a($) (SFUNC = $_s, STYPE = int)`,
    reason: /row type/,
  },
  key_of_a_partitioned: {
    make: `${KEYED}; CREATE TABLE $_u (x int REFERENCES $) PARTITION BY LIST (x)`,
    reason: /the key is on a partitioned table/,
  },
  invalid_index: {
    make: `${KEYED}; CREATE INDEX $_i ON $ (v); UPDATE pg_index SET indisvalid = false WHERE indexrelid = '$_i'::regclass`,
    reason: /the index is invalid/,
    other: [/REINDEX or drop it/, 'REINDEX INDEX $_i'],
  },
  disabled_key: {
    make: `${KEYED}; CREATE TABLE $_u (x int REFERENCES $); ALTER TABLE $ DISABLE TRIGGER ALL`,
    reason: /triggers behind foreign key/,
    other: [/ENABLE TRIGGER ALL/, 'ALTER TABLE $ ENABLE TRIGGER ALL'],
    noSync: true,
  },
  labelled: {
    make: `${KEYED}; INSERT INTO pg_seclabel SELECT '$'::regclass, 'pg_class'::regclass, 0, 'none', 'x'`,
    reason: /a security label is on/,
    other: [/take the label off/, "DELETE FROM pg_seclabel WHERE objoid = '$'::regclass"],
  },
  another_key: {
    make: 'CREATE TABLE $ (id int NOT NULL UNIQUE, n text, v int); CREATE PUBLICATION $_pub FOR TABLE $; ALTER TABLE $ REPLICA IDENTITY FULL',
    reason: /published by/,
  },
  secured: {
    make: `${KEYED}; CREATE PUBLICATION $_pub FOR TABLE $; CREATE RULE $_r AS ON INSERT TO $ DO ALSO NOTHING`,
    reason: /published by/,
    noSync: true,
  },
};

const COLUMNS = ['id', 'n', 'v'] as const;
const GIVEN = [1, 2, 3, 6].map((id) => ({ id: String(id), n: `n${id}`, v: id === 3 ? '33' : String(id) }));

/** The mode and key that a copy is told by the step that publishes the differences. */
function syncIn(next: Next = []): { readonly mode: string; readonly key: string } | undefined {
  const step = [next].flat().find((each) => each instanceof Suggestion);
  if (step?.meant.kind !== 'again') return undefined;
  const { mode, key = 'id' } = step.meant.change.flags ?? {};
  return { mode: String(mode), key: String(key) };
}

test('wherever a replace is refused, the ways out that are named are ways', async (t) => {
  const database = await testDatabase(t);
  // A database with a subscription cannot be dropped.
  await waysOut(t, database).finally(() => database.query('DROP SUBSCRIPTION IF EXISTS subscribed_sub'));
});

async function waysOut(t: TestContext, database: TestDatabase): Promise<void> {
  const on = engine(t, database);
  const client = await database.connect();
  const names = Object.keys(KINDS);
  await database.query('SET allow_system_table_mods = on');
  for (const [table, { make }] of Object.entries(KINDS))
    await database.query(`${make}; ${ROWS}`.replaceAll('$', table));
  const all = (tables: readonly string[], target: (table: string) => Target) =>
    loads(Object.fromEntries(tables.map((table) => [table, [target(table), GIVEN]])));
  const replaced = (tables: readonly string[]) =>
    all(tables, (table) => replace(table, { columns: COLUMNS }));
  const rowsOf = async (tables: readonly string[]) => {
    const rows: Record<string, unknown> = {};
    for (const table of tables)
      rows[table] = await database.query(`SELECT id, n, v FROM ${table} ORDER BY id`);
    return rows;
  };
  const wanted = (tables: readonly string[]) =>
    Object.fromEntries(
      tables.map((table) => [table, GIVEN.map(({ id, n, v }) => ({ id: Number(id), n, v: Number(v) }))]),
    );

  const options = { database: on.database, log: on.log };
  const { findings } = await checkPipeline(replaced(names), options);
  const steps = new Map<string, string>();
  const synced = new Map<string, string>();
  for (const [table, kind] of Object.entries(KINDS)) {
    const found = findings.filter(({ finding }) => finding.message.startsWith(`public.${table} cannot be`));
    assert.match(found.map(({ finding }) => finding.message).join('\n'), kind.reason);
    const next = found.flatMap(({ finding }) => finding.next ?? []);
    steps.set(table, next.map(String).join('\n'));
    const way = syncIn(next);
    assert.equal(way === undefined, kind.noSync === true, `${table}: ${steps.get(table)}`);
    if (way === undefined) continue;
    assert.equal(way.mode, 'sync');
    synced.set(table, way.key);
  }

  const identities = () =>
    database.query('SELECT oid, relname FROM pg_class WHERE relnamespace = 2200 ORDER BY 1');
  const before = [await checksums(client, ...names), await identities()];
  const kept = [...synced.keys()];
  const by = (table: string) => sync(table, { columns: COLUMNS, key: [synced.get(table) as string] });
  const { summary } = await on.run(all(kept, by));
  assert.deepEqual(await rowsOf(kept), wanted(kept));
  await rollbackBatch(String(summary.batch), options);
  assert.deepEqual([await checksums(client, ...names), await identities()], before);

  const attach: string[] = [];
  const freed: string[] = [];
  for (const [table, { other }] of Object.entries(KINDS)) {
    if (other === undefined) continue;
    const [said, ...taken] = other;
    const found = said.exec(steps.get(table) as string);
    assert.ok(found !== null, `${table}: ${steps.get(table)}`);
    const [, detach, back] = found;
    if (back !== undefined) attach.push(back);
    for (const statement of detach === undefined ? taken : [detach])
      await database.query(statement.replaceAll('$', table));
    if (table !== 'inherited') freed.push(table);
  }
  assert.equal((await on.run(replaced(freed))).summary.status, 'completed');
  for (const statement of attach) await database.query(statement);
  const below = sync('inherited_down', { columns: COLUMNS, key: ['id'] });
  await on.run(loads({ down: [below, GIVEN] }), { allowSuppressed: true });
  const changed = [...freed, 'inherited_down'];
  assert.deepEqual(await rowsOf(changed), wanted(changed));
}

test('under a publication of all tables a sync works, with triggers and rejects, and its subscribers are warned of', async (t) => {
  const database = await testDatabase(t);
  const on = engine(t, database);
  await database.query(`${KEYED}; ${ROWS}`.replaceAll('$', 't'));
  await database.query(`
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.v := NEW.v; RETURN NEW; END';
    CREATE TRIGGER f BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
    CREATE PUBLICATION everything FOR ALL TABLES; ALTER TABLE t ADD CHECK (v < 50)`);
  const refused = await checkPipeline(loads({ t: [replace('t', { columns: COLUMNS }), GIVEN] }), {
    database: on.database,
    log: on.log,
  });
  const next = refused.findings.flatMap(({ finding }) => finding.next ?? []);
  assert.equal(syncIn(next), undefined);
  assert.match(next.join(), /make of everything a publication of the tables/);
  const of = loads({
    t: [sync('t', { columns: COLUMNS, key: ['id'] }), [...GIVEN, { id: '7', n: 'x', v: '70' }]],
  });
  const { summary } = await on.run(of, { maxRejects: { rows: 1 } });
  assert.deepEqual([summary.changes.t?.updated, summary.rejected], [1, 1]);
  assert.match(on.warnings.join(), /publication everything is FOR ALL TABLES/);
});
