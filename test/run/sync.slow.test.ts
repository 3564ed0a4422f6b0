import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Row } from '../../src/core/row.js';
import { sync } from '../../src/core/target.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { type Engine, engine, loads } from '../support/engine.js';
import { catalog, leftSchemas } from '../support/lots.js';
import { thrown } from '../support/thrown.js';
import { checksums } from '../support/window.js';

const STAFF = {
  columns: ['id', 'code', 'boss', 'pay'] as const,
  key: ['id'] as const,
};

/** People with bosses among them, and everything that hangs on a table: what a swap could not move is among it. */
const TABLES = `
CREATE TABLE staff (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  boss int REFERENCES staff,
  pay numeric(8,2) CHECK (pay > 0),
  yearly numeric GENERATED ALWAYS AS (pay * 12) STORED,
  touched int NOT NULL DEFAULT 0,
  note text DEFAULT 'new'
);
CREATE TABLE log (what text, who int);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO log VALUES (TG_OP, coalesce(NEW.id, OLD.id)); RETURN NULL; END';
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END';
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON staff FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER counted BEFORE UPDATE ON staff FOR EACH ROW EXECUTE FUNCTION counted();
CREATE FUNCTION paid(s staff) RETURNS numeric LANGUAGE sql AS 'SELECT s.pay';
CREATE VIEW whole AS SELECT s FROM staff s;
CREATE PUBLICATION followed FOR TABLE staff;
CREATE TABLE badges (id int PRIMARY KEY, staff int REFERENCES staff ON DELETE CASCADE);
CREATE TABLE desks (id int PRIMARY KEY, staff int REFERENCES staff ON DELETE SET NULL);
CREATE TABLE keys (id int PRIMARY KEY, staff int REFERENCES staff ON DELETE RESTRICT);
INSERT INTO staff (code, boss, pay) VALUES ('a', NULL, 10), ('b', 1, 20.0), ('c', 2, 30), ('d', 3, 40), ('e', 1, 50);
INSERT INTO badges VALUES (1, 1);
INSERT INTO desks VALUES (1, 2);
INSERT INTO keys VALUES (1, 1);
`;

const LOADED: readonly Row[] = [
  { id: '1', code: 'a', boss: null, pay: '11' },
  { id: '2', code: 'b', boss: '7', pay: '20.00' },
  { id: '5', code: 'e', boss: '1', pay: '50' },
  { id: '7', code: 'g', boss: '1', pay: '70' },
];

const load = (rows: readonly Row[]) => loads({ staff: [sync('staff', STAFF), rows] });

const undo = (on: Engine, batch: unknown) =>
  rollbackBatch(String(batch), { database: on.database, log: on.log });

const said = ({ message, facts }: SluiceError) =>
  [message, ...(facts.details ?? []), ...[facts.next ?? []].flat()].map(String).join('\n');

async function setUp(t: TestContext, sql = TABLES): Promise<{ database: TestDatabase; on: Engine }> {
  const database = await testDatabase(t);
  await database.query(sql);
  return { database, on: engine(t, database) };
}

test('a sync leaves just the loaded rows in the table that there was, and its rollback is exact', async (t) => {
  const { database, on } = await setUp(t);
  const facts = () => catalog(database, false);
  const identity = () => database.query("SELECT 'staff'::regclass::oid, 'staff'::regclass::oid::text AS id");
  const tables = ['staff', 'badges', 'desks', 'keys'] as const;
  const client = await database.connect();
  const before = { facts: await facts(), sums: await checksums(client, ...tables), id: await identity() };

  const rehearsed = await on.run(load(LOADED), { rehearse: true });
  assert.deepEqual([rehearsed.summary.changes.staff?.deleted, rehearsed.summary.status], [2, 'rehearsed']);
  assert.deepEqual(await checksums(client, ...tables), before.sums);

  const { summary } = await on.run(load(LOADED));
  assert.deepEqual(summary.changes.staff, {
    ...{ staged: 4, inserted: 1, updated: 2, unchanged: 1, missing: 0 },
    ...{ suppressed: 0, deleted: 2, deletes_suppressed: 0 },
  });
  assert.deepEqual(
    await database.query(
      'SELECT id, code, boss, pay::text, yearly::text, touched, note FROM staff ORDER BY id',
    ),
    [
      { id: 1, code: 'a', boss: null, pay: '11.00', yearly: '132.00', touched: 1, note: 'new' },
      { id: 2, code: 'b', boss: 7, pay: '20.00', yearly: '240.00', touched: 1, note: 'new' },
      { id: 5, code: 'e', boss: 1, pay: '50.00', yearly: '600.00', touched: 0, note: 'new' },
      { id: 7, code: 'g', boss: 1, pay: '70.00', yearly: '840.00', touched: 0, note: 'new' },
    ],
  );
  assert.deepEqual(await identity(), before.id);
  assert.deepEqual(await database.query('SELECT mode, rows_deleted::int FROM sluice.migration_publish'), [
    { mode: 'sync', rows_deleted: 2 },
  ]);
  assert.equal((await on.run(load(LOADED))).summary.status, 'unchanged');

  await undo(on, summary.batch);
  assert.deepEqual(await checksums(client, ...tables), before.sums);
  assert.deepEqual(await facts(), before.facts);
  // What a new row is numbered goes on from what was loaded.
  assert.deepEqual(await database.query("INSERT INTO staff (code) VALUES ('z') RETURNING id"), [{ id: 8 }]);
});

