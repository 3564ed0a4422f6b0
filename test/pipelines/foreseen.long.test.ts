import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import milestonesToSections from '../../pipelines/milestones-to-sections/index.js';
import okvetImport from '../../pipelines/okvet-import/index.js';
import recipeSnapshots from '../../pipelines/recipe-snapshots/index.js';
import { assessPipeline } from '../../src/assess/assess.js';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import type { Source } from '../../src/core/types.js';
import { checkPipeline } from '../../src/run/check.js';
import type { RunOptions } from '../../src/run/given/options.js';
import { csv } from '../../src/sources/csv/index.js';
import { bakery, bakeryFile, document } from '../support/bakery.js';
import type { TestDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';
import { tempFile } from '../support/files.js';
import { AS_OF, fromFile, milestoneFile, milestoneSystem } from '../support/milestones.js';
import { GOOD, memories, practiceDatabase } from '../support/okvet.js';

type Given = Partial<RunOptions>;

/** What check, assess and a dry run say of the same rows: reasons with their numbers, and the sentence of the refusal. */
async function asked(t: TestContext, test: TestDatabase, pipeline: Pipeline, given: Given) {
  const { database, log, run } = engine(t, test);
  const { findings } = await checkPipeline(pipeline, { database, log, ...given }, { rows: true });
  const check = findings.find(({ name }) => name === 'rows')?.finding;
  const assessed = await assessPipeline(pipeline, { database, log, ...given });
  assert.ok('refused' in assessed.rows, 'why' in assessed.rows ? assessed.rows.why : '');
  const { refused, errors, rejected } = assessed.rows;
  const ran = await run(pipeline, { ...given, dryRun: true }).then(
    ({ summary }) => ({ said: null, reasons: summary.reject_reasons }),
    (error: unknown) => {
      assert.ok(error instanceof SluiceError);
      return { said: error.message, reasons: error.facts.details ?? [] };
    },
  );
  assert.equal(refused, ran.said, 'assess says what the run says');
  if (refused !== null) assert.equal(check?.message, ran.said, 'and so does check');
  return { ran, check, assessed, errors, rejected };
}

const reasons = (errors: readonly { readonly reason: string; readonly rows: number }[]) =>
  Object.fromEntries(errors.map(({ reason, rows }) => [reason, rows]));

test('okvet-import: impossible dates, other forms and over-long values are found before, as the run finds them', async (t) => {
  const database = await practiceDatabase(t);
  const clients = [
    ...GOOD.clients,
    { 'ID Cliente': '3', Nombre: 'Eva', 'Fecha de alta': '2024-02-30' },
    { 'ID Cliente': '4', Nombre: 'Eva', 'Fecha de alta': 'March 3, 2024' },
    { 'ID Cliente': '5', Nombre: 'x'.repeat(101) },
  ];
  const inputs = memories({ ...GOOD, clients });
  const { assessed, check, errors } = await asked(t, database, okvetImport, { inputs });
  assert.deepEqual(reasons(errors), { bad_date: 2, max_length: 1 });
  assert.equal(assessed.errors, 1);
  assert.equal(check?.severity, 'error');
  assert.match(
    (check?.details ?? []).join('\n'),
    /bad date \(Fecha de alta\): 2 rows, such as clients, line 3: .*Cannot parse date: 2024-02-30/,
  );
  const within = await asked(t, database, okvetImport, { inputs, maxRejects: { rows: 3 } });
  assert.equal(within.assessed.errors, 0);
  assert.equal(within.check?.severity, 'warning');
  assert.match(within.check?.message ?? '', /3 of 8 rows would be rejected, as many as --max-rejects allows/);
  const good = await asked(t, database, okvetImport, { inputs: memories(GOOD) });
  assert.equal(good.check, undefined);
  assert.equal(good.rejected, 0);
});

test('okvet-import: a check names the ten most frequent reasons, and says how many more there are', async (t) => {
  const database = await practiceDatabase(t);
  const bad = {
    ...{ 'Correo electrónico': 'x', Teléfono: '1', Celular: '1', RFC: '1', 'C.P.': '1' },
    ...{ 'Fecha de alta': 'x', Activo: 'perhaps', Nombre: 'x'.repeat(101), Apellidos: 'x'.repeat(101) },
    ...{ Ciudad: 'x'.repeat(101), 'Razón social': 'x'.repeat(201) },
  };
  const clients = Object.entries(bad).map(([field, value], at) => ({
    ...{ 'ID Cliente': String(at), Nombre: 'Eva', [field]: value },
  }));
  const { check } = await asked(t, database, okvetImport, {
    inputs: memories({ clients: [...clients, { 'ID Cliente': '1', Nombre: 'Eva' }] }),
  });
  assert.equal(check?.details?.length, 11);
  assert.equal(check?.details?.at(-1), '… and 2 more by reason and column, of 2 rows');
});

test('recipe-snapshots: a timestamp that the calendar lacks is found in a document', async (t) => {
  const database = await bakery(t);
  const text = (await bakeryFile('sample_data.json')).replace('2025-11-01T08:30:00', '2024-02-30T08:30:00');
  const inputs = await document(tempFile(t, 'sample_data.json', text));
  const { errors } = await asked(t, database, recipeSnapshots, { inputs });
  assert.deepEqual(reasons(errors), { bad_produced_at: 1 });
});

test('milestones-to-sections: 2024-02-30 as text is found, in an SQLite file and in a text column of PostgreSQL', async (t) => {
  const impossible = `UPDATE "project_milestone_tasks" SET "dueDate" = '2024-02-30' WHERE "id" = 'pmt_v_sa'`;
  const path = await milestoneFile(t, [impossible]);
  const settings = { as_of: AS_OF };
  const file = await milestoneSystem(t, { old: false });
  const sqlite = await asked(t, file, milestonesToSections, { settings, inputs: fromFile(path) });
  const text = await milestoneSystem(t, {
    sql: `ALTER TABLE "project_milestone_tasks" ALTER "dueDate" TYPE text; ${impossible}`,
  });
  const postgres = await asked(t, text, milestonesToSections, { settings });
  const found = { invalid_date: 1, project_milestone_task_rejected: 1 };
  for (const { errors } of [sqlite, postgres]) assert.deepEqual(reasons(errors), found);
});

test('what cannot be asked is said, and is no error', async (t) => {
  const { database, log } = engine(t, await practiceDatabase(t));
  const stdin: Source = { ...csv('-'), kind: 'stdin', check: async () => {}, async *read() {} };
  const inputs = { clients: stdin };
  const { findings } = await checkPipeline(okvetImport, { database, log, inputs }, { rows: true });
  assert.deepEqual(
    findings.map(({ name, finding }) => [name, finding.severity, finding.message]),
    [['rows', 'note', 'the rows were not asked: clients can be read only once, by the run']],
  );
  const none = await assessPipeline(okvetImport, { database, log });
  assert.deepEqual([none.rows, none.errors], [{ why: 'okvet-import was given no file' }, 0]);
});
