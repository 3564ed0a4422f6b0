import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { flow } from '../../../src/core/flow.js';
import { pipeline } from '../../../src/core/pipeline.js';
import { append } from '../../../src/core/target.js';
import type { Source } from '../../../src/core/types.js';
import { testDatabase } from '../../support/database.js';
import { engine } from '../../support/engine.js';
import { thrown } from '../../support/thrown.js';

const TABLES =
  'CREATE TABLE parents (id integer PRIMARY KEY); CREATE TABLE children (id integer PRIMARY KEY);';
const tables = {
  parents: append('parents', { columns: ['id'] }),
  children: append('children', { columns: ['id'] }),
};

/** A source that notes when its rows are asked for, and when they have all been taken. */
function slow(name: string, noted: string[], fails = false): Source<{ readonly id: number }> {
  return {
    name,
    kind: 'memory',
    async *read() {
      noted.push(`${name} begins`);
      yield [{ id: 1 }];
      await sleep(30);
      if (fails) throw new Error(`${name} is gone`);
      yield [{ id: 2 }];
      noted.push(`${name} ends`);
    },
  };
}

/** Children come after parents, also where their flow is the first in the list. */
function family(noted: string[], fails = false) {
  return pipeline({
    ...{ name: 'family', summary: 'children after their parents', tables },
    inputs: { parents: slow('parents', noted, fails), children: slow('children', noted) },
    flows: ({ inputs, tables }) => {
      const first = flow(inputs.parents).into(tables.parents);
      return [flow(inputs.children, { after: first }).into(tables.children), first];
    },
  });
}

for (const jobs of [1, 4])
  test(`a flow begins when those that it comes after are over, with ${jobs} at once`, async (t) => {
    const database = await testDatabase(t);
    await database.query(TABLES);
    const noted: string[] = [];
    const { summary } = await engine(t, database).run(family(noted), { jobs });
    assert.equal(summary.status, 'completed');
    assert.deepEqual(noted.slice(-4), ['parents begins', 'parents ends', 'children begins', 'children ends']);
    assert.deepEqual(await database.query('SELECT id FROM children ORDER BY id'), [{ id: 1 }, { id: 2 }]);
  });

test('where the first one fails the other never begins, and its error is the one that is told', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLES);
  const noted: string[] = [];
  const error = await thrown(engine(t, database).run(family(noted, true), { jobs: 2 }));
  assert.match(error.message, /parents is gone/);
  assert.equal(noted.includes('children begins'), false);
});

test('a flow that is no part of the run is not waited for', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLES);
  const noted: string[] = [];
  const alone = pipeline({
    ...{ name: 'alone', summary: 'children without their parents', tables: { children: tables.children } },
    inputs: { children: slow('children', noted) },
    flows: ({ inputs, tables: own }) => {
      const other = flow(slow('parents', noted)).into(tables.parents);
      return [flow(inputs.children, { after: [other] }).into(own.children)];
    },
  });
  assert.equal((await engine(t, database).run(alone)).summary.status, 'completed');
  assert.equal(
    noted.some((each) => each.startsWith('parents')),
    false,
  );
});
