import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { assessPipeline } from '../../../src/assess/assess.js';
import { backUp } from '../../../src/backup/backup.js';
import { figures } from '../../../src/core/assessment.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import {
  check,
  type Pipeline,
  type PipelineDefinition,
  pipeline,
  validation,
} from '../../../src/core/pipeline.js';
import type { Database } from '../../../src/core/run.js';
import { append, replace, type Target } from '../../../src/core/target.js';
import type { Source } from '../../../src/core/types.js';
import { addressOf } from '../../../src/db/address.js';
import { PgDatabase } from '../../../src/db/connect.js';
import { checkPipeline } from '../../../src/run/check.js';
import { withQuietRun } from '../../../src/run/inputs/quiet-run.js';
import { memory } from '../../../src/sources/memory.js';
import { query } from '../../../src/sources/postgres/index.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../support/database.js';
import { engine } from '../../support/engine.js';
import { tempFolder } from '../../support/files.js';
import { testRole } from '../../support/role.js';

/** Three orders of two tenants, of which a role sees those of one; and a table of its own that it loads. */
async function tenants(t: TestContext) {
  const database = await testDatabase(t, { template: EMPTY });
  const role = await testRole(t);
  const url = await as(database, role);
  await database.query(`
    CREATE TABLE orders (id int PRIMARY KEY, tenant text);
    INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'b');
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own_tenant ON orders TO ${role} USING (tenant = 'a') WITH CHECK (tenant = 'a');
    CREATE POLICY others ON orders TO pg_monitor USING (false);
    CREATE TABLE copies (id int PRIMARY KEY, tenant text);
    ALTER TABLE copies OWNER TO ${role};
    GRANT SELECT, INSERT, DELETE ON orders TO ${role}`);
  return { live: database, role, ...engine(t, { url }) };
}

/** A URL by which `role` logs in. */
async function as(database: TestDatabase, role: string): Promise<string> {
  await database.query(`ALTER ROLE ${role} LOGIN PASSWORD 'test'`);
  await database.query(`GRANT CREATE, CONNECT ON DATABASE ${database.name} TO ${role}`);
  await database.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'test';
  return url.href;
}

type More = Partial<
  Pick<
    PipelineDefinition<Record<string, Source>, Record<string, Target>>,
    'checks' | 'validations' | 'assess' | 'backup'
  >
>;

const copying = (
  source: Source,
  more: More = {},
  into: Target = replace('copies', { columns: ['id', 'tenant'] }),
): Pipeline =>
  pipeline({
    name: 'copies',
    summary: 'copies orders',
    inputs: { orders: source },
    tables: { copies: into },
    flows: ({ inputs, tables }) => [flow(inputs.orders as Source).into(tables.copies as Target<never>)],
    ...more,
  });

const rows = () =>
  memory('rows', [
    { id: 1, tenant: 'a' },
    { id: 2, tenant: 'a' },
  ]);

/** Says which table and policy, and what to do; nothing of somebody else's policy. */
const hidden = (error: unknown) => {
  const { message, facts, kind } = error as SluiceError;
  const text = `${message}\n${facts.details ?? ''}`;
  assert.match(
    text,
    /row-level security would hide rows of public\.orders \(policy own_tenant\) from r_[0-9a-f]+/,
    String(error),
  );
  assert.match([facts.next].flat().join('\n'), /ALTER ROLE "r_[0-9a-f]+" BYPASSRLS/);
  assert.equal(kind, 'refused');
  return true;
};

test('a query whose rows a policy hides is refused, by check and by run, unless what the role sees is meant', async (t) => {
  const { live, run, database, log } = await tenants(t);
  const of = copying(query('SELECT * FROM orders', { name: 'orders' }));
  const { findings } = await checkPipeline(of, { database, log });
  assert.match(
    findings.map(({ finding }) => finding.message).join('\n'),
    /public\.orders \(policy own_tenant\)/,
  );
  assert.match(String(findings[0]?.finding.next), /rowSecurity: 'on'/);
  await assert.rejects(run(of), hidden);
  await run(copying(query('SELECT * FROM orders', { name: 'orders', rowSecurity: 'on' })));
  assert.deepEqual(await live.query('SELECT * FROM copies'), [{ id: 1, tenant: 'a' }]);
});

