import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTED } from '../../pipelines/listed.js';
import { builtInNames, findPipeline } from '../../src/cli/given/pipelines.js';

test('what the list says of a pipeline is what the pipeline says of itself', async () => {
  const found = await Promise.all(builtInNames().map(findPipeline));
  assert.deepEqual(
    LISTED,
    found.map(({ pipeline }) => ({
      name: pipeline.name,
      summary: pipeline.summary,
      inputs: Object.keys(pipeline.inputs),
      tables: Object.values(pipeline.tables).map((target) => `${target.table} (${target.mode})`),
      settings: Object.fromEntries(
        Object.entries(pipeline.settings ?? {}).map(([name, setting]) => [name, setting.default]),
      ),
    })),
  );
});
