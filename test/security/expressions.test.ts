import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'acorn';
import { analyse } from 'scslre';
import { projectFolder } from '../support/server.js';

/** An expression as the compiled code has it. */
interface Expression {
  readonly where: string;
  readonly source: string;
  readonly flags: string;
}

/** Files whose expressions are made of text; each is looked at there. */
const MADE = [
  // Of constants.
  'pipelines/lot-consolidation/numbers.js',
  'pipelines/tasks-to-operations/new-tables.js',
  'src/cli/show/terminal.js',
  'src/copy/own-text.js',
  // Of a format that somebody wrote, without a repetition in it.
  'transforms/fields/date-parse.js',
  // Of a name, for what the catalog prints.
  'sinks/publish/replace/definitions.js',
];

const compiled = ['src', 'sinks', 'transforms', 'pipelines'].flatMap((folder) =>
  readdirSync(join(projectFolder, 'dist', folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => `${folder}/${name}`),
);

interface Node {
  readonly type: string;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly callee?: { readonly name?: string };
  readonly loc: { readonly start: { readonly line: number } };
}

function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value) yield value as Node;
  for (const each of Object.values(value)) yield* nodesOf(each);
}

const nodes = compiled.map((path) => {
  const text = readFileSync(join(projectFolder, 'dist', path), 'utf8');
  const program = parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
  return { path, nodes: [...nodesOf(program)] };
});

test('no regular expression takes more than linear time', () => {
  const expressions: Expression[] = nodes.flatMap(({ path, nodes: all }) =>
    all.flatMap(({ regex, loc }) =>
      regex === undefined
        ? []
        : [{ where: `${path}:${loc.start.line}`, source: regex.pattern, flags: regex.flags }],
    ),
  );
  assert.ok(expressions.length > 150, `${expressions.length}`);
  const slow = expressions.filter(
    ({ source, flags }) =>
      analyse({ source, flags }, { reportTypes: { Move: true, Self: true, Trade: true } }).reports.length > 0,
  );
  assert.deepEqual(slow, []);
});

test('the analysis knows slow expressions when it sees them', () => {
  for (const slow of [/\s+$/, /^\s*\d*\s*$/, /^(.+?)\s*:\s*(\S+)$/, /(?:a+)+$/])
    assert.notEqual(analyse(slow).reports.length, 0, slow.source);
  assert.equal(analyse(/^[a-z]+$/).reports.length, 0);
});

test('expressions are made of text in a few files only', () => {
  const made = nodes.filter(({ nodes: all }) =>
    all.some(
      ({ type, callee }) =>
        (type === 'NewExpression' || type === 'CallExpression') && callee?.name === 'RegExp',
    ),
  );
  assert.deepEqual(made.map(({ path }) => path).sort(), [...MADE].sort());
});
