import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintSql } from '../../../src/db/catalog/fingerprint.js';
import { testDatabase } from '../../support/database.js';

const TABLES = `
  CREATE TABLE parent (id int PRIMARY KEY, n text);
  CREATE TABLE t (id int PRIMARY KEY, n text, p int REFERENCES parent);
  CREATE TABLE child (id int REFERENCES t);
  CREATE TABLE above (id int NOT NULL, n text, p int);
  CREATE TYPE shape AS (id int, n text, p int);
  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE EXTENSION pg_trgm;
  CREATE PUBLICATION empty`;

/** What a survey refuses; see refusals.test.ts. */
const REFUSED = [
  'CREATE PUBLICATION p FOR TABLE t',
  'ALTER PUBLICATION empty ADD TABLE t',
  'CREATE PUBLICATION p FOR ALL TABLES',
  'CREATE PUBLICATION p FOR TABLES IN SCHEMA public',
  'ALTER PUBLICATION empty ADD TABLES IN SCHEMA public',
  'CREATE MATERIALIZED VIEW m AS SELECT n FROM t',
  'CREATE VIEW whole AS SELECT t FROM t',
  'CREATE TEMPORARY VIEW mine AS SELECT n FROM t',
  "CREATE FUNCTION g() RETURNS t LANGUAGE sql AS 'SELECT * FROM t LIMIT 1'",
  "CREATE FUNCTION g(x t) RETURNS int LANGUAGE sql AS 'SELECT 1'",
  'CREATE FUNCTION g() RETURNS t[] LANGUAGE sql AS $$SELECT ARRAY[]::t[]$$',
  'CREATE TABLE kept (one t)',
  'CREATE TABLE kept (many t[])',
  'CREATE TYPE more AS (one t)',
  'CREATE DOMAIN more AS t',
  'CREATE TABLE heir () INHERITS (t)',
  'ALTER TABLE t INHERIT above',
  'ALTER TABLE t OF shape',
  'ALTER EXTENSION pg_trgm ADD TABLE t',
  'ALTER INDEX t_pkey DEPENDS ON EXTENSION pg_trgm',
  'ALTER TABLE t DISABLE TRIGGER ALL',
  'ALTER TABLE child DISABLE TRIGGER ALL',
  'ALTER TABLE parent DISABLE TRIGGER ALL',
  `CREATE TABLE whole (LIKE t) PARTITION BY LIST (id); ALTER TABLE t DROP CONSTRAINT t_p_fkey;
   ALTER TABLE whole ATTACH PARTITION t FOR VALUES IN (1)`,
  `CREATE TABLE kids (id int REFERENCES t) PARTITION BY LIST (id)`,
];

const CARRIED = [
  'ALTER TABLE t ADD z int',
  'ALTER TABLE t RENAME n TO m',
  'ALTER TABLE t ALTER n SET DEFAULT 1',
  'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE t FORCE ROW LEVEL SECURITY',
  'CREATE POLICY p ON t',
  'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()',
  'CREATE RULE r AS ON DELETE TO t DO ALSO NOTIFY x',
  'CREATE INDEX ON t (n)',
  'ALTER TABLE t ADD CHECK (id > 0)',
  'CREATE STATISTICS s ON id, n FROM t',
  'GRANT SELECT ON t TO PUBLIC',
  'GRANT SELECT (n) ON t TO PUBLIC',
  'COMMENT ON TABLE t IS $$x$$',
  'COMMENT ON COLUMN t.n IS $$x$$',
  'ALTER TABLE t SET (fillfactor = 50)',
  'ALTER TABLE t REPLICA IDENTITY FULL',
  'ALTER TABLE t OWNER TO pg_database_owner',
  'CREATE VIEW v AS SELECT n FROM t',
  'CREATE TABLE other (id int REFERENCES t)',
  'ALTER TABLE child ALTER CONSTRAINT child_id_fkey DEFERRABLE',
  'CREATE POLICY reads ON parent USING (EXISTS (SELECT FROM t))',
];

test('whatever refuses a table, or is carried over, is in the fingerprint that the window asks for', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLES);
  const client = await database.connect();
  const [{ oid }] = (await client.query("SELECT 't'::regclass::oid::int AS oid")).rows as [{ oid: number }];
  const fingerprint = async () => (await client.query(fingerprintSql([oid]))).rows[0].md5 as string;
  const before = await fingerprint();
  for (const ddl of [...REFUSED, ...CARRIED]) {
    await client.query(`BEGIN; ${ddl}`);
    const after = await fingerprint();
    await client.query('ROLLBACK');
    assert.notEqual(after, before, ddl);
  }
  assert.equal(await fingerprint(), before);
});
