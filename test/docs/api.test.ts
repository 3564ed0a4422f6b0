import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** What the declarations of a file import, and theirs, however deep. */
function imported(file: string, all: Set<string> = new Set()): ReadonlySet<string> {
  const text = readFileSync(file, 'utf8');
  for (const [, from = ''] of text.matchAll(/(?:\bfrom |\bimport\()'([^']+)'/g)) {
    const to = from.startsWith('.') ? join(dirname(file), from.replace(/\.js$/, '.d.ts')) : from;
    if (all.has(to)) continue;
    all.add(to);
    if (from.startsWith('.')) imported(to, all);
  }
  return all;
}

for (const entry of ['src/index', 'transforms/index', 'sinks/index', 'src/testing/index'])
  test(`the types of ${entry} need those of no package, which nobody has installed`, () => {
    const all = imported(join(projectFolder, 'dist', `${entry}.d.ts`));
    assert.ok(all.size > 5);
    assert.deepEqual(
      [...all].filter((each) => !each.endsWith('.d.ts') && !each.startsWith('node:')),
      [],
    );
  });
