import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fuzz } from './fuzz.js';

test('random and spoilt inputs, cut anywhere, are read as csv-parse and JSON.parse read them, or refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { found, inputs } = await fuzz(20260102, join(folder, 'fifo'), ({ csv }) => csv < 300);
  assert.deepEqual(found, []);
  assert.deepEqual(inputs, { csv: 300, jsonl: 300, json: 15 });
});
