import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { projectFolder } from '../support/server.js';
import { COMPILES } from './compiles.js';
import { PRELUDE } from './prelude.js';
import { REFUSED } from './refused.js';

// All lines are compiled in one go, each a module's block of its own, as an author's strict project would.
const STRICT =
  '--noEmit --pretty false --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck --target es2022 --module nodenext --types node --ignoreConfig';

/** What the compiler says of each line of a file, by the line's number (1-based). */
function saidOf(lines: readonly string[]): ReadonlyMap<number, string> {
  const folder = mkdtempSync(join(projectFolder, 'dist', 'types-'));
  try {
    const file = join(folder, 'lines.mts');
    writeFileSync(file, lines.join('\n'));
    const { stdout } = spawnSync(
      process.execPath,
      [join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc'), ...STRICT.split(' '), file],
      { cwd: folder, encoding: 'utf8' },
    );
    const said = new Map<number, string>();
    let at = 0;
    for (const text of stdout.split('\n')) {
      at = Number(/^\S*lines\.mts\((\d+),/.exec(text)?.[1] ?? at);
      if (text !== '') said.set(at, `${said.get(at) ?? ''}${text}\n`);
    }
    return said;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const prelude = PRELUDE.trim().split('\n');
const block = (line: string) => `{ ${line} }`;

describe('what authors of pipelines write', () => {
  let said: ReadonlyMap<number, string>;
  before(() => {
    said = saidOf([...prelude, ...[...COMPILES, ...REFUSED.map(([line]) => line)].map(block)]);
  });
  const of = (index: number) => said.get(prelude.length + 1 + index);

  it('the lines have what they need', () => {
    assert.deepEqual(
      [...said].filter(([line]) => line <= prelude.length),
      [],
    );
    assert.ok(COMPILES.length >= 60 && REFUSED.length >= 60);
  });
  for (const [index, line] of COMPILES.entries())
    it(`compiles: ${line}`, () => assert.equal(of(index), undefined));
  for (const [index, [line, says]] of REFUSED.entries())
    it(`is refused: ${line}`, () => assert.match(of(COMPILES.length + index) ?? 'no error', says));
});
