import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';
import { MODELS, models, PARTS_BY, rowsFor, SYSTEM } from '../support/system.js';

test("what a trigger raises in the publish is told with the server's CONTEXT: which function, at which line, called by what", async (t) => {
  const database = await testDatabase(t);
  await database.query(`${SYSTEM}
    CREATE FUNCTION inner_one() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'the books are closed' USING DETAIL = 'since Monday';
    END $$;
    CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM inner_one(); RETURN NULL; END $$;
    CREATE TRIGGER closed AFTER UPDATE ON parts FOR EACH STATEMENT EXECUTE FUNCTION closed()`);
  const { run } = engine(t, database);
  // Beside a table that is swapped in, rows cannot be tried one by one, and the publish itself says it.
  const of = loads({ models: [MODELS, models(5)], parts: [PARTS_BY.merge, rowsFor('merge')] });
  const error: SluiceError = await run(of).then(
    () => assert.fail(),
    (thrown) => thrown,
  );
  assert.match(error.message, /the books are closed/);
  assert.deepEqual(error.facts.details, [
    'since Monday',
    'CONTEXT: PL/pgSQL function inner_one() line 3 at RAISE',
    'SQL statement "SELECT inner_one()"',
    'PL/pgSQL function closed() line 1 at PERFORM',
  ]);
});

test('a row that a trigger refuses is a reject that says where', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${SYSTEM}
    CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 2 THEN RAISE EXCEPTION 'odd'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER odd BEFORE UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION odd()`);
  const { run, database: own } = engine(t, database);
  const { summary } = await run(loads({ parts: [PARTS_BY.merge, rowsFor('merge')] }), {
    maxRejects: { rows: 1 },
  });
  assert.equal(summary.rejected, 1);
  const [reject] = await own.query('SELECT to_jsonb(r)::text AS all FROM sluice.migration_reject r');
  assert.match(String(reject?.all), /odd \(CONTEXT: PL\/pgSQL function \w*\.?odd\(\) line 1 at RAISE\)/);
});
