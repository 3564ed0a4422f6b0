import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from 'pg';
import { type PublishOptions, publish, type RetryInfo } from '../../../sinks/publish/attempt.js';
import { type WindowPart, windowBudget, windowPart } from '../../../sinks/publish/window.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { testDatabase } from '../../support/database.js';

const locking = (table: string): WindowPart =>
  windowPart(`public.${table}`, { locks: [{ schema: 'public', table, mode: 'ACCESS EXCLUSIVE' }] });

test('the time that a window may take grows with its tables', () => {
  const of = (tables: number) =>
    windowBudget(
      Array.from({ length: tables }, (_, i) => locking(`t${i}`)),
      400,
    );
  assert.equal(of(0), 400);
  assert.equal(of(20), 400);
  assert.equal(of(21), 410);
  assert.equal(of(500), 5200);
});

test('a slow server is told from a lock: what took so long, how long, and that nobody is in the way', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE a (x int); CREATE TABLE b (x int)');
  const retries: RetryInfo[] = [];
  const run = (parts: readonly WindowPart[]) => {
    retries.length = 0;
    const options: PublishOptions = {
      attempts: 3,
      ledger: [],
      onRetry: (info) => retries.push(info),
      resolve: async () => 'not',
      statementTimeoutMs: 150,
    };
    return publish(() => database.connect() as Promise<Client>, parts, options).then(
      () => 'published',
      (error: SluiceError) => error,
    );
  };
  const after = ['CREATE TABLE public.made (x int)', 'SELECT pg_catalog.pg_sleep(3)'];
  const slow = await run([locking('a'), windowPart('public.b', { after })]);
  assert.ok(typeof slow !== 'string');
  assert.equal(slow.code, 'publish_slow');
  assert.equal(
    slow.message,
    'the publish of 1 table took too long: giving its keys, views, triggers and grants to public.b was not done after 600 ms',
  );
  assert.deepEqual(
    retries.map(({ reason, blockers }) => [reason.replace(/^.*took/, 'took'), blockers]),
    [
      ['took longer than 150 ms', []],
      ['took longer than 300 ms', []],
    ],
  );
  assert.deepEqual(await database.query("SELECT to_regclass('made') AS made"), [{ made: null }]);
  // With more time it is done.
  const soon = windowPart('public.b', { after: ['SELECT pg_catalog.pg_sleep(0.2)'] });
  assert.equal(await run([locking('a'), soon]), 'published');

  const other = await database.connect({ application_name: 'somebody' });
  await other.query('BEGIN; SELECT FROM a');
  const locked = await run([locking('a')]);
  assert.ok(typeof locked !== 'string');
  assert.equal(locked.code, 'locked');
  assert.match(String(locked.facts.details), /somebody/);
});
