import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { merge, replace, type Target } from '../../../src/core/target.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../support/database.js';
import { engine, loads, rowsAfter } from '../../support/engine.js';
import { thrown } from '../../support/thrown.js';

const ROWS = [
  { id: '1', n: 'one' },
  { id: '2', n: 'changed' },
];

/** A database with a table `t` and an event trigger `e` that does `body` to each relation `r` of DDL with `tags`. */
async function withEventTrigger(database: TestDatabase, tags: string, body: string): Promise<void> {
  await database.query(`
    SET client_min_messages = error;
    DROP EVENT TRIGGER IF EXISTS e;
    DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS log; DROP PUBLICATION IF EXISTS p;
    CREATE TABLE t (id int PRIMARY KEY, n text); INSERT INTO t VALUES (1, 'one'), (2, 'two');
    CREATE TABLE log (what text); CREATE PUBLICATION p;
    CREATE OR REPLACE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := upper(NEW.n); RETURN NEW; END $$;
    CREATE OR REPLACE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS $e$ DECLARE r record; BEGIN
      IF pg_trigger_depth() > 0 OR current_setting('e.busy', true) = 'yes' THEN RETURN; END IF;
      PERFORM set_config('e.busy', 'yes', true);
      FOR r IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' AND schema_name <> 'sluice' LOOP
        ${body}
      END LOOP;
      PERFORM set_config('e.busy', '', true);
    END $e$;
    CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN (${tags}) EXECUTE FUNCTION e()`);
}

/** All that an event trigger may have left on the table. */
const OF_T = `SELECT c.relrowsecurity AS secured, c.relforcerowsecurity AS forced, coalesce(c.relacl, acldefault('r', c.relowner))::text AS acl,
  (SELECT count(*)::int FROM pg_policy WHERE polrelid = c.oid) AS policies,
  (SELECT count(*)::int FROM pg_trigger WHERE tgrelid = c.oid) AS triggers,
  (SELECT count(*)::int FROM pg_rewrite WHERE ev_class = c.oid) AS rules,
  (SELECT count(*)::int FROM pg_publication_rel WHERE prrelid = c.oid) AS publications,
  (SELECT count(*)::int FROM pg_index WHERE indrelid = c.oid) AS indexes,
  obj_description(c.oid) AS comment, c.reloptions AS options
FROM pg_class c WHERE oid = 't'::regclass`;

const UNTOUCHED = [{ n: 'one' }, { n: 'two' }];
const LOADED = [{ n: 'one' }, { n: 'changed' }];

test('what an event trigger puts on every new table is taken off staging, and off what is put back', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  const additions = [
    'ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY; ALTER TABLE %1$s FORCE ROW LEVEL SECURITY; CREATE POLICY deny ON %1$s USING (false)',
    'CREATE TRIGGER shout BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION public.shout()',
    'CREATE RULE noted AS ON INSERT TO %s DO ALSO INSERT INTO public.log VALUES (1)',
    'ALTER PUBLICATION p ADD TABLE %s',
    'GRANT ALL ON %s TO PUBLIC',
    "COMMENT ON TABLE %s IS 'new'",
    'ALTER TABLE %s SET (fillfactor = 50)',
    'CREATE INDEX ON %s ((1))',
  ];
  const body = additions.map((sql) => `EXECUTE format('${sql.replaceAll("'", "''")}', r.object_identity);`);
  await withEventTrigger(database, "'CREATE TABLE'", body.join('\n'));
  const before = await database.query(OF_T);
  const on = engine(t, database);
  const { summary } = await on.run(loads({ x: [replace('t'), ROWS] }));
  assert.deepEqual(await database.query(OF_T), before);
  assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), LOADED);
  await rollbackBatch(summary.batch as string, { database: on.database, log: on.log });
  assert.deepEqual(await database.query(OF_T), before);
  assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), UNTOUCHED);
});

test('staging of a merge is not changed by event triggers either', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await withEventTrigger(
    database,
    "'CREATE TABLE', 'CREATE TABLE AS'",
    "EXECUTE format('ALTER TABLE %1$s FORCE ROW LEVEL SECURITY', r.object_identity);" +
      "IF r.schema_name ~ '^sluice_staging' THEN EXECUTE format('CREATE TRIGGER shout BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION public.shout()', r.object_identity); END IF;",
  );
  const target = merge('t', { columns: ['id', 'n'], key: ['id'] });
  await engine(t, database).run(loads({ x: [target, ROWS] }));
  assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), LOADED);
});

/** The refusal of a run into `t`, with what was told of it. */
async function refusal(
  t: Parameters<typeof engine>[0],
  database: TestDatabase,
  target: Target,
): Promise<SluiceError> {
  const error = await thrown(
    engine(t, database)
      // The guard's own ALTER TABLE of live would fire it, too, as anybody's does.
      .run(loads({ x: [target, ROWS] }), { guard: 'off' }),
  );
  return error;
}

test('an event trigger that fires in the window and would leave another table refuses it, by name', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  const late: readonly [body: string, said: RegExp][] = [
    [
      "IF r.schema_name = 'public' THEN EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', r.object_identity); END IF;",
      /would have: row-level security/,
    ],
    [
      "IF r.schema_name = 'public' THEN EXECUTE 'ALTER PUBLICATION p ADD TABLE ONLY ' || r.object_identity; END IF;",
      /would have: publication p/,
    ],
    [
      "IF r.schema_name = 'public' THEN EXECUTE format('ALTER TABLE %s ADD made_at timestamptz', r.object_identity); END IF;",
      /would have: column made_at/,
    ],
    [
      "IF r.schema_name = 'public' THEN EXECUTE format('ALTER TABLE %s DROP CONSTRAINT t_pkey', r.object_identity); END IF;",
      /would lack: constraint t_pkey/,
    ],
  ];
  for (const [body, said] of late) {
    await withEventTrigger(database, "'ALTER TABLE'", body);
    const before = await database.query(OF_T);
    const error = await refusal(t, database, replace('t'));
    assert.equal(error.code, 'event_trigger');
    assert.equal(error.kind, 'refused');
    assert.match((error.facts.details ?? []).join('\n'), said);
    assert.match((error.facts.details ?? []).join('\n'), /event trigger e \(public\.e\)/);
    assert.deepEqual(await database.query(OF_T), before);
    assert.deepEqual(await database.query('SELECT n FROM t ORDER BY id'), UNTOUCHED);
  }
});

test('an event trigger that makes another table of staging refuses it before a row is read', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await withEventTrigger(
    database,
    "'CREATE TABLE'",
    "EXECUTE format('ALTER TABLE %s ADD made_at timestamptz DEFAULT now()', r.object_identity);",
  );
  await database
    .query('ALTER EVENT TRIGGER e DISABLE; ALTER TABLE t DROP made_at; ALTER EVENT TRIGGER e ENABLE')
    .catch(() => {});
  let read = false;
  const source = rowsAfter(ROWS, async () => {
    read = true;
  });
  const error = await thrown(engine(t, database).run(loads({ x: [replace('t'), source] })));
  assert.equal(error.code, 'check_refused');
  assert.match([error.message, ...(error.facts.details ?? [])].join('\n'), /event triggers change .*made_at/);
  assert.equal(read, false);
});
