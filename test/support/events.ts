import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type TestDatabase, testDatabase } from './database.js';
import { tempFolder } from './files.js';

/** A database with a table `events` that holds one row, for pipelines that add to it. */
export async function eventsDatabase(t: TestContext): Promise<TestDatabase> {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE events (id bigint PRIMARY KEY, phone text, note text, on_day date);
    INSERT INTO events VALUES (0, '030', 'the old one', '2026-01-01')`);
  return database;
}

/** The table's declaration in a pipeline, by its mode. */
const TABLES = {
  append: "append('events', { columns: ['id', 'phone', 'note', 'on_day'] })",
  merge: "merge('events', { columns: ['id', 'phone', 'note', 'on_day'], key: ['id'] })",
  replace: "replace('events', { columns: ['id', 'phone', 'note', 'on_day'] })",
} as const;

/** A working folder with a pipeline `events.js` that loads events.csv; `mask` and a `stage` as source text. */
export function eventsFolder(
  t: TestContext,
  parts: { readonly mode?: keyof typeof TABLES; readonly mask?: string; readonly stage?: string } = {},
): string {
  const { mode = 'append', mask = '[]', stage = 'named("as is", (rows) => rows)' } = parts;
  const folder = tempFolder(t);
  writeFileSync(
    join(folder, 'events.js'),
    `import { append, csv, flow, merge, named, pipeline, replace } from 'sluice';
export default pipeline({
  name: 'events',
  summary: 'Events.',
  inputs: { events: csv('events.csv', { columns: ['id', 'phone', 'note', 'on_day'] }) },
  tables: { events: ${TABLES[mode]} },
  mask: ${mask},
  flows: ({ inputs, tables }) => [flow(inputs.events).through(${stage}).into(tables.events)],
});
`,
  );
  return folder;
}

/** Writes events.csv (or another file) into the folder: a header and these lines. */
export function writeEvents(folder: string, lines: readonly string[], name = 'events.csv'): string {
  const path = join(folder, name);
  writeFileSync(path, `${['id,phone,note,on_day', ...lines].join('\n')}\n`);
  return path;
}
