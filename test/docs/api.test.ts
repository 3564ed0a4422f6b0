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

test('what is said of an export names nothing that the reader cannot look up', () => {
  const documents = [...apiDocuments().values()];
  const declared = new Set(
    documents.flatMap((text) =>
      [...text.matchAll(/^```ts api\n([\s\S]*?)^```$/gm)].flatMap(
        ([, code = '']) => code.replace(/\/\*\*[\s\S]*?\*\//g, '').match(/\w+/g) ?? [],
      ),
    ),
  );
  // `mixedCase` is a name of the code; words, codes of errors and settings are not written so.
  const said = documents.flatMap((text) => [...text.matchAll(/`(\w*[a-z][A-Z]\w*)(?:\.\w+)?`/g)]);
  const unknown = said.flatMap(([, name = '']) =>
    declared.has(name) || name === 'McAllister' ? [] : [name],
  );
  assert.deepEqual(unknown, []);
});

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
