import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkPipeline, memory, run } from 'sluice';
import { sluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { thingsDatabase, thingsPipeline } from '../support/things.js';
import { thrown } from '../support/thrown.js';

test('a check asks what a run would ask, reads every row, and writes nothing', async (t) => {
  const database = await thingsDatabase(t);
  const checked = await checkPipeline(thingsPipeline({ rows: 3 }), { database: database.url });
  assert.deepEqual([checked.pipeline, checked.ok, checked.findings], ['things', true, []]);
  assert.ok(checked.asked.includes('rows'));
  assert.deepEqual(
    checked.plan.tables.map(({ table, mode, missing }) => ({ table, mode, missing })),
    [{ table: 'things', mode: 'replace', missing: false }],
  );
  assert.deepEqual(await database.query('SELECT id FROM things'), [{ id: 0 }]);
  const { database: name } = checked.plan;
  assert.ok(name.includes(database.name) && !/password/.test(name), name);
});

test('what is wrong is returned as findings, with what to do about it as calls of a program', async (t) => {
  const database = await thingsDatabase(t);
  const two = thingsPipeline({
    source: memory('things', [
      { id: 'one', name: 'a' },
      { id: '2', name: 'b' },
    ]),
  });
  const to = { database: database.url };
  const { ok, findings } = await checkPipeline(two, to);
  assert.equal(ok, false);
  const [finding] = findings.filter(({ severity }) => severity === 'error');
  assert.equal(finding?.name, 'rows');
  assert.match(`${finding?.message} ${finding?.next.join(' ')}`, /maxRejects: 1/);
  // Within the limit they are no error.
  assert.equal((await checkPipeline(two, { ...to, maxRejects: 1 })).ok, true);
  assert.equal((await checkPipeline(two, { ...to, rows: false })).ok, true);
  // A run refuses for the same reason.
  await assert.rejects(run(two, to), { code: 'too_many_rejects' });
});

test('what cannot be asked is thrown', async (t) => {
  const database = await thingsDatabase(t);
  const error = await thrown(
    checkPipeline(thingsPipeline(), { database: database.url, inputs: { thinks: 'x.csv' } }),
  );
  assert.equal(error.code, 'no_such_input');
  const without = await testDatabase(t);
  const gone = await thrown(checkPipeline(thingsPipeline(), { database: without.url }));
  assert.deepEqual([gone.code, gone.facts.state], ['no_such_table', 'nothing was written']);
  const stop = AbortSignal.abort();
  await assert.rejects(checkPipeline(thingsPipeline(), { database: database.url, signal: stop }), {
    kind: 'interrupted',
  });
});

test('the command says the same', async (t) => {
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(
    join(cwd, 'things.mjs'),
    `import { flow, memory, pipeline, replace } from 'sluice';
export default pipeline({
  name: 'things',
  summary: 'Things',
  inputs: { things: memory('things', [{ id: '1', name: 'a' }]) },
  tables: { things: replace('things', { columns: ['id', 'nome'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.things).into(tables.things)],
});
`,
  );
  const module = new URL(`file://${join(cwd, 'things.mjs')}`);
  const said = await checkPipeline(module, { database: database.url });
  const told = await sluice(['check', './things.mjs', '--json', '--database-url', database.url], { cwd });
  assert.equal(told.code, 3, told.stderr);
  const { pipeline, ok, asked, findings } = JSON.parse(told.stdout);
  assert.deepEqual([pipeline, ok, asked], [said.pipeline, said.ok, said.asked]);
  const sentences = (all: readonly { name: string; message: string }[]) =>
    all.map(({ name, message }) => `${name}: ${message}`);
  assert.deepEqual(sentences(findings), sentences(said.findings));
  assert.match(sentences(findings).join(), /nome/);
});
