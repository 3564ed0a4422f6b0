import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fillPostgres, fillSqlite, text } from '../../samples/milestones-to-sections/generate.js';
import { sampleFile } from '../../samples/milestones-to-sections/sqlite.js';
import { system } from '../../samples/milestones-to-sections/system.js';
import { testDatabase } from '../support/database.js';
import { fromFile, newTables, runMilestones } from '../support/milestones.js';

const digest = (seed: number) => {
  const hash = createHash('sha256');
  for (const table of system({ instances: 3000, suppliers: 20, seed }))
    for (const piece of text(table)) hash.update(piece);
  return hash.digest('hex');
};

test('the generator gives the same system for the same seed, and another for another', () => {
  assert.equal(digest(7), digest(7));
  assert.notEqual(digest(7), digest(8));
});

test('the generator makes as many instances as asked for, and no supplier does a task twice', () => {
  for (const [instances, suppliers] of [
    [0, 5],
    [1, 1],
    [4001, 40],
  ] as const) {
    const table = system({ instances, suppliers, seed: 3 }).find(
      ({ name }) => name === 'supplier_task_instances',
    );
    const pairs = new Set<string>();
    let made = 0;
    for (const [, supplier, task] of table?.rows() ?? []) {
      pairs.add(`${supplier} ${task}`);
      made += 1;
    }
    assert.equal(made, instances);
    assert.equal(pairs.size, instances);
  }
});

test('a generated system migrates alike out of SQLite and Postgres, every validation green', async (t) => {
  const options = { instances: 5000, suppliers: 25, seed: 11 };
  const folder = await mkdtemp(join(tmpdir(), 'sluice-generated-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [postgres, other] = await Promise.all([testDatabase(t), testDatabase(t)]);
  const client = await postgres.connect();
  await client.query(await sampleFile('old/schema.postgres.sql'));
  await fillPostgres(client, options);
  for (const database of [postgres, other]) await database.query(await sampleFile('new/schema.sql'));
  await runMilestones(t, postgres, { settings: { views: 'off' } });
  const path = join(folder, 'old.db');
  await fillSqlite(path, options);
  const { summary } = await runMilestones(t, other, { inputs: fromFile(path) });
  assert.equal(summary.loaded['v2.supplier_task_instances'] ?? summary.loaded.instances, 5000);
  assert.deepEqual(await newTables(other), await newTables(postgres));
});
