import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgDatabase } from '../../src/db/connect.js';
import { PINNED } from '../../src/db/pinned.js';
import { settingStatement } from '../../src/db/pooler.js';
import { testDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';
import { everyMode } from '../support/every-mode.js';
import { noPgBouncer, pgBouncer } from '../support/pgbouncer.js';
import { SYSTEM } from '../support/system.js';

const SKIPS = { skip: noPgBouncer ?? false, timeout: 120_000 };

test('settings that a start-up packet could not carry are given by functions of pg_catalog', () => {
  assert.equal(
    settingStatement({ search_path: 'pg_catalog, pg_temp', DateStyle: 'ISO' }),
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false), pg_catalog.set_config('DateStyle', 'ISO', false)",
  );
});

test(
  'a pooler that shares sessions between its clients is refused before anything is read',
  SKIPS,
  async (t) => {
    const live = await testDatabase(t);
    for (const mode of ['transaction', 'statement'] as const)
      for (const round_robin of ['0', '1']) {
        const url = await pgBouncer(t, live.url, mode, { server_round_robin: round_robin });
        const database = new PgDatabase({ url, described: 'pooler:6432/app', from: 'test' });
        t.after(() => database.close());
        await assert.rejects(database.query('SELECT 1'), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'pooled', error.message);
          return true;
        });
        await database.close();
      }
  },
);

test('a pooler in session mode does for everything, with our settings', SKIPS, async (t) => {
  const live = await testDatabase(t);
  await live.query(SYSTEM);
  const role = new URL(live.url).username;
  await live.query(`ALTER DATABASE ${live.name} SET lock_timeout = '1s'`);
  const ignoring: Record<string, string> = { ignore_startup_parameters: 'options' };
  for (const settings of [{}, ignoring]) {
    const url = await pgBouncer(t, live.url, 'session', settings);
    const on = engine(t, { url });
    const found = await on.database.query<{ name: string; setting: string }>(
      'SELECT name, setting FROM pg_catalog.pg_settings',
    );
    const of = new Map(found.map(({ name, setting }) => [name, setting]));
    for (const [name, value] of Object.entries(PINNED))
      assert.equal(of.get(name)?.split(',')[0], value.split(',')[0], `${role}: ${name}`);
    if (settings !== ignoring) await everyMode(on, live);
    await on.database.close();
  }
});

test('options of the user that a pooler does not take are not lost without a word', SKIPS, async (t) => {
  const live = await testDatabase(t);
  const url = `${await pgBouncer(t, live.url, 'session')}?options=-c%20work_mem%3D64MB`;
  const database = new PgDatabase({ url, described: 'pooler:6432/app', from: 'test' });
  t.after(() => database.close());
  await assert.rejects(database.query('SELECT 1'), { code: 'pooler_options' });
});
