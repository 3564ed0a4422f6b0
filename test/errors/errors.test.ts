import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { topics } from '../../src/core/errors/catalogue/index.js';
import { loadErrors } from '../../src/core/errors/catalogue/load.js';
import { Unsaid } from '../../src/core/errors/catalogue/state.js';
import { projectFolder } from '../support/server.js';
import { catalogueEntries, errorEntries } from './catalogue.js';
import { errorsPage } from './page.js';

const read = (...path: string[]) => readFileSync(join(projectFolder, ...path), 'utf8');

const sources = (folder: string): string[] =>
  readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

/** An entry as lists of exceptions call it. */
const called = ({ code, name }: { readonly code: string; readonly name: string }) =>
  name === '' ? code : `${code}.${name}`;

test('docs/errors.md has every error of the catalogue and of the pipelines (npm run docs:errors)', () => {
  assert.ok(errorEntries().length > 300);
  assert.equal(read('docs', 'errors.md'), errorsPage());
});

test('every topic is in the index, and every code in one topic', () => {
  const folder = join('src', 'core', 'errors', 'catalogue');
  const files = sources(folder).filter((file) => /= topic\(/.test(read(file)));
  assert.equal(topics.length, files.length);
  const codes = topics.flatMap((topic) => Object.keys(topic));
  assert.deepEqual(
    codes.filter((code, at) => codes.indexOf(code) !== at),
    [],
  );
  assert.ok(codes.length > 200);
});

test('errors of Sluice’s own are made by the catalogue alone', () => {
  const wrong = ['src', 'sinks', 'transforms']
    .flatMap(sources)
    .filter((file) => !file.startsWith(join('src', 'core', 'errors')) && file !== join('src', 'index.ts'))
    .flatMap((file) => {
      const text = read(file);
      // By name: a folder's own function may be called as authors' are.
      const authors = /from '[^']*errors\/(?:author|index)\.js'/.test(text);
      const literal = /new SluiceError\(\s*['"`]/.test(text);
      return authors || literal ? [file] : [];
    });
  assert.deepEqual(wrong, []);
});

test('codes are snake_case', () => {
  assert.deepEqual(
    errorEntries().filter(({ code }) => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(code)),
    [],
  );
});

test('a code has one exit code, but for those that files and tables, or people and programs share', () => {
  const kinds = new Map<string, Set<string>>();
  for (const { code, kind } of catalogueEntries())
    kinds.set(code, new Set([...(kinds.get(code) ?? []), kind]));
  assert.deepEqual(
    [...kinds].flatMap(([code, { size }]) => (size > 1 ? [code] : [])).sort(),
    [
      // A file that holds nothing is refused as text, and is no database.
      'empty_file',
      // Somebody has mistyped a name, or what he named has something else: a header, a file of rejects, a catalog.
      ...['duplicate_column', 'no_such_table', 'unknown_column', 'which_input'],
      // A flag asks for it, or the batch was begun so.
      'read_once',
      // The wrong file, or one that is encrypted.
      'not_sqlite',
      // Somebody has written to it, or it was made wrong.
      'staging_differs',
    ].sort(),
  );
});

test('sentences and states begin small, as what follows a code does, and end without a full stop', () => {
  const texts = errorEntries().flatMap(({ message, state }) => [
    message,
    ...(state === undefined ? [] : [state]),
  ]);
  const wrong = texts
    .filter((text) => /^[A-Z][a-z]/.test(text) || text.endsWith('.'))
    // Names.
    .filter((text) => !/^(PostgreSQL|SQLite|Sluice)/.test(text));
  assert.deepEqual(wrong, []);
});

test('what broke or was refused says what state things are in, or it is written why not', () => {
  const wrong = catalogueEntries().filter(
    ({ kind, wording: { state } }) =>
      (kind === 'failed' || kind === 'refused') &&
      (state instanceof Unsaid ? state.why === '' : (state ?? '') === ''),
  );
  assert.deepEqual(wrong.map(called), []);
});

/** What has no way out of its own, and why. */
const NO_WAY_OUT: Readonly<Record<string, string>> = {
  'bad_option.parsed': 'the parser of the command line says what it takes',
  'database_error.other': 'what the server hints at, if anything',
  interrupted: 'it was asked for',
  not_alike: 'altered.ts says it, which knows whether event triggers did it',
  not_repeatable: 'fail.ts says how to start afresh',
  reject: 'as of any batch that failed: its status',
  'restore_failed.rows': 'nothing is known of why',
  window_refused: 'nothing is known of why',
};

test('every error says what to do next', () => {
  const without = catalogueEntries()
    .filter(({ wording: { next } }) => [next ?? []].flat().length === 0)
    .filter((entry) => !Object.hasOwn(NO_WAY_OUT, entry.code) && !Object.hasOwn(NO_WAY_OUT, called(entry)));
  assert.deepEqual(without.map(called), []);
});

test('what is said beside a command brings no colon of its own', () => {
  assert.deepEqual(
    errorEntries().flatMap(({ next }) => next.filter((step) => step.includes('::'))),
    [],
  );
});

test('entries have facts that errors have', () => {
  const FACTS = new Set([
    ...[
      'says',
      'state',
      'next',
      'input',
      'line',
      'offset',
      'column',
      'value',
      'table',
      'sqlstate',
      'details',
    ],
  ]);
  const wrong = catalogueEntries().flatMap((entry) =>
    Object.keys(entry.wording).flatMap((fact) => (FACTS.has(fact) ? [] : [`${called(entry)}: ${fact}`])),
  );
  assert.deepEqual(wrong, []);
});

test('where one row becomes several, more may be rejected than were read, and it is said so', () => {
  const said = (rejected: number) =>
    loadErrors
      .too_many_rejects({ batch: undefined, rejected, read: 2, allowed: '0', next: [] })
      .message.replace(/;.*/, '');
  assert.deepEqual([1, 2, 3].map(said), [
    '1 of 2 rows was rejected',
    '2 of 2 rows were rejected',
    '3 rows made of the 2 rows that were read were rejected',
  ]);
});
