import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../support/server.js';
import { apiDocuments } from './api.js';

for (const [path, text] of apiDocuments()) {
  test(`${path} is what the package promises (npm run docs:api, and a line of the changelog)`, () => {
    assert.equal(readFileSync(join(projectFolder, path), 'utf8'), text);
  });

  test(`${path}: every function says what it does, and nothing of the driver's is promised`, () => {
    const functions = (text.split('## Functions and values')[1] ?? '').split('## Types')[0] ?? '';
    const sections = functions.split(/^### /m).slice(1);
    assert.ok(sections.length > 0);
    const silent = sections.filter((section) => /^\w+\n\n```/.test(section));
    assert.deepEqual(silent, []);
    assert.doesNotMatch(text, /\bpg\.|PgDatabase|QueryResult/);
  });
}
