import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { append, merge, replace } from '../../src/core/target.js';
import { checkPipeline } from '../../src/run/check.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { EMPTY, type TestDatabase, testDatabase } from '../support/database.js';
import { engine, loads, rowsAfter } from '../support/engine.js';
import { long } from '../support/long.js';
import { testRole } from '../support/role.js';
import { thrown } from '../support/thrown.js';

const COLUMNS = { columns: ['id', 'name'] as const };
const MODES = {
  replace: replace('t', COLUMNS),
  append: append('t', COLUMNS),
  merge: merge('t', { ...COLUMNS, key: ['id'] }),
};
const ROWS = [
  { id: 1, name: 'a' },
  { id: 2, name: 'b' },
];

/** What runs as a superuser where it is let: it makes its role one. */
const evil = (mallory: string) =>
  `BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE ${mallory} SUPERUSER'; END IF;`;

/** How the owner of a table gets code of his to run: `t` is his, and `sneak()`, `fire()` are his functions. */
const WAYS: Readonly<Record<string, { sql: string; modes: readonly (keyof typeof MODES)[] }>> = {
  'a trigger': {
    sql: 'CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fire()',
    modes: ['append', 'merge'],
  },
  'a CHECK': { sql: 'ALTER TABLE t ADD CHECK (sneak(id))', modes: ['replace', 'append', 'merge'] },
  'a default': {
    sql: 'ALTER TABLE t ADD more boolean; ALTER TABLE t ALTER more SET DEFAULT sneak(1)',
    modes: ['replace', 'append'],
  },
  'an index expression': { sql: 'CREATE INDEX ON t (sneak(id))', modes: ['append'] },
  'a generated column': {
    sql: 'ALTER TABLE t ADD more boolean GENERATED ALWAYS AS (sneak(id)) STORED',
    modes: ['replace', 'append'],
  },
  'a domain': {
    sql: 'CREATE DOMAIN d AS text CHECK (sneak(1)); ALTER TABLE t ALTER name TYPE d',
    modes: ['replace', 'append'],
  },
  'the default of a domain': {
    sql: 'CREATE DOMAIN d AS boolean DEFAULT sneak(1); ALTER TABLE t ADD more d',
    modes: ['replace', 'append', 'merge'],
  },
  'an operator': {
    sql: 'CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = int); ALTER TABLE t ADD CHECK (id === id)',
    modes: ['replace', 'append'],
  },
  'a rule': { sql: 'CREATE RULE r AS ON INSERT TO t DO ALSO SELECT sneak(1)', modes: ['append'] },
};

async function hostile(t: TestContext, sql: string): Promise<{ database: TestDatabase; mallory: string }> {
  const database = await testDatabase(t, { template: EMPTY });
  const mallory = await testRole(t);
  await database.query(`GRANT ALL ON SCHEMA public TO ${mallory}; SET ROLE ${mallory};
    CREATE TABLE t (id int PRIMARY KEY, name text);
    CREATE FUNCTION sneak(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ ${evil(mallory)} RETURN true; END $$;
    CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ ${evil(mallory)} RETURN true; END $$;
    CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ ${evil(mallory)} RETURN NEW; END $$;
    ${sql}; RESET ROLE`);
  return { database, mallory };
}

const isSuper = async (database: TestDatabase, role: string) =>
  (await database.query<{ is: boolean }>('SELECT rolsuper AS is FROM pg_roles WHERE rolname = $1', [role]))[0]
    ?.is;

for (const [way, { sql, modes }] of Object.entries(WAYS))
  test(`a superuser does not run the code of a table’s owner: ${way}`, async (t) => {
    const { database, mallory } = await hostile(t, sql);
    for (const mode of modes) {
      const { run, database: own } = engine(t, database);
      const error = await thrown(run(loads({ t: [MODES[mode], ROWS] })), mode);
      await own.close();
      const said = `${error.message} ${error.facts.details?.join('; ')} ${[error.facts.next].flat().join('; ')}`;
      assert.match(said, /code of the tables’ owners would run/, mode);
      assert.match(said, new RegExp(`of public.t calls .*a function of ${mallory}`), mode);
      assert.match(said, /--run-owners-code/, mode);
      assert.equal(await isSuper(database, mallory), false, mode);
    }
    assert.deepEqual(await database.query('SELECT * FROM t'), []);
  });

test('code that the owner adds under the run is not run either, by the load or by the publish', async (t) => {
  for (const mode of ['replace', 'append'] as const) {
    const { database, mallory } = await hostile(t, 'SELECT 1');
    const { run } = engine(t, database);
    const late = rowsAfter(ROWS, () =>
      database.query(
        `SET ROLE ${mallory}; CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fire(); RESET ROLE`,
      ),
    );
    const ran = await run(loads({ t: [MODES[mode], late] })).then(
      () => 'published',
      (error: SluiceError) => error.code,
    );
    // Triggers do not fire at a swap; of an append they would.
    if (mode === 'append') assert.notEqual(ran, 'published');
    assert.equal(await isSuper(database, mallory), false, mode);
  }
});

long('a rollback does not run it either, until the user says so', async (t) => {
  const { database, mallory } = await hostile(t, 'SELECT 1');
  const { run, database: own, log } = engine(t, database);
  const { batch } = (await run(loads({ t: [MODES.append, ROWS] }))).summary;
  await database.query(
    `SET ROLE ${mallory}; CREATE TRIGGER x BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION fire(); RESET ROLE`,
  );
  const options = { database: own, log };
  await assert.rejects(rollbackBatch(batch as string, options), { code: 'owners_code' });
  assert.equal(await isSuper(database, mallory), false);
  await database.query(
    'CREATE OR REPLACE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$',
  );
  await rollbackBatch(batch as string, { ...options, runOwnersCode: true });
});

test('code of superusers, of the server and of the session’s own role runs as ever', async (t) => {
  const { database, mallory } = await hostile(t, 'ALTER TABLE t ADD CHECK (length(name) < 9)');
  await database.query(`CREATE FUNCTION ours() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;
    CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION ours()`);
  const { run, database: own, log } = engine(t, database);
  const of = loads({ t: [MODES.append, ROWS] });
  assert.deepEqual((await checkPipeline(of, { database: own, log })).findings, []);
  assert.equal((await run(of)).summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT name FROM t ORDER BY 1'), [{ name: 'A' }, { name: 'B' }]);
  await own.close();
  await database.query(`TRUNCATE t; GRANT CREATE ON DATABASE ${database.name} TO ${mallory}; SET ROLE ${mallory};
    DROP TRIGGER x ON t; CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fire(); RESET ROLE;
    DROP SCHEMA sluice, sluice_old_1 CASCADE; ALTER ROLE ${mallory} LOGIN PASSWORD 'test'`);
  const url = new URL(database.url);
  url.username = mallory;
  url.password = 'test';
  assert.equal((await engine(t, { url: url.href }).run(of)).summary.status, 'completed');
  assert.equal(await isSuper(database, mallory), false);
});