test('checks, validations, assessments and backups are not asked of a part of the rows', async (t) => {
  const { run, database, log } = await tenants(t);
  const count = 'SELECT count(*) FROM orders';
  const counted = async (of: { readonly database: Database }) => {
    await of.database.query(count);
    return [];
  };
  const refused = (more: More) => assert.rejects(run(copying(rows(), more)), hidden);
  await refused({
    checks: [check('some', 'there are some', counted)],
  });
  await refused({
    validations: ['first', 'second'].map((name) => validation(name, 'there are some', counted)),
  });
  const assessed = copying(rows(), {
    assess: { questions: [figures('orders', 'how many', { query: count })] },
  });
  await assert.rejects(assessPipeline(assessed, { database, log }), hidden);
  const backedUp = copying(rows(), { backup: { tables: ['orders'] } });
  await assert.rejects(
    withQuietRun({ database, log }, (of) => backUp(backedUp, backedUp.inputs, of, tempFolder(t))),
    hidden,
  );
});

test('rows are not appended to a table of which a policy hides rows, nor is one replaced that hides them from its owner', async (t) => {
  const { live, run, role } = await tenants(t);
  const into = (target: Target) => run(copying(rows(), {}, target));
  await assert.rejects(into(append('orders', { columns: ['id', 'tenant'] })), (error: SluiceError) =>
    /row-level security hides rows from this role \(policy own_tenant\)/.test(String(error.facts.details)),
  );
  await live.query(`ALTER TABLE orders OWNER TO ${role}; ALTER TABLE orders FORCE ROW LEVEL SECURITY`);
  await assert.rejects(
    into(replace('orders', { columns: ['id', 'tenant'] })),
    /public\.orders cannot be replaced: row-level security hides rows from this role \(policy own_tenant\)/,
  );
  await live.query('ALTER TABLE orders NO FORCE ROW LEVEL SECURITY');
  await into(replace('orders', { columns: ['id', 'tenant'] }));
  assert.deepEqual(await live.query('SELECT id FROM orders'), [{ id: 1 }, { id: 2 }]);
});

test("the application's own code runs under the policies that it was written for", async (t) => {
  const { live, run, role } = await tenants(t);
  await live.query(`
    CREATE TABLE seen (id int, total int);
    ALTER TABLE seen ENABLE ROW LEVEL SECURITY;
    CREATE POLICY writes ON seen FOR INSERT TO ${role} WITH CHECK (id > 0);
    GRANT INSERT ON seen TO ${role};
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO seen VALUES (new.id, (SELECT count(*) FROM orders)); RETURN new; END $$;
    CREATE TRIGGER note AFTER INSERT ON copies FOR EACH ROW EXECUTE FUNCTION note();
    CREATE FUNCTION tenant() RETURNS text STABLE LANGUAGE sql AS $$ SELECT min(tenant) FROM orders $$;
    ALTER TABLE copies ALTER tenant SET DEFAULT tenant()`);
  await run(
    pipeline({
      name: 'ids',
      summary: 'ids alone',
      inputs: { rows: memory('rows', [{ id: 7 }]) },
      tables: { copies: append('copies', { columns: ['id'] }) },
      flows: ({ inputs, tables }) => [flow(inputs.rows).into(tables.copies)],
    }),
  );
  assert.deepEqual(await live.query('SELECT * FROM copies'), [{ id: 7, tenant: 'a' }]);
  assert.deepEqual(await live.query('SELECT * FROM seen'), [{ id: 7, total: 1 }]);
});

test('what the URL says of a session is kept, but for what is pinned', async (t) => {
  const { url: plain } = await testDatabase(t, { template: EMPTY });
  const url = `${plain}?options=-c%20row_security%3Don%20-c%20geqo_threshold%3D13`;
  const database = new PgDatabase({ url, described: addressOf(url, 'the test').described, from: 'the test' });
  t.after(() => database.close());
  const settings = `SELECT current_setting('row_security') AS rows, current_setting('geqo_threshold') AS other`;
  assert.deepEqual(await database.query(settings), [{ rows: 'off', other: '13' }]);
});
