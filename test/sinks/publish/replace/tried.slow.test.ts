import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import { tryReplace } from '../../../../sinks/publish/replace/tried.js';
import { replace } from '../../../../src/core/target.js';
import { checkPipeline } from '../../../../src/run/check.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../../support/database.js';
import { engine, loads } from '../../../support/engine.js';
import { changed, factsOf } from '../../../support/facts.js';
import { makeFixture, TARGETS } from '../../../support/fixture.js';

const T = { schema: 'public', table: 't' };

async function tried(database: TestDatabase, targets: readonly (typeof T)[] = [T]) {
  const client = await database.connect();
  return tryReplace(client, await surveyReplace(client, targets));
}

test('trying a swap finds nothing against a table with one of everything, and leaves no trace', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await makeFixture(database);
  const before = await factsOf(database);
  assert.deepEqual(await tried(database, TARGETS), { refusals: [] });
  assert.deepEqual(changed(before, await factsOf(database)), []);
  assert.deepEqual(await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice'"), []);
});

for (const [when, command, tags] of [
  ['makes an index', 'CREATE INDEX', "'CREATE INDEX'"],
  ['moves the tables', 'ALTER TABLE', "'ALTER TABLE'"],
] as const)
  test(`what an event trigger forbids as the swap ${when} is known in the check, with its words`, async (t) => {
    const database = await testDatabase(t, { template: EMPTY });
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, x int); CREATE INDEX ON t (x);
      CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF tg_tag = '${command}' AND (tg_tag <> 'ALTER TABLE' OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name ~ '_old$'))
        THEN RAISE EXCEPTION 'not today'; END IF; END $$;
      CREATE EVENT TRIGGER no ON ddl_command_end WHEN TAG IN (${tags}) EXECUTE FUNCTION no()`);
    const { database: own, log } = engine(t, database);
    const { findings } = await checkPipeline(loads({ it: [replace('t'), [{ id: 1, x: 1 }]] }), {
      database: own,
      log,
    });
    const said = findings.map(({ finding }) => `${finding.severity} ${finding.message}`).join('\n');
    assert.match(said, /^error public\.t cannot be replaced: the server refuses .*: not today/);
  });

for (const [who, sql] of [
  ['reads the table', 'SELECT FROM t'],
  ['writes to its parent', 'INSERT INTO p VALUES (9)'],
  ['reads a view on it', 'SELECT FROM v'],
] as const)
  test(`while a session ${who}, the swap is left untried and said so, at once`, async (t) => {
    const database = await testDatabase(t, { template: EMPTY });
    await database.query(
      'CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p); CREATE VIEW v AS SELECT * FROM t',
    );
    const other = await database.connect();
    await other.query(`BEGIN; ${sql}`);
    const { refusals, untried } = await tried(database);
    assert.deepEqual(refusals, []);
    assert.match(untried ?? '', /others hold locks/);
    const waiting = await database.query(
      'SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
    );
    assert.deepEqual(waiting, []);
    await other.query('ROLLBACK');
    assert.deepEqual(await tried(database), { refusals: [] });
  });

test('a server that takes no writes is no reason against the swap', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query('CREATE TABLE t (id int PRIMARY KEY)');
  const client = await database.connect();
  const survey = await surveyReplace(client, [T]);
  await client.query('SET default_transaction_read_only = on');
  const { refusals, untried } = await tryReplace(client, survey);
  assert.deepEqual(refusals, []);
  assert.match(untried ?? '', /read-only transaction/);
});
