import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import tasksToOperations from '../../../pipelines/tasks-to-operations/index.js';
import { FILES } from '../../../samples/tasks-to-operations/generate.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { checkPipeline } from '../../../src/run/run.js';
import type { TestDatabase } from '../../support/database.js';
import { openDatabase } from '../../support/lots.js';
import { machineShop, machining, runTasks } from '../../support/machining.js';

/** What the check says, but for notes. */
async function checked(t: TestContext, database: TestDatabase) {
  const opened = openDatabase(t, database);
  const { findings } = await checkPipeline(tasksToOperations, {
    database: opened,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await opened.close();
  return findings
    .filter(({ finding }) => finding.severity !== 'note')
    .map(({ name, finding: { severity, message, details = [], next = [] } }) => ({
      name,
      severity,
      message,
      lines: details.join('\n'),
      next: [next].flat().join('\n'),
    }));
}

const refused = async (work: Promise<unknown>): Promise<SluiceError> => {
  const error: unknown = await work.then(
    () => assert.fail('it was published'),
    (thrown) => thrown,
  );
  assert.ok(error instanceof SluiceError, String(error));
  return error;
};

test('what refuses a run or is rejected the check names, each file in bad/', async (t) => {
  for (const file of await readdir(new URL('bad/', FILES))) {
    const sql = await machining(`bad/${file}`);
    const database = await machineShop(t, { newTables: /-taken|half-/.test(file), sql });
    const findings = await checked(t, database);
    assert.equal(findings.length, 1, file);
    const error = await refused(runTasks(t, database));
    if (findings[0]?.severity === 'error') {
      assert.equal(error.code, 'check_refused', file);
      assert.ok(error.message.startsWith(`${findings[0]?.name}: `), `${file}: ${error.message}`);
    } else {
      // Rejects, which --max-rejects may allow: the check names the same rows.
      assert.equal(error.code, 'too_many_rejects', file);
      assert.match(findings[0]?.lines ?? '', /M-0999/);
      assert.match((error.facts.details ?? []).join('\n'), /M-0999/);
    }
  }
});

const LONG = 'K'.repeat(30);

/** Old values that the new columns do not take, as a system of one's own may have them. */
const UNFIT: Readonly<
  Record<string, { readonly sql: string; readonly line: RegExp; readonly next: RegExp }>
> = {
  'a key': {
    sql: `ALTER TABLE tasks_part ALTER key TYPE varchar(30); INSERT INTO machining_task (key, name) VALUES ('${LONG}', 'long')`,
    line: /^task K{30}: "public"\."tasks_part"\.key takes character varying\(30\), and it is PT-K{30}…, 33 characters$/m,
    next: /ALTER TABLE "public"\."tasks_part" ALTER COLUMN "key" TYPE varchar\(33\)/,
  },
  'a name': {
    sql: `ALTER TABLE tasks_operation ALTER name TYPE varchar(10); UPDATE machining_task SET name = left(name, 10);
      UPDATE machining_task SET name = 'much too long' WHERE key = 'M-1002'`,
    line: /^task M-1002: "public"\."tasks_operation"\.name takes character varying\(10\), and it is much too long…, 13 characters$/m,
    next: /ALTER TABLE "public"\."tasks_operation" ALTER COLUMN "name" TYPE varchar\(13\)/,
  },
  'a missing value': {
    sql: "ALTER TABLE tasks_part ALTER material SET NOT NULL; UPDATE machining_task SET material = coalesce(material, 'steel'); UPDATE machining_task SET material = NULL WHERE key = 'M-1002'",
    line: /^task M-1002: "public"\."tasks_part"\.material takes no NULL, and it is NULL$/m,
    next: /correct the values in the old system/,
  },
  'a whole number': {
    sql: "ALTER TABLE machining_task ALTER quantity TYPE bigint; UPDATE machining_task SET quantity = 3000000000 WHERE key = 'M-1002'",
    line: /^task M-1002: "public"\."tasks_part"\.quantity takes integer, and it is 3000000000$/m,
    next: /correct the values in the old system/,
  },
  'an amount': {
    sql: "ALTER TABLE tasks_partcostagg ALTER total_cost TYPE numeric(6,2); UPDATE machining_jobcostagg SET total_cost = 1; UPDATE machining_jobcostagg SET total_cost = 10000 WHERE task_id = 'M-1002'",
    line: /^task M-1002: "public"\."tasks_partcostagg"\.total_cost takes numeric\(6,2\), and it is 10000\.00$/m,
    next: /correct the values in the old system/,
  },
  'a weight that would be rounded': {
    sql: "ALTER TABLE machining_task ALTER weight_kg TYPE numeric; UPDATE machining_task SET weight_kg = 1.23456 WHERE key = 'M-1002'",
    line: /^task M-1002: "public"\."tasks_part"\.weight_kg takes numeric\(\d+,\d\) as it is, and it is 1\.23456$/m,
    next: /correct the values in the old system/,
  },
  'a weight without end': {
    sql: "ALTER TABLE machining_task ALTER weight_kg TYPE float8; UPDATE machining_task SET weight_kg = 'Infinity' WHERE key = 'M-1002'",
    line: /^task M-1002: "public"\."tasks_part"\.weight_kg takes numeric\(\d+,\d\), and it is Infinity$/m,
    next: /correct the values in the old system/,
  },
};

test('values that the new tables do not take are named with what they take, and nobody is told of --max-rejects', async (t) => {
  for (const [what, { sql, line, next }] of Object.entries(UNFIT)) {
    const database = await machineShop(t, { newTables: true, sql });
    const findings = await checked(t, database);
    assert.deepEqual(
      findings.map(({ name, severity }) => [name, severity]),
      [['values-fit', 'error']],
      what,
    );
    assert.match(findings[0]?.lines ?? '', line);
    assert.match(findings[0]?.next ?? '', next);
    assert.doesNotMatch(findings[0]?.next ?? '', /max-rejects/);
    const widening = /ALTER TABLE .* TYPE \S+\)/.exec(findings[0]?.next ?? '')?.[0];
    if (widening === undefined) continue;
    await database.query(widening);
    assert.equal((await runTasks(t, database)).summary.status, 'completed', what);
  }
});

test('of a task that is migrated already nothing is asked', async (t) => {
  const database = await machineShop(t);
  await runTasks(t, database);
  await database.query("UPDATE machining_task SET name = repeat('n', 255)");
  await database.query('ALTER TABLE tasks_part ALTER name TYPE varchar(200) USING left(name, 200)');
  assert.deepEqual(await checked(t, database), []);
});

test('where a trigger may fill a column, a missing value is not refused', async (t) => {
  const database = await machineShop(t, {
    newTables: true,
    sql: `ALTER TABLE tasks_part ALTER material SET NOT NULL;
      CREATE FUNCTION steel() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.material := coalesce(NEW.material, 'steel'); RETURN NEW; END $$;
      CREATE TRIGGER steel BEFORE INSERT ON tasks_part FOR EACH ROW EXECUTE FUNCTION steel()`,
  });
  assert.deepEqual(
    (await checked(t, database)).filter(({ severity }) => severity === 'error'),
    [],
  );
});
