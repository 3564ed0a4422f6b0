import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientBase } from 'pg';
import { rowParts } from '../../../../sinks/publish/rows/parts.js';
import type { RowTarget } from '../../../../sinks/publish/rows/target.js';
import { previewUndo } from '../../../../sinks/publish/rows/undo-checks.js';
import { surveyUndo } from '../../../../sinks/publish/rows/undo-survey.js';
import { windowPart } from '../../../../sinks/publish/window.js';
import { readCounts } from '../../../support/counts.js';
import { testDatabase } from '../../../support/database.js';
import { lines, said } from '../../../support/shop.js';
import { checksums, openBatch, publish, runWindow, stage, undo } from '../../../support/window.js';

/** Two tables, and a function that suppresses the row with id 2; for `skip_all` every row. */
const TABLES = `
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t);
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN IF coalesce(NEW.id, OLD.id) = 2 THEN RETURN NULL; END IF; IF TG_OP = ''DELETE'' THEN RETURN OLD; END IF; RETURN NEW; END';
CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN DELETE FROM public.t WHERE id = NEW.id AND id = 2; RETURN NULL; END';
`;

async function tables(t: Parameters<typeof testDatabase>[0], sql: string): Promise<ClientBase> {
  const client = await (await testDatabase(t)).connect();
  await client.query(TABLES + sql);
  return client;
}

const target = (mode: RowTarget['mode'], more: Partial<RowTarget> = {}): RowTarget => ({
  schema: 'public',
  table: 't',
  mode,
  columns: ['id', 'v'],
  ...more,
});

const numbers = async (client: ClientBase, names: { undo: string }) => {
  const [found] = await readCounts(client, names);
  const { staged, inserted, updated, unchanged, missing, suppressed, deleted, deletes_suppressed } =
    found as NonNullable<typeof found>;
  return { staged, inserted, updated, unchanged, missing, suppressed, deleted, deletes_suppressed };
};

const NONE = { inserted: 0, updated: 0, unchanged: 0, missing: 0, deleted: 0, deletes_suppressed: 0 };

test('rows that a BEFORE INSERT trigger suppresses refuse an append, with the trigger, how many, and which', async (t) => {
  const client = await tables(
    t,
    'CREATE TRIGGER no_twos BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION skip(); CREATE TRIGGER off BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION skip(); ALTER TABLE t DISABLE TRIGGER off; CREATE TRIGGER behind AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION skip()',
  );
  const rows = [
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ];
  // A row that refers to a suppressed one: the reason is told, not the foreign key that breaks behind it.
  const child: RowTarget = { schema: 'public', table: 'child', mode: 'append', columns: ['id', 't'] };
  const error = await said(publish(client, 'b1', [target('append'), rows], [child, [['1', '2']]]));
  assert.equal(error.code, 'rows_suppressed');
  assert.equal(
    error.message,
    '1 row of public.t would be left out: suppressed, neither inserted nor updated (trigger no_twos on public.t, which calls public.skip)',
  );
  assert.deepEqual(error.facts.details, ['{"id" : "2"}']);
  assert.deepEqual((await client.query('SELECT FROM t')).rowCount, 0);
  const names = await publish(client, 'b2', [target('append', { allowSuppressed: true }), rows]);
  assert.deepEqual(await numbers(client, names), { ...NONE, staged: 3, inserted: 2, suppressed: 1 });
  await undo(client, names);
  assert.deepEqual((await client.query('SELECT FROM t')).rowCount, 0);
});

test('a table without a key tells how many rows were suppressed, though not which', async (t) => {
  const client = await tables(
    t,
    'CREATE TABLE visits (id int); CREATE TRIGGER s BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION skip()',
  );
  const visits: RowTarget = { schema: 'public', table: 'visits', mode: 'append', columns: ['id'] };
  const rows = [['2'], ['2'], ['1']];
  const error = await said(publish(client, 'b1', [visits, rows]));
  assert.match(error.message, /^2 rows of public\.visits would be left out/);
  assert.deepEqual(error.facts.details, []);
  const names = await publish(client, 'b2', [{ ...visits, allowSuppressed: true }, rows]);
  assert.deepEqual(await numbers(client, names), { ...NONE, staged: 3, inserted: 1, suppressed: 2 });
});

test('updates, inserts and deletes of a merge that triggers suppress are told apart from unchanged rows', async (t) => {
  const client = await tables(
    t,
    `INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
     CREATE TRIGGER s BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION skip()`,
  );
  const before = await checksums(client, 't');
  const changed = [
    ['1', 'a'],
    ['2', 'B'],
    ['3', 'C'],
    ['5', 'e'],
  ];
  const error = await said(publish(client, 'b1', [target('merge'), changed]));
  assert.equal(error.code, 'rows_suppressed');
  assert.equal(lines(error), '{"id" : "2"}');
  const lost = await said(
    publish(client, 'b2', [
      target('sync'),
      [
        ['1', 'a'],
        ['5', 'e'],
      ],
    ]),
  );
  assert.equal(lost.code, 'rows_suppressed');
  assert.equal(
    lost.message,
    '1 row to be deleted from public.t would stay: suppressed (trigger s on public.t, which calls public.skip)',
  );
  assert.equal(lines(lost), '{"id" : "2"}');
  assert.deepEqual(await checksums(client, 't'), before);

  const allowed = await publish(client, 'b3', [target('merge', { allowSuppressed: true }), changed]);
  assert.deepEqual(await numbers(client, allowed), {
    ...{ staged: 4, inserted: 1, updated: 1, unchanged: 1, missing: 0 },
    ...{ suppressed: 1, deleted: 0, deletes_suppressed: 0 },
  });
  const [preview] = await previewUndo(client, await surveyUndo(client, allowed));
  assert.deepEqual([preview?.restored, preview?.removed, preview?.changedSince.count], [1, 1, 0]);
  await undo(client, allowed);
  assert.deepEqual(await checksums(client, 't'), before);

  const kept = await publish(client, 'b4', [target('sync', { allowSuppressed: true }), [['1', 'a']]]);
  assert.deepEqual(await numbers(client, kept), {
    ...NONE,
    ...{ staged: 1, unchanged: 1, suppressed: 0, deleted: 2, deletes_suppressed: 1 },
  });
  // The row that stayed is none of those that the undo puts back.
  await undo(client, kept);
  assert.deepEqual(await checksums(client, 't'), before);
});

