import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { projectFolder } from '../support/server.js';
import { found } from '../support/sources.js';
import { sqliteFile } from '../support/sqlite.js';

/** What keeps a process alive, but for its outputs. */
const SCRIPT = `
import { append, dryRun, flow, load, pipeline, rollback, run, sqlite, status } from 'sluice';
const [url, db, csv] = process.argv.slice(1);
const of = (input, table) => pipeline({
  name: 'people',
  summary: 'People',
  inputs: { people: sqlite(input, { table: 'people' }) },
  tables: { people: append(table, { columns: ['id', 'name'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.people).into(tables.people)],
});
const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
const before = JSON.stringify(listeners());
const database = url;
await dryRun(of(db, 'people'), { database });
const [first] = await Promise.all([run(of(db, 'people'), { database }), run(of(db, 'others'), { database })]);
await run(of(db, 'people'), { database }).catch((error) => { if (error.code !== 'too_many_rejects') throw error; });
const later = await run(of(db, 'people'), { database, inputs: { people: csv } });
await load(of(db, 'others'), { database, inputs: { people: csv } });
await status(first.batch, { database });
await rollback(later.batch, { database });
const stop = new AbortController();
const stopped = run(of(db, 'people'), { database, signal: stop.signal, events: { phase: () => stop.abort() } });
await stopped.catch((error) => { if (error.code !== 'interrupted') throw error; });
await run(of(db, 'people'), { database: 'postgres://127.0.0.1:1/nowhere' }).catch((error) => { if (error.code !== 'no_connection') throw error; });
const after = JSON.stringify(listeners());
if (before !== after) throw new Error(before + ' became ' + after);
await new Promise((resolve) => setTimeout(resolve, 100));
const left = process.getActiveResourcesInfo().filter((each) => !['PipeWrap', 'TTYWrap', 'FSReqCallback'].includes(each));
if (left.length > 0) throw new Error('left: ' + left.join());
if (process.exitCode !== undefined) throw new Error('an exit code was set');
`;

test('runs of a program print nothing, heed no variable unasked, and leave nothing that keeps its process', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE people (id integer PRIMARY KEY, name text);
    CREATE TABLE others (id integer PRIMARY KEY, name text)`);
  const old = sqliteFile(
    t,
    "CREATE TABLE people (id INTEGER, name TEXT); INSERT INTO people VALUES (3, 'Joan')",
  );
  const csv = join(tempFolder(t), 'people.csv');
  writeFileSync(csv, 'id,name\n5,Ada\n');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, database.url, old, csv], {
    cwd: projectFolder,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: 'postgres://127.0.0.1:1/wrong',
      SLUICE_DATABASE_URL: 'postgres://127.0.0.1:1/wrong',
      PGDATABASE: 'wrong',
      PGSSLMODE: 'verify-full',
    },
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => said.push(text));
  }
  const [code, signal] = await once(child, 'exit');
  assert.deepEqual([said.join(''), code, signal], ['', 0, null]);
  assert.deepEqual(await database.query('SELECT id FROM people'), [{ id: 3 }]);
});

test('no code but that of commands and tests prints, exits, listens to signals, or reads arguments', () => {
  const telling = found(/\bconsole\.|\bprocess\.(stdout|stderr|exit|exitCode|argv|on|once|chdir)\b/);
  assert.deepEqual(
    telling.filter(
      (line) =>
        !/^src\/(cli|testing)\//.test(line) &&
        !/^[^:]+:\d+: \*/.test(line) &&
        // Of whoever declares stdout as the end of a flow.
        !line.startsWith('sinks/files/standard-out.ts:'),
    ),
    [],
  );
  // The variables are read where a caller hands over none; and for the embedded server's own processes.
  const reading = found(/^(?! *\*).*\bprocess\.env\b/).map((line) => line.split(':')[0] as string);
  assert.deepEqual([...new Set(reading.filter((path) => !/^src\/(cli|testing)\//.test(path)))].sort(), [
    'src/db/address.ts',
    'src/db/embedded/process.ts',
    'src/db/embedded/settings.ts',
    'src/db/libpq/tls.ts',
    // Proxies, logins and patience by the usual variables.
    'src/sources/remote/credentials.ts',
    'src/sources/remote/proxy.ts',
    'src/sources/remote/retry.ts',
    'src/sources/remote/s3.ts',
    // The key of a hash, which stands nowhere else.
    'transforms/personal.ts',
  ]);
});
