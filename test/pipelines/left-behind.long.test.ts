import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { csv } from '../../src/sources/csv/index.js';
import { tempFile } from '../support/files.js';
import { exported, lotSystem, runLots } from '../support/lots.js';
import { machineShop, runTasks } from '../support/machining.js';
import { fromFile, milestoneFile, milestoneSystem, runMilestones } from '../support/milestones.js';
import { thrown } from '../support/thrown.js';

const next = (error: SluiceError) => [error.facts.next].flat().join('\n');

test('milestones-to-sections: a column that it does not know refuses, in the database and in a file, until it is left behind by name', async (t) => {
  const sql = 'ALTER TABLE supplier_task_instances ADD priority int; ALTER TABLE tasks ADD "a,b" text';
  const database = await milestoneSystem(t);
  await database.query(sql);
  const error = await thrown(runMilestones(t, database));
  assert.match(
    error.message,
    /2 columns of the old system are not carried over: tasks\.a,b, supplier_task_instances\.priority/,
  );
  assert.match(next(error), /leave_behind="?"?tasks\.a,b/);
  const { summary, said } = await runMilestones(t, database, {
    settings: { leave_behind: '"tasks.a,b",supplier_task_instances.priority' },
  });
  assert.equal(summary.status, 'completed');
  assert.match(
    said.join('\n'),
    /left behind, as was asked for: tasks\.a,b, supplier_task_instances\.priority/,
  );
  assert.match(
    said.join('\n'),
    /does not find in the views what is left behind: tasks\.a,b, supplier_task_instances\.priority/,
  );
  const other = await milestoneSystem(t, { old: false });
  const path = await milestoneFile(t, ['ALTER TABLE supplier_task_instances ADD priority int']);
  const inFile = await thrown(runMilestones(t, other, { inputs: fromFile(path) }));
  assert.match(
    inFile.message,
    /a column of the old system is not carried over: supplier_task_instances\.priority/,
  );
});

test('tasks-to-operations: a column of the tasks that it does not know refuses', async (t) => {
  const database = await machineShop(t, { sql: 'ALTER TABLE machining_task ADD colour text' });
  const error = await thrown(runTasks(t, database));
  assert.match(error.message, /a column of the old system is not carried over: tasks\.colour/);
});

test('lot-consolidation: a column of the file that it does not know refuses, until it is left behind by name', async (t) => {
  const database = await lotSystem(t);
  const [head, ...lines] = await exported(database);
  const file = tempFile(t, 'old.csv', [`${head},note`, ...lines.map((line) => `${line},x`)].join('\n'));
  const inputs = { serials: csv(file) };
  const error = await thrown(runLots(t, database, { inputs }));
  assert.match(error.message, /a column of the old system is not carried over: serials\.note/);
  const { summary } = await runLots(t, database, { inputs, settings: { leave_behind: 'serials.note' } });
  assert.equal(summary.status, 'completed');
});
