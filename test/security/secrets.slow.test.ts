import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { ident, literal } from '../../src/db/quote.js';
import { sluice, startSluice } from '../support/cli.js';
import { serverUrl, type TestDatabase } from '../support/database.js';
import { eventsDatabase, eventsFolder, writeEvents } from '../support/events.js';
import { testRole } from '../support/role.js';

const SECRET = 'hunter2-geheim';

function withPassword(
  url: string,
  change: Partial<Pick<URL, 'port' | 'pathname' | 'username'>> = {},
): string {
  const made = new URL(url);
  Object.assign(made, { username: made.username, password: SECRET }, change);
  return made.href;
}

/** A superuser that logs in with the secret, so that commands get as far as they can with it. */
async function roleWithSecret(t: TestContext, database: TestDatabase): Promise<string> {
  const role = `r_${database.name}`;
  await database.query(`CREATE ROLE ${ident(role)} SUPERUSER LOGIN PASSWORD ${literal(SECRET)}`);
  t.after(async () => {
    const client = new pg.Client({ connectionString: await serverUrl() });
    await client.connect();
    // What it owns goes with the test's database; where that is kept for a look, so is the role.
    await client.query(`DROP ROLE ${ident(role)}`).catch(() => {});
    await client.end();
  });
  return role;
}

test('a password in the URL is in no output, log, ledger or process title, whatever fails', async (t) => {
  const database = await eventsDatabase(t);
  const username = await roleWithSecret(t, database);
  const cwd = eventsFolder(t);
  writeEvents(cwd, ['1,030,fine,2026-01-01', '2,030,bad,never']);
  const outputs: string[] = [];
  const attempt = async (url: string, args: readonly string[] = ['run', './events.js', '--yes']) => {
    const ended = await sluice(args, { cwd, env: { DATABASE_URL: url } });
    assert.notEqual(ended.code, 0);
    outputs.push(ended.stdout, ended.stderr);
  };
  await attempt(withPassword(database.url, { username }));
  await attempt(withPassword(database.url, { port: '1' }));
  await attempt(withPassword(database.url, { pathname: '/no_such_database' }));
  await attempt(withPassword(database.url, { username: 'no_such_role' }));
  await attempt(`postgres://postgres:${SECRET}@[broken/x`);
  await attempt(`mysql://root:${SECRET}@db/x`);
  const log = readdirSync(join(cwd, '.sluice', 'logs')).map((name) =>
    readFileSync(join(cwd, '.sluice', 'logs', name), 'utf8'),
  );
  const ledger = JSON.stringify([
    await database.query('SELECT * FROM sluice.migration_batch'),
    await database.query('SELECT * FROM sluice.migration_reject'),
  ]);
  for (const text of [...outputs, ...log, ledger]) assert.ok(!text.includes(SECRET), text);

  const running = startSluice(['run', './events.js', '--yes', '--source', '-'], {
    cwd,
    env: { DATABASE_URL: withPassword(database.url, { username }) },
  });
  await running.said('loading staging');
  const title = readFileSync(`/proc/${running.child.pid}/cmdline`, 'utf8');
  assert.ok(!title.includes(SECRET));
  const sessions = JSON.stringify(
    await database.query('SELECT application_name, query FROM pg_stat_activity'),
  );
  assert.ok(!sessions.includes(SECRET));
  running.child.kill('SIGINT');
  assert.equal((await running.ended).code, 130);
});

test('files hold source data, so they are for their owner alone', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  writeEvents(cwd, ['2,030,bad,never']);
  await sluice(['run', './events.js', '--yes'], { cwd, env: { DATABASE_URL: database.url } });
  const logs = join(cwd, '.sluice', 'logs');
  for (const name of readdirSync(logs)) assert.equal(statSync(join(logs, name)).mode & 0o777, 0o600);
});

test('the ledger is not readable by others', async (t) => {
  const database = await eventsDatabase(t);
  const cwd = eventsFolder(t);
  writeEvents(cwd, ['2,030,bad,never']);
  await sluice(['run', './events.js', '--yes'], { cwd, env: { DATABASE_URL: database.url } });
  const role = await testRole(t);
  const other = await database.connect();
  await other.query(`SET SESSION AUTHORIZATION ${ident(role)}`);
  for (const table of ['migration_batch', 'migration_reject', 'migration_publish', 'ledger_version'])
    await assert.rejects(other.query(`SELECT FROM sluice.${ident(table)}`), { code: '42501' });
});
