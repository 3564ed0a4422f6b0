import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { EMPTY, testDatabase } from '../../support/database.js';
import { engine, loads, rowsAfter } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { testRole } from '../../support/role.js';
import { PARTS_BY, parts, rowsFor, SYSTEM } from '../../support/system.js';
import { thrown } from '../../support/thrown.js';
import { checksums } from '../../support/window.js';

const MODES = ['replace', 'append', 'merge', 'patch'] as const;
const force = (table: string, using: string) =>
  `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY; ALTER TABLE ${table} FORCE ROW LEVEL SECURITY; CREATE POLICY part ON ${table} USING (${using}) WITH CHECK (true)`;
const unforced = (table: string) => `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`;

/** The system, owned by a role that is no superuser and that runs the commands. */
async function owned(t: TestContext) {
  const database = await testDatabase(t, { template: EMPTY });
  const role = await testRole(t);
  await database.query(`ALTER ROLE ${role} LOGIN PASSWORD 'test'; ${SYSTEM}`);
  await database.query(
    `GRANT CREATE ON DATABASE ${database.name} TO ${role}; GRANT CREATE ON SCHEMA public TO ${role}; GRANT CREATE, USAGE ON SCHEMA public TO ${role}`,
  );
  for (const table of ['models', 'parts', 'notes', 'stock'])
    await database.query(`ALTER TABLE ${table} OWNER TO ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'test';
  return { admin: await database.connect(), url: url.href };
}

const told = async (work: Promise<unknown>): Promise<string> => {
  const { kind, message, facts } = await thrown(work);
  assert.equal(kind, 'refused');
  return [message, ...(facts.details ?? []), ...[facts.next ?? []].flat()].join('\n');
};

for (const mode of MODES)
  (mode === 'replace' ? test : long)(
    `${mode}: an owner from whom a policy hides rows is refused, in check and dry run too, and so is his rollback`,
    async (t) => {
      const { admin, url } = await owned(t);
      const { run, database, log } = engine(t, { url });
      const of = loads({ parts: [PARTS_BY[mode], rowsFor(mode)] });
      await admin.query(force('parts', 'id <= 2'));
      const before = await checksums(admin, 'parts', 'notes');
      for (const dryRun of [true, false]) {
        const error = await told(run(of, { dryRun }));
        assert.match(error, /row-level security hides rows from this role \(policy part\)/);
        assert.match(error, /a role that sees all rows: .* BYPASSRLS/);
      }
      assert.deepEqual(await checksums(admin, 'parts', 'notes'), before);
      await admin.query(unforced('parts'));
      const batch = (await run(of)).summary.batch as string;
      const published = await checksums(admin, 'parts', 'notes');
      await admin.query('ALTER TABLE parts FORCE ROW LEVEL SECURITY');
      for (const dryRun of [true, false]) {
        const error = await told(rollbackBatch(batch, { database, log, dryRun }));
        assert.match(
          error,
          /row-level security (hides rows from this role|would hide rows of public\.parts) /,
        );
      }
      assert.deepEqual(await checksums(admin, 'parts', 'notes'), published);
      await admin.query(unforced('parts'));
      await rollbackBatch(batch, { database, log });
      assert.deepEqual(await checksums(admin, 'parts', 'notes'), before);
    },
  );

for (const [whose, table, using] of [
  ['a child', 'notes', 'false'],
  ['a parent', 'models', 'id > 3'],
] as const)
  (whose === 'a child' ? test : long)(
    `a replace is refused where a policy hides rows of ${whose}, for the key could not be checked`,
    async (t) => {
      const { admin, url } = await owned(t);
      const { run, database, log } = engine(t, { url });
      await admin.query(force(table, using));
      const of = loads({ parts: [PARTS_BY.replace, parts(4, 7, 2)] });
      for (const dryRun of [true, false]) {
        const error = await told(run(of, { dryRun }));
        assert.match(
          error,
          new RegExp(`public\\.${table}: row-level security hides rows .* so that foreign key`),
        );
      }
      await admin.query(unforced(table));
      const batch = (await run(loads({ parts: [PARTS_BY.replace, rowsFor('replace')] }))).summary
        .batch as string;
      await admin.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
      const error = await told(rollbackBatch(batch, { database, log }));
      assert.match(error, new RegExp(`public\\.${table}: row-level security hides rows`));
    },
  );

test('no row is deleted that hidden rows may refer to: neither by a merge nor by the undo of one', async (t) => {
  const { admin, url } = await owned(t);
  const { run, database, log } = engine(t, { url });
  const whole = { ...PARTS_BY.merge, mode: 'sync' as const };
  await admin.query(force('notes', 'false'));
  const error = await told(run(loads({ parts: [whole, parts(4, 7, 2)] })));
  assert.match(error, /hides rows of public\.notes from this role, and they may refer to this table/);
  const batch = (await run(loads({ parts: [PARTS_BY.merge, parts(8, 7)] }))).summary.batch as string;
  await admin.query('INSERT INTO notes VALUES (8, 8)');
  const undone = await told(rollbackBatch(batch, { database, log }));
  assert.match(undone, /hides rows of public\.notes from this role, and they may refer to this table/);
  assert.equal((await admin.query('SELECT FROM notes WHERE part_id = 8')).rowCount, 1);
});

for (const mode of MODES)
  (mode === 'replace' ? test : long)(
    `${mode}: security that is forced while the load runs publishes nothing that it would shorten`,
    async (t) => {
      const { admin, url } = await owned(t);
      const { run } = engine(t, { url });
      const source = rowsAfter(rowsFor(mode), () => admin.query(force('parts', 'id <= 2')));
      const before = await checksums(admin, 'parts', 'notes');
      const ran = await run(loads({ parts: [PARTS_BY[mode], source] })).then(
        ({ summary }) => summary.status,
        (error) => told(Promise.reject(error)),
      );
      // An append reads nothing of live, and adds just its rows.
      if (mode === 'append') {
        assert.match(ran, /row-level security|completed/);
        return;
      }
      assert.match(ran, /row-level security/);
      assert.deepEqual(await checksums(admin, 'parts', 'notes'), before);
    },
  );

test("the tables' own triggers go on with the row security that their roles have", async (t) => {
  const { admin, url } = await owned(t);
  const { run, database } = engine(t, { url });
  const [{ role }] = (await database.query('SELECT current_user AS role')) as [{ role: string }];
  await admin.query(`CREATE TABLE log (id int, seen bigint); GRANT INSERT ON log TO ${role};
    CREATE TABLE secrets (id int); INSERT INTO secrets VALUES (1), (2); ${force('secrets', 'id = 1')};
    GRANT SELECT ON secrets TO ${role};
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log SELECT NEW.id, count(*) FROM secrets; RETURN NEW; END';
    CREATE TRIGGER look AFTER UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION look()`);
  await run(loads({ parts: [PARTS_BY.merge, parts(1, 7)] }));
  assert.deepEqual((await admin.query('SELECT id, seen::int FROM log')).rows, [{ id: 1, seen: 1 }]);
});