test('rows that others refer to are not deleted, whatever their foreign key would do; those rows are named', async (t) => {
  const { database, on } = await setUp(t);
  await database.query('UPDATE badges SET staff = 3; UPDATE desks SET staff = 4; UPDATE keys SET staff = 3');
  const client = await database.connect();
  const before = await checksums(client, 'staff', 'badges', 'desks', 'keys');
  const error = await thrown(on.run(load(LOADED)));
  assert.equal(error.code, 'children_refer_to_rows');
  assert.match(said(error), /public\.badges \(badges_staff_fkey, ON DELETE CASCADE\): 1 row/);
  assert.match(said(error), /public\.desks \(desks_staff_fkey, ON DELETE SET NULL\): 1 row/);
  assert.match(said(error), /public\.keys \(keys_staff_fkey, ON DELETE RESTRICT\): 1 row/);
  // Of the table itself only rows that stay count: 4 goes with its boss 3, and 5 would be left without.
  await database.query('DELETE FROM badges; DELETE FROM desks; DELETE FROM keys');
  const orphaned = LOADED.map((row) => (row.id === '5' ? { ...row, boss: '3' } : row));
  const broken = await thrown(on.run(load(orphaned)));
  assert.match(said(broken), /staff_boss_fkey|boss/);
  assert.deepEqual(await checksums(client, 'staff'), { staff: before.staff });
  assert.deepEqual(await leftSchemas(database), []);
});

test('with a rejected row nothing is deleted, which is told; resubmitted corrected, what is gone goes', async (t) => {
  const { database, on } = await setUp(t);
  const bad = LOADED.map((row) => (row.id === '5' ? { ...row, id: 'five' } : row));
  const first = await on.run(load(bad), { maxRejects: { rows: 1 } });
  assert.deepEqual(
    [first.summary.changes.staff?.deleted, first.summary.changes.staff?.inserted, first.summary.rejected],
    [0, 1, 1],
  );
  assert.match(
    on.warnings.join('\n'),
    /public\.staff: 3 rows that the load lacks stay: with rejects a sync deletes/,
  );
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM staff'), [{ n: 6 }]);
  // A row that breaks a constraint is found once all are staged, and counts as well.
  const poor = LOADED.map((row) => (row.id === '5' ? { ...row, pay: '-1' } : row));
  const second = await on.run(load(poor), { maxRejects: { rows: 1 } });
  assert.deepEqual([second.summary.changes.staff?.deleted, second.summary.rejected], [0, 1]);

  const corrected = loads({ staff: [sync('staff', STAFF), bad] });
  const fed = await on.run(corrected, {
    onlyRejectsOf: String(first.summary.batch),
    inputs: {
      staff: loads({ staff: [sync('staff', STAFF), [{ ...LOADED[2], sluice_reject: '1' }]] }).inputs
        .staff as never,
    },
  });
  assert.equal(fed.summary.changes.staff?.deleted, 2);
  assert.deepEqual(await database.query('SELECT array_agg(id ORDER BY id) AS ids FROM staff'), [
    { ids: [1, 2, 5, 7] },
  ]);
});

test('a row that stays because of a reject keeps a new one with its value of another key out', async (t) => {
  const { database, on } = await setUp(t);
  // A boss before those that have him: rows are tried in their order.
  const taken = [
    ...[...LOADED].reverse().map((row) => (row.id === '5' ? { ...row, id: 'five' } : row)),
    { id: '9', code: 'd', boss: '1', pay: '1' },
  ];
  const { summary } = await on.run(load(taken), { maxRejects: { rows: 2 } });
  assert.deepEqual([summary.rejected, summary.changes.staff?.inserted], [2, 1]);
  // Where nothing is rejected, the value passes from the row that goes to the new one, and back again.
  await database.query('ALTER TABLE staff DROP CONSTRAINT staff_boss_fkey');
  const client = await database.connect();
  const before = await checksums(client, 'staff');
  const passed = await on.run(load(taken.map((row) => (row.id === 'five' ? { ...row, id: '5' } : row))));
  assert.deepEqual([passed.summary.changes.staff?.deleted, passed.summary.changes.staff?.inserted], [2, 1]);
  await undo(on, passed.summary.batch);
  assert.deepEqual(await checksums(client, 'staff'), before);
});

test('a key that does not tell live rows apart is refused, before and in the publish', async (t) => {
  const { database, on } = await setUp(
    t,
    "CREATE TABLE loose (code text, v int); INSERT INTO loose VALUES ('a', 1), ('b', 2), ('b', 3), (NULL, 4)",
  );
  const of = loads({
    loose: [
      sync('loose', { columns: ['code', 'v'], key: ['code'] }),
      [
        { code: 'a', v: '1' },
        { code: 'c', v: '5' },
        { code: 'd', v: '6' },
      ],
    ],
  });
  const error = await thrown(on.run(of, { maxShrink: 90 }));
  assert.match(said(error), /2 keys of live are NULL, or stand for more than one row: .*"b"/);
  await database.query('DELETE FROM loose WHERE v > 2');
  const { summary } = await on.run(of);
  assert.deepEqual([summary.changes.loose?.inserted, summary.changes.loose?.deleted], [2, 1]);
});
