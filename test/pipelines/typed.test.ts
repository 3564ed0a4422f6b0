import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../support/server.js';

// What comes with Sluice is written as its users' pipelines are: where that took a cast, a type of the library would be wrong.

/** A cast behind an expression, `any`, and a value that is said to be there. */
const FORCED = [
  /[\w)\]}] as (?!const\b)(?:unknown|never|any|readonly|string|number|boolean|object|keyof|typeof|[A-Z{([])/,
  /(?:[:<,|&]\s*|as )any\b/,
  /[\w)\]]!(?=[.;,)[])/,
];

/** The code of a file without comments, and texts without what they say. */
const bare = (line: string) =>
  line
    .replace(/^\s*(?:\/?\*|\/\/).*/, '')
    .replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''")
    .replace(/\/\/.*/, '');

function forced(folder: string): string[] {
  return readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const lines = readFileSync(join(projectFolder, folder, name), 'utf8').split('\n');
      let inText = false;
      return lines.flatMap((line, at) => {
        const text = inText;
        // A template that goes on in the next line: SQL, whose AS is none.
        if ((line.match(/(?<!\\)`/g)?.length ?? 0) % 2 === 1) inText = !inText;
        const code = text || inText ? '' : bare(line);
        const told = /^\s*\/\/ /.test(lines[at - 1] ?? '');
        return FORCED.some((form) => form.test(code)) && !told ? [`${folder}/${name}:${at + 1}`] : [];
      });
    });
}

test('no cast, no any and no ! stands in pipelines and samples without a line that says why', () => {
  assert.deepEqual([...forced('pipelines'), ...forced('samples')], []);
});

test('what is looked for is found', () => {
  const found = (line: string) => FORCED.some((form) => form.test(bare(line)));
  for (const line of ['x = row.id as string;', 'f(x as any)', 'const x: any = 1;', 'rows[0]!.id', '(y) as Z'])
    assert.ok(found(line), line);
  for (const line of ["['a'] as const", "x = 'b as String'", '// x as string', 'import * as x', 'a !== b'])
    assert.ok(!found(line), line);
});
