import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../../../support/database.js';
import { eachTable, type Outcome, tally } from '../../../support/each-table.js';
import { engine } from '../../../support/engine.js';
import { projectFolder } from '../../../support/server.js';

/** Schemas of the samples; each is taken as a whole. Others: npm run tables -- FILE.sql. */
const SAMPLES = ['lot-consolidation', 'recipe-snapshots'];

for (const sample of SAMPLES)
  test(`every table of ${sample}: published back and rolled back in every mode, the catalog is as before`, async (t) => {
    const database = await testDatabase(t);
    for (const file of ['schema.sql', 'data.sql'])
      await database.query(await readFile(join(projectFolder, 'samples', sample, file), 'utf8'));
    const outcomes: Outcome[] = [];
    for await (const outcome of eachTable(engine(t, database).database, await database.connect()))
      outcomes.push(outcome);
    const { counts, faults } = tally(outcomes);
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual(faults, []);
    assert.ok(
      (counts['replace identical'] ?? 0) > 0,
      outcomes.map((each) => `${each.table} ${each.what}`).join(),
    );
  });
