/**
 * Migrates a generated machine shop with the command itself, and compares every row with expected.sql, which
 * says independently what must come out; then once more, and back:
 *
 *   node dist/test/bench/tasks-to-operations.js --tasks 100000 --timers 500000 --server postgres://…
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { FILES, fill } from '../../samples/tasks-to-operations/generate.js';
import { ident } from '../../src/db/quote.js';
import { MAIN } from '../support/cli.js';
import { EXPECTED, MIGRATED } from '../support/machining-tables.js';
import { measure } from './measure.js';

const DATABASE = 'sluice_bench_tasks';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100000' },
    timers: { type: 'string', default: '500000' },
    seed: { type: 'string', default: '7' },
    server: { type: 'string' },
  },
});
if (values.server === undefined)
  throw new Error('--server takes the URL of a server, as somebody who may make databases');
const url = new URL(values.server);
const admin = new pg.Client({ connectionString: values.server });
await admin.connect();
await admin.query(`DROP DATABASE IF EXISTS ${ident(DATABASE)} WITH (FORCE)`);
await admin.query(`CREATE DATABASE ${ident(DATABASE)}`);
url.pathname = `/${DATABASE}`;
const cwd = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const client = new pg.Client({ connectionString: url.href });
await client.connect();
try {
  await client.query(await readFile(new URL('schema.sql', FILES), 'utf8'));
  await fill(client, {
    tasks: Number(values.tasks),
    timers: Number(values.timers),
    seed: Number(values.seed),
  });
  // Both sides as tables of their own, so that only sets are compared.
  await keep('expected', await readFile(new URL('expected.sql', FILES), 'utf8'));
  await client.query('CREATE SCHEMA before; CREATE TABLE before.timers AS TABLE tasks_timer');
  await command('the migration', ['run', 'tasks-to-operations', '--yes', '--quiet']);
  await keep('migrated', MIGRATED);
  for (const name of EXPECTED) await same(`migrated.${ident(name)}`, `expected.${ident(name)}`);
  await command('once more', ['run', 'tasks-to-operations', '--yes', '--quiet']);
  await command('the rollback', ['rollback', '1', '--yes']);
  await same('tasks_timer', 'before.timers');
  const { rows } = await client.query("SELECT to_regclass('tasks_part') AS part");
  if (rows[0].part !== null) throw new Error('the new tables are still there');
  process.stdout.write('every row is as expected, and after the rollback as before\n');
} finally {
  await client.end();
  await admin.query(`DROP DATABASE IF EXISTS ${ident(DATABASE)} WITH (FORCE)`);
  await admin.end();
  rmSync(cwd, { recursive: true, force: true });
}

/** The results of the statements in `sql` as tables in a schema of their own. */
async function keep(schema: string, sql: string): Promise<void> {
  const statements = sql
    .replace(/^--.*\n/gm, '')
    .split(/;\s*(?:\n|$)/)
    .filter((statement) => statement.trim() !== '');
  await client.query(`CREATE SCHEMA ${schema}`);
  for (const [at, name] of EXPECTED.entries())
    await client.query(`CREATE TABLE ${schema}.${ident(name)} AS ${statements[at]}`);
}

async function same(one: string, other: string): Promise<void> {
  const { rows } = await client.query(
    `SELECT (SELECT count(*) FROM ${one})::int AS n, (SELECT count(*)::int FROM
       ((TABLE ${one} EXCEPT ALL TABLE ${other}) UNION ALL (TABLE ${other} EXCEPT ALL TABLE ${one})) x) AS differing`,
  );
  process.stdout.write(`  ${one}: ${rows[0].n} rows, ${rows[0].differing} differ\n`);
  if (rows[0].differing !== 0) throw new Error(`${one} is not as ${other} has it`);
}

async function command(what: string, args: readonly string[]): Promise<void> {
  const { seconds, peakMb } = await measure({
    program: process.execPath,
    args: [MAIN, ...args, '--database-url', url.href],
    cwd,
  });
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s, peak memory ${peakMb?.toFixed(0) ?? '?'} MB\n`);
}
