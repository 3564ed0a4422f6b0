import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../support/server.js';
import { found, sources } from '../support/sources.js';

test('there are sources to look at', () => assert.ok(sources.length > 100));

test('no command goes through a shell', () => {
  assert.deepEqual(found(/\b(exec|execSync)\s*\(\s*['"`]|\bshell:\s*(true|['"])/), []);
  assert.deepEqual(found(/import\s*\{[^}]*\b(exec|execSync)\b[^}]*\}\s*from 'node:child_process'/), []);
});

test('code is generated in a few files only, and names enter it as JSON text', () => {
  const evaluating = [
    ...new Set(found(/\beval\(|new Function\(/).map((line) => line.split(':')[0] as string)),
  ];
  assert.deepEqual(evaluating.sort(), [
    'sinks/load/encode/encoder.ts',
    'sinks/publish/rows/json.ts',
    'src/sources/csv/rows.ts',
    'src/sources/postgres/joined-rows.ts',
    'src/sources/postgres/rows.ts',
    'src/sources/sqlite/rows.ts',
    'transforms/extend.ts',
    'transforms/fields/mapping.ts',
    'transforms/sort/pack.ts',
    'transforms/sort/unpack.ts',
  ]);
  for (const path of evaluating)
    assert.match(readFileSync(join(projectFolder, path), 'utf8'), /JSON\.stringify\(/, path);
});

test('no SQL quotes a name or a value by itself', () => {
  // A placeholder between quotes inside SQL is a quoting of its own; ident() and literal() bring theirs.
  const sql = /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|COPY|LOCK|TRUNCATE|SET)\b/;
  const quoted = found(/"\$\{[^}]+\}"|'\$\{[^}]+\}'/).filter((line) => sql.test(line));
  assert.deepEqual(quoted, []);
});

test('every session of ours is given its settings in its start-up packet', () => {
  const connecting = found(/new (pg\.)?(Client|Pool)\(/).map((line) => line.split(':')[0] as string);
  assert.deepEqual([...new Set(connecting)].sort(), [
    'src/db/dial.ts',
    'src/db/embedded/database.ts',
    'src/db/embedded/fresh.ts',
    // Of databases that tests make, along whose own path their authors' statements are run.
    'src/testing/server.ts',
  ]);
  for (const path of connecting)
    assert.match(readFileSync(join(projectFolder, path), 'utf8'), /options\W+startupOptions\(/, path);
});

test('the search_path is changed in one place, and by statements that name what they call', () => {
  const changing = found(/SET (LOCAL )?search_path =(?! …)|set_config\('search_path'|current_schemas?\(/).map(
    (line) => line.split(':')[0] as string,
  );
  assert.deepEqual([...new Set(changing)].sort(), [
    // A function's own.
    'sinks/publish/compat-views/parts.ts',
    // Ours, or none at all, for the length of a transaction: whoever calls them may have a session of another kind.
    'sinks/publish/replace/finish.ts',
    'sinks/publish/replace/staging.ts',
    // A function's own.
    'sinks/publish/write-guard/journal-sql.ts',
    'src/db/catalog/session.ts',
    'src/db/locks/patiently.ts',
    'src/db/users-path.ts',
  ]);
  const along = found(/\b(alongUsersPath(InBlock)?|TO_USERS_PATH|pathGate)\b/)
    .filter((line) => !/: import /.test(line))
    .map((line) => line.split(':')[0] as string);
  // Whoever adds a file here sees to it that its statements name functions, operators and types with their schema.
  assert.deepEqual([...new Set(along)].sort(), [
    'sinks/load/copy/segments.ts',
    'sinks/publish/constraints/find.ts',
    'sinks/publish/deferred.ts',
    'sinks/publish/replace/parts.ts',
    'sinks/publish/rows/append.ts',
    'sinks/publish/rows/merge.ts',
    'sinks/publish/rows/parts.ts',
    'sinks/publish/rows/takeovers.ts',
    'sinks/publish/rows/undo.ts',
    'sinks/publish/window.ts',
    'src/db/users-path.ts',
    'src/run/changes/views.ts',
  ]);
});
