import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAIN, startSluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { sqliteFile } from '../support/sqlite.js';

/** `id,name`, 1 and 2, packed by zstd 1.5. */
const PACKED = Buffer.from('KLUv/QRYsQAAaWQsbmFtZQoxLEFkYQoyLEdyYWNlCuOr27Y=', 'base64');

const PIPELINE = (file: string) => `
import { append, flow, pipeline, sqlite } from 'sluice';
import { map } from 'sluice/transforms';
import lots from 'sluice/pipelines/lot-consolidation';
if (lots.name !== 'lot-consolidation') throw new Error('it is another one');
export default pipeline({
  name: 'people',
  summary: 'People out of an old application',
  inputs: { people: sqlite(${JSON.stringify(file)}, { table: 'people' }) },
  tables: { people: append('people', { columns: ['id', 'name'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.people).through(map((row) => ({ id: row.id, name: row.name.toUpperCase() }))).into(tables.people),
  ],
});
`;

test('the bundle of the command reads in threads of its own, and a user’s pipeline gets its classes', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE people (id integer PRIMARY KEY, name text)');
  const cwd = tempFolder(t);
  const run = async (...args: string[]) => {
    const ended = await startSluice([...args, '--yes', '--database-url', database.url], { cwd, input: '' })
      .ended;
    assert.equal(ended.code, 0, ended.stderr);
  };
  assert.match(MAIN, /\/dist\/bundle\//);
  writeFileSync(join(cwd, 'people.csv.zst'), PACKED);
  await run('copy', 'people.csv.zst', '--into', 'people');
  const old = sqliteFile(
    t,
    "CREATE TABLE people (id INTEGER, name TEXT); INSERT INTO people VALUES (3, 'Joan')",
  );
  writeFileSync(join(cwd, 'people.ts'), PIPELINE(old));
  await run('run', './people.ts');
  assert.deepEqual(await database.query('SELECT * FROM people ORDER BY id'), [
    { id: 1, name: 'Ada' },
    { id: 2, name: 'Grace' },
    { id: 3, name: 'JOAN' },
  ]);
});
