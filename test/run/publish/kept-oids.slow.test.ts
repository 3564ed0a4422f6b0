import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surveyReplace } from '../../../sinks/publish/replace/survey.js';
import { merge, replace } from '../../../src/core/target.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads, rowsAfter } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { testRole } from '../../support/role.js';
import { thrown } from '../../support/thrown.js';

const ROWS = [
  { id: '1', n: 'one' },
  { id: '2', n: 'changed' },
];
const TABLE = "CREATE TABLE t (id int PRIMARY KEY, n text); INSERT INTO t VALUES (1, 'one'), (2, 'two')";

/** Every place in which a row of `kept` names the table, a part of it, or none of it. */
const KEPT = `
  CREATE SCHEMA audit; CREATE DOMAIN audit.entity AS regclass; CREATE DOMAIN audit."Some" AS oid[];
  CREATE TABLE audit.kept (a regclass PRIMARY KEY, b oid, c regtype, d audit.entity, e regclass[], f audit."Some", g regtype[], i regclass, n text);
  INSERT INTO audit.kept VALUES ('t', 't'::regclass, 't', 't', ARRAY['t', 'pg_class']::regclass[], ARRAY['t'::regclass::oid], ARRAY['t', 't[]']::regtype[], 't_pkey', 'ours'),
    ('pg_class', 1, 'int', NULL, NULL, NULL, '{}', NULL, 'another')`;
const NAMES = `SELECT a, b::regclass AS b, c, d, e::text, f::regclass[]::text AS f, g::text, i FROM audit.kept ORDER BY n DESC`;

test('rows that keep the OID of a table refuse its replacement, each column by name, and nothing of a merge', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${TABLE}; ${KEPT}`);
  const on = engine(t, database);
  const error = await thrown(on.run(loads({ x: [replace('t'), ROWS] })));
  assert.equal(error.kind, 'refused');
  const said = [error.message, ...(error.facts.details ?? [])].join('\n');
  for (const column of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'i'])
    assert.match(said, new RegExp(`audit\\.kept\\.${column}: `));
  assert.match([error.facts.next].flat().join('\n'), /--rewrite-oids/);
  const target = merge('t', { columns: ['id', 'n'], key: ['id'] });
  const { summary } = await on.run(loads({ x: [target, ROWS] }));
  assert.equal(summary.status, 'completed');
});

long(
  'kept OIDs are rewritten in the publish where that is asked for, and rewritten back by the rollback',
  async (t) => {
    const database = await testDatabase(t);
    await database.query(`${TABLE}; ${KEPT}`);
    const before = await database.query(NAMES);
    const on = engine(t, database);
    const { summary } = await on.run(loads({ x: [replace('t', { rewriteOids: true }), ROWS] }));
    assert.deepEqual(await database.query(NAMES), before);
    assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), [{ n: 'one' }, { n: 'changed' }]);
    await rollbackBatch(summary.batch as string, { database: on.database, log: on.log });
    assert.deepEqual(await database.query(NAMES), before);
    assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), [{ n: 'one' }, { n: 'two' }]);
  },
);

long('a row that comes to keep the OID during the load refuses the publish', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${TABLE}; CREATE TABLE kept (r regclass)`);
  const source = rowsAfter(ROWS, () => database.query("INSERT INTO kept VALUES ('t')"));
  const error = await thrown(engine(t, database).run(loads({ x: [replace('t'), source] })));
  assert.match(error.message, /public\.kept\.r/);
  assert.deepEqual(await database.query('SELECT r FROM kept'), [{ r: 't' }]);
});

long('what comes to keep the OID after the publish is rolled back only on demand', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${TABLE}; CREATE TABLE kept (r regclass)`);
  const on = engine(t, database);
  const { summary } = await on.run(loads({ x: [replace('t'), ROWS] }));
  await database.query("INSERT INTO kept VALUES ('t')");
  const options = { database: on.database, log: on.log };
  await assert.rejects(rollbackBatch(summary.batch as string, options), /public\.kept\.r/);
  await rollbackBatch(summary.batch as string, { ...options, rewriteOids: true });
  assert.deepEqual(await database.query('SELECT r FROM kept'), [{ r: 't' }]);
});

test('a column that the role may not read is named in a warning', async (t) => {
  const database = await testDatabase(t);
  const role = await testRole(t);
  await database.query(`
    CREATE TABLE kept (r regclass, n int); CREATE TABLE hidden (r regclass); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
    CREATE TABLE open (r oid); GRANT SELECT (n) ON kept TO ${role}; GRANT SELECT ON open, hidden TO ${role};
    CREATE SCHEMA own AUTHORIZATION ${role}; GRANT CREATE ON DATABASE ${database.name} TO ${role};
    SET ROLE ${role}; CREATE TABLE own.t (id int PRIMARY KEY); RESET ROLE`);
  const client = await database.connect();
  await client.query(`SET SESSION AUTHORIZATION ${role}`);
  const { keptOids, refusals } = await surveyReplace(client, [{ schema: 'own', table: 't' }]);
  assert.deepEqual(refusals, []);
  assert.deepEqual(keptOids.unread, [
    'public.hidden.r, which the role may not read',
    'public.kept.r, which the role may not read',
  ]);
  assert.deepEqual(
    keptOids.columns.map(({ table }) => table),
    ['open'],
  );
});
