import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../support/server.js';
import { errorEntries } from './catalogue.js';
import { errorsPage } from './page.js';

test('docs/errors.md has every error of the code (npm run docs:errors)', () => {
  assert.ok(errorEntries().length > 250);
  assert.equal(readFileSync(join(projectFolder, 'docs', 'errors.md'), 'utf8'), errorsPage());
});

test('codes are snake_case', () => {
  assert.deepEqual(
    errorEntries().filter(({ code }) => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(code)),
    [],
  );
});

test('sentences begin small, as what follows a code does, and end without a full stop', () => {
  const wrong = errorEntries()
    .map(({ message }) => message)
    .filter((message) => /^[A-Z][a-z]/.test(message) || message.endsWith('.'))
    // Names.
    .filter((message) => !/^(PostgreSQL|SQLite|Sluice)/.test(message));
  assert.deepEqual(wrong, []);
});
