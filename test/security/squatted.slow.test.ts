import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { failed } from '../../src/core/errors/author.js';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Database } from '../../src/core/run.js';
import { PgDatabase } from '../../src/db/connect.js';
import { findBatch } from '../../src/db/ledger/batches.js';
import { mappingsInForce } from '../../src/db/ledger/mappings.js';
import { openLedger, requireLedger } from '../../src/db/ledger/open.js';
import { standingViews } from '../../src/db/ledger/views.js';
import { checkPipeline } from '../../src/run/check.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { swapBatch } from '../../src/run/swap.js';
import { EMPTY, type TestDatabase, testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';
import { long } from '../support/long.js';
import { testRole } from '../support/role.js';
import { PARTS_BY, rowsFor, SYSTEM } from '../support/system.js';
import { thrown } from '../support/thrown.js';

/** A small live system, and a role that may create schemas in its database and nothing else. */
async function shared(t: TestContext): Promise<{ database: TestDatabase; mallory: string }> {
  const database = await testDatabase(t, { template: EMPTY });
  const mallory = await testRole(t);
  await database.query(`${SYSTEM} GRANT CREATE ON DATABASE ${database.name} TO ${mallory}`);
  return { database, mallory };
}

/** The database as a role sees it that may log in: a command of its own. */
function as(t: TestContext, database: TestDatabase, role: string) {
  const url = new URL(database.url);
  url.username = role;
  url.password = 'test';
  return engine(t, { url: url.href });
}

const parts = (mode: keyof typeof PARTS_BY) => loads({ parts: [PARTS_BY[mode], rowsFor(mode)] });

test('a ledger that another role has made is refused by name, and nothing in it runs', async (t) => {
  const { database, mallory } = await shared(t);
  await database.query(`
    CREATE TABLE seen (what text); GRANT INSERT ON seen TO PUBLIC;
    CREATE SCHEMA sluice AUTHORIZATION ${mallory}; SET ROLE ${mallory};
    CREATE FUNCTION sluice.mine() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.seen VALUES (current_user); RETURN 9; END';
    CREATE VIEW sluice.ledger_version AS SELECT sluice.mine() AS version;
    CREATE VIEW sluice.migration_field_mapping AS SELECT sluice.mine() AS id, ''::text AS source_system;
    CREATE VIEW sluice.migration_view AS SELECT sluice.mine() AS batch_id;
    CREATE VIEW sluice.migration_batch AS SELECT sluice.mine() AS id;
    GRANT ALL ON SCHEMA sluice TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA sluice TO PUBLIC; RESET ROLE`);
  const { database: own, log, run } = engine(t, database);
  const commands: Record<string, () => Promise<unknown>> = {
    init: () => openLedger(own),
    status: () => requireLedger(own),
    check: async () => {
      const { findings } = await checkPipeline(parts('merge'), { database: own, log });
      throw failed('check', findings.map(({ finding }) => finding.message).join());
    },
    run: () => run(parts('merge')),
    rollback: () => rollbackBatch('1', { database: own, log }),
    mappings: () => mappingsInForce(own, { defaults: [] }, 'okvet'),
    views: () => standingViews(own),
  };
  for (const [name, work] of Object.entries(commands)) {
    const error = await thrown(work(), name);
    const told = `${error.message} ${error.facts?.details?.join() ?? ''}`;
    assert.match(told, /the schema "sluice" belongs to/, name);
    assert.match(told, new RegExp(mallory), name);
  }
  assert.deepEqual(await database.query('SELECT * FROM seen'), []);
});

test('a ledger into which others may put things is refused, until that is taken away', async (t) => {
  const { database, mallory } = await shared(t);
  const { database: own } = engine(t, database);
  await openLedger(own);
  await database.query(`GRANT CREATE, USAGE ON SCHEMA sluice TO ${mallory}`);
  const refused = async () => {
    const fresh = new PgDatabase(own.address);
    t.after(() => fresh.close());
    return requireLedger(fresh).then(
      () => undefined,
      (error: SluiceError) => `${error.code}: ${error.facts.details?.join()}`,
    );
  };
  assert.equal(await refused(), `not_our_ledger: whoever may create in it: ${mallory}`);
  await database.query(`SET ROLE ${mallory};
    CREATE FUNCTION sluice.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; RESET ROLE;
    REVOKE CREATE ON SCHEMA sluice FROM ${mallory}`);
  assert.match(String(await refused()), new RegExp(`the function mine belongs to ${mallory}`));
  await database.query(`ALTER FUNCTION sluice.mine() OWNER TO CURRENT_USER; GRANT TRIGGER ON sluice.migration_batch TO ${mallory};
    CREATE FUNCTION public.theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    ALTER FUNCTION public.theirs() OWNER TO ${mallory}; GRANT USAGE ON SCHEMA sluice TO ${mallory};
    SET ROLE ${mallory}; CREATE TRIGGER t BEFORE INSERT ON sluice.migration_batch FOR EACH ROW EXECUTE FUNCTION public.theirs(); RESET ROLE`);
  assert.match(
    String(await refused()),
    new RegExp(`the trigger t on migration_batch calls a function of ${mallory}`),
  );
  await database.query('DROP TRIGGER t ON sluice.migration_batch');
  assert.equal(await refused(), undefined);
});

test('who makes the ledger between the look and the making is not taken for us', async (t) => {
  const { database, mallory } = await shared(t);
  const { database: own } = engine(t, database);
  const racing = new Proxy(own, {
    get: (of, name) =>
      name !== 'query'
        ? Reflect.get(of, name)
        : async (sql: string, parameters?: readonly unknown[]) => {
            if (sql.startsWith('CREATE SCHEMA sluice'))
              await database.query(`CREATE SCHEMA sluice AUTHORIZATION ${mallory}`);
            return of.query(sql, parameters);
          },
  }) as Database;
  await assert.rejects(openLedger(racing), (error: SluiceError) => /already exists/.test(error.message));
  await assert.rejects(openLedger(own), { code: 'not_our_ledger' });
});

for (const [mode, kind] of [
  ['merge', 'staging'],
  ['merge', 'old'],
  ['merge', 'guard'],
  ['replace', 'staging'],
  ['replace', 'old'],
] as const)
  (mode === 'replace' ? test : long)(
    `a schema that somebody else has made where a ${mode} makes its own is refused and left alone: ${kind}`,
    async (t) => {
      const { database, mallory } = await shared(t);
      const { run } = engine(t, database);
      const taken = `sluice_${kind}_1`;
      await database.query(`CREATE SCHEMA ${taken} AUTHORIZATION ${mallory}; SET ROLE ${mallory};
      CREATE TABLE ${taken}.parts (id int, model_id int, amount int); CREATE TABLE ${taken}.guard_journal (id int);
      CREATE TABLE ${taken}.parts__before (id int); GRANT ALL ON SCHEMA ${taken} TO PUBLIC; RESET ROLE`);
      const error = await thrown(run(parts(mode)));
      assert.equal(error.code, 'schema_taken');
      assert.match(error.message, new RegExp(`${taken}.*${mallory}`));
      assert.deepEqual(
        await database.query(
          'SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace ORDER BY 1',
          [taken],
        ),
        ['guard_journal', 'parts', 'parts__before'].map((relname) => ({ relname })),
      );
      const left = `SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_.*_1' AND nspname <> '${taken}'`;
      assert.deepEqual(await database.query(left), [], 'what the batch has made itself is gone');
      assert.equal((await run(parts(mode))).summary.status, 'completed', 'the next batch has another number');
    },
  );

test('who owns a live table reaches its staging only while keys ask in it, and can create nothing there', async (t) => {
  const { database, mallory } = await shared(t);
  await database.query(`ALTER TABLE parts OWNER TO ${mallory}; GRANT ALL ON SCHEMA public TO ${mallory}`);
  const { run, database: own, log } = engine(t, database);
  const may = (schema: string) =>
    database.query(
      `SELECT has_schema_privilege('${mallory}', '${schema}', 'CREATE') AS create, has_schema_privilege('${mallory}', '${schema}', 'USAGE') AS usage`,
    );
  let loading: unknown;
  const rows = {
    name: 'rows',
    async *read() {
      loading = await may('sluice_staging_1');
      yield rowsFor('replace');
    },
  };
  const of = loads({ parts: [PARTS_BY.replace, rows as never] });
  await run(of, { publish: false });
  assert.deepEqual(loading, [{ create: false, usage: false }]);
  assert.deepEqual(await may('sluice_staging_1'), [{ create: false, usage: false }]);
  assert.deepEqual(await may('sluice_old_1'), [{ create: false, usage: true }]);
  await swapBatch(of, await findBatch(own, '1'), { database: own, log });
  await rollbackBatch('1', { database: own, log });
});

for (const mode of ['replace', 'merge'] as const)
  (mode === 'replace' ? test : long)(
    `what stands in the place of a staged table is not published: ${mode}`,
    async (t) => {
      const { database } = await shared(t);
      const { run, database: own, log } = engine(t, database);
      await run(parts(mode), { publish: false });
      await database.query(`ALTER TABLE sluice_staging_1.parts RENAME TO parts_then;
      CREATE TABLE sluice_staging_1.parts (LIKE sluice_staging_1.parts_then INCLUDING ALL)`);
      const error = await thrown(swapBatch(parts(mode), await findBatch(own, '1'), { database: own, log }));
      assert.equal(error.code, 'staging_not_ours');
      await database.query(
        'DROP TABLE sluice_staging_1.parts; ALTER TABLE sluice_staging_1.parts_then RENAME TO parts',
      );
      const { status } = await swapBatch(parts(mode), await findBatch(own, '1'), { database: own, log });
      assert.equal(status, 'completed');
    },
  );

long('administrators who act as one role resume each other’s batches', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  const [team, anna, ben] = [await testRole(t), await testRole(t), await testRole(t)];
  await database.query(`${SYSTEM} GRANT CREATE ON DATABASE ${database.name} TO ${team}; GRANT ${team} TO ${anna}, ${ben};
    ALTER TABLE parts OWNER TO ${team}; ALTER TABLE models OWNER TO ${team}; ALTER TABLE notes OWNER TO ${team};
    ALTER TABLE stock OWNER TO ${team}; GRANT ALL ON SCHEMA public TO ${team}; CREATE SCHEMA sluice AUTHORIZATION ${team}`);
  await database.query(`ALTER ROLE ${anna} LOGIN PASSWORD 'test'; ALTER ROLE ${ben} LOGIN PASSWORD 'test';
    ALTER ROLE ${anna} IN DATABASE ${database.name} SET role = ${team}; ALTER ROLE ${ben} IN DATABASE ${database.name} SET role = ${team}`);
  for (const mode of ['replace', 'merge'] as const) {
    const her = as(t, database, anna);
    const { batch } = (await her.run(parts(mode), { publish: false })).summary;
    await her.database.close();
    const his = as(t, database, ben);
    const found = await findBatch(his.database, String(batch));
    const { status } = await swapBatch(parts(mode), found, { database: his.database, log: his.log });
    assert.equal(status, 'completed');
    await his.database.close();
    const again = as(t, database, anna);
    await rollbackBatch(String(batch), { database: again.database, log: again.log });
    await again.database.close();
  }
});
