import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { bakery, bakeryContents, rollBack, runRecipes } from '../../support/bakery.js';
import { WITHOUT_LEDGER } from '../../support/database.js';
import { catalog, leftGuards } from '../../support/lots.js';
import { testRole } from '../../support/role.js';

test('a rollback gives back exactly what was there: runs, snapshots and no view', async (t) => {
  const database = await bakery(t);
  const before = [await bakeryContents(database), await catalog(database, false)];
  const { summary } = await runRecipes(t, database);
  await rollBack(t, database, summary.batch);
  assert.deepEqual([await bakeryContents(database), await catalog(database, false)], before);
  assert.deepEqual(await leftGuards(database), []);
  // And the migration can be done again, with the same ids.
  await runRecipes(t, database);
  const [row] = await database.query('SELECT recipe_snapshot_id AS id FROM production_runs WHERE id = 1');
  assert.deepEqual(row, { id: 11 });
});

test('a rollback after a backfilled snapshot was edited is refused, and names it', async (t) => {
  const database = await bakery(t);
  const { summary } = await runRecipes(t, database);
  await database.query('UPDATE recipe_snapshots SET scale_factor = 3 WHERE id = 11');
  await assert.rejects(rollBack(t, database, summary.batch), (error: SluiceError) => {
    assert.equal(error.code, 'written_since');
    assert.match((error.facts.details ?? []).join('\n'), /recipe_snapshots: 1 row written since[\s\S]*"11"/);
    return true;
  });
});

test('a view that is there already is left as it is, by the run and by its rollback', async (t) => {
  const database = await bakery(t, { sql: "CREATE VIEW recipe_history AS SELECT 'mine' AS own" });
  const before = await catalog(database, false);
  const { summary } = await runRecipes(t, database);
  assert.deepEqual(await database.query('SELECT * FROM recipe_history'), [{ own: 'mine' }]);
  await rollBack(t, database, summary.batch);
  assert.deepEqual(await catalog(database, false), before);
});

test('a table that has the view’s name is warned of and left alone', async (t) => {
  const database = await bakery(t, { sql: 'CREATE TABLE recipe_history (n int)' });
  const { summary, said } = await runRecipes(t, database);
  assert.equal(summary.status, 'completed');
  assert.match(said.join('\n'), /public\.recipe_history is there already and is no view/);
  await rollBack(t, database, summary.batch);
  await database.query('SELECT n FROM recipe_history');
});

test('a view that was replaced since stays; one that others use keeps the rollback from going through', async (t) => {
  const database = await bakery(t);
  const { summary } = await runRecipes(t, database);
  await database.query('CREATE VIEW on_top AS SELECT label FROM recipe_history');
  await assert.rejects(rollBack(t, database, summary.batch), (error: SluiceError) => {
    assert.equal(error.code, 'view_in_use');
    assert.deepEqual(error.facts.details, ['view public.on_top']);
    return true;
  });
  await database.query(`DROP VIEW on_top;
    DO $$ BEGIN
      EXECUTE 'CREATE OR REPLACE VIEW recipe_history AS '
        || rtrim(pg_get_viewdef('recipe_history'::regclass), ';') || ' WHERE true';
    END $$`);
  await rollBack(t, database, summary.batch);
  assert.deepEqual(await database.query('SELECT snapshot_id FROM recipe_history'), [{ snapshot_id: 10 }]);
});

test('a view that was dropped is made again by the next run, though it has nothing else to do', async (t) => {
  const database = await bakery(t);
  await runRecipes(t, database);
  await database.query('DROP VIEW recipe_history');
  const { summary } = await runRecipes(t, database);
  assert.equal(summary.status, 'completed');
  await database.query('SELECT label FROM recipe_history');
});

test('a role that may not create in the schema is told so, with the statement, before anything is written', async (t) => {
  const database = await bakery(t);
  await database.query(WITHOUT_LEDGER);
  const role = await testRole(t);
  await database.query(
    `ALTER ROLE ${role} LOGIN PASSWORD 'let in'; GRANT CREATE ON DATABASE ${database.name} TO ${role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
     ALTER TABLE recipe_snapshots OWNER TO ${role}; ALTER TABLE production_runs OWNER TO ${role};
     GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
  );
  const url = new URL(database.url);
  url.username = role;
  url.password = 'let in';
  await assert.rejects(runRecipes(t, { ...database, url: url.href }), (error: SluiceError) => {
    assert.match(error.message, /^views: the view public\.recipe_history cannot be made/);
    assert.match([error.facts.next].flat().join('\n'), /GRANT CREATE ON SCHEMA[\s\S]*CREATE VIEW/);
    return true;
  });
});

test('a key towards the snapshots that nothing indexes is warned of: a rollback would take for ever', async (t) => {
  const database = await bakery(t, {
    sql: `DROP INDEX production_runs_snapshot_idx;
          INSERT INTO production_runs (id, recipe_id, notes) SELECT n, NULL, repeat('x', 200) FROM generate_series(101, 6000) n`,
  });
  const { said } = await runRecipes(t, database, { dryRun: true });
  assert.match(
    said.join('\n'),
    /a rollback would be slow: .* public\.recipe_snapshots, .* \(recipe_snapshot_id\)/,
  );
  await database.query('CREATE INDEX ON production_runs (recipe_snapshot_id)');
  const indexed = await runRecipes(t, database, { dryRun: true });
  assert.doesNotMatch(indexed.said.join('\n'), /rollback would be slow/);
});