test('a patch counts updates that are suppressed apart from keys that are missing', async (t) => {
  const client = await tables(
    t,
    `INSERT INTO t VALUES (1, 'a'), (2, 'b'); CREATE TRIGGER s BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION skip()`,
  );
  const rows = [
    ['1', 'A'],
    ['2', 'B'],
    ['9', 'x'],
  ];
  const error = await said(publish(client, 'b1', [target('patch', { missing: 'skip' }), rows]));
  assert.deepEqual([error.code, lines(error)], ['rows_suppressed', '{"id" : "2"}']);
  const names = await publish(client, 'b2', [
    target('patch', { missing: 'skip', allowSuppressed: true }),
    rows,
  ]);
  assert.deepEqual(await numbers(client, names), {
    ...NONE,
    ...{ staged: 3, updated: 1, missing: 1, suppressed: 1 },
  });
});

test('rows that an AFTER trigger takes away again are suppressed as well', async (t) => {
  const client = await tables(
    t,
    'CREATE TRIGGER later AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION wipe()',
  );
  const rows = [
    ['1', 'a'],
    ['2', 'b'],
  ];
  const error = await said(publish(client, 'b1', [target('append'), rows]));
  assert.equal(
    error.message,
    '1 row of public.t would be written and taken away again (trigger later on public.t, which calls public.wipe)',
  );
  assert.equal(lines(error), '{"id" : "2"}');
  const names = await publish(client, 'b2', [target('append', { allowSuppressed: true }), rows]);
  assert.deepEqual(await numbers(client, names), { ...NONE, staged: 2, inserted: 1, suppressed: 1 });
  await undo(client, names);
});

test('a trigger of a partition is named as well; noTriggers loads past the triggers', async (t) => {
  const client = await tables(
    t,
    `CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
     CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
     CREATE TRIGGER inner_one BEFORE INSERT ON p1 FOR EACH ROW EXECUTE FUNCTION skip();
     CREATE TRIGGER s BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION skip()`,
  );
  const rows = [['2', 'b']];
  const error = await said(publish(client, 'b1', [{ ...target('append'), table: 'p' }, rows]));
  assert.match(error.message, /trigger inner_one on public\.p1, which calls public\.skip/);
  const names = await publish(client, 'b2', [target('merge', { noTriggers: true }), rows]);
  assert.deepEqual(await numbers(client, names), { ...NONE, staged: 1, inserted: 1, suppressed: 0 });
});

test('a trigger that writes keys in another way suppresses nothing', async (t) => {
  const client = await tables(
    t,
    `CREATE TABLE people (email text PRIMARY KEY, n int);
     CREATE FUNCTION lowered() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.email := lower(NEW.email); RETURN NEW; END';
     CREATE TRIGGER lowered BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION lowered()`,
  );
  const names = await publish(client, 'b1', [
    { schema: 'public', table: 'people', mode: 'merge', columns: ['email', 'n'] },
    [['Ann@X', '1']],
  ]);
  assert.deepEqual(await numbers(client, names), { ...NONE, staged: 1, inserted: 1, suppressed: 0 });
});

test('staging that holds another number of rows than it was handed stops the window', async (t) => {
  const client = await tables(t, '');
  const names = await openBatch(client, 'b1');
  const facts = await stage(client, names, [target('append'), [['1', 'a']]]);
  const error = await said(runWindow(client, rowParts([{ facts, names, handed: 2 }])));
  assert.equal(error.code, 'unaccounted_rows');
  assert.match(lines(error), /^handed over by the load: 2\nstaged: 1\ninserted: 1$/m);
  await runWindow(client, rowParts([{ facts, names, handed: 1 }]));
});

test('rows that are none of inserted, updated, unchanged, missing and suppressed stop the window', async (t) => {
  const client = await tables(t, "INSERT INTO t VALUES (1, 'a')");
  const names = await openBatch(client, 'b1');
  const facts = await stage(client, names, [
    target('merge'),
    [
      ['1', 'b'],
      ['2', 'b'],
    ],
  ]);
  const [opening, ...rest] = rowParts([{ facts, names, handed: 2 }]);
  // Between the counting and the writing somebody does away with the image of the row that is to be updated.
  const between = windowPart('b1', { early: ['DELETE FROM b1_undo.t__before'] });
  const error = await said(runWindow(client, [opening as NonNullable<typeof opening>, between, ...rest]));
  assert.equal(error.code, 'unaccounted_rows');
  assert.match(lines(error), /staged: 2\ninserted: 1\nupdated: 0\nunchanged: 0/);
});
