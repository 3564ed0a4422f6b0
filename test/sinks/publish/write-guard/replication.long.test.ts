import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { rowRefusal } from '../../../../sinks/publish/rows/refusals.js';
import { windowSql } from '../../../../sinks/publish/window.js';
import { armGuard, disarmGuard, guardPart } from '../../../../sinks/publish/write-guard/journal.js';
import { literal } from '../../../../src/db/quote.js';
import { acquireFor, embeddedDirectory } from '../../../support/embedded.js';
import { PATIENT } from '../../../support/patience.js';
import { testServerOptions } from '../../../support/server.js';
import { until } from '../../../support/until.js';

const guard = { batch: 'b1', schema: 'b1_guard' };
const named = (table: string) => ({ schema: 'public', table });
const TABLES = `
CREATE TABLE plain (id int PRIMARY KEY, v int);
CREATE TABLE whole (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (100);
CREATE TABLE high PARTITION OF whole FOR VALUES FROM (100) TO (200);
CREATE TABLE quiet (id int PRIMARY KEY, v int);`;

/** What the window says of the guard of a table; nothing where it passes. */
async function said(client: pg.Client, table: string): Promise<string> {
  const sql = windowSql([guardPart(guard, named(table))], {
    lockTimeoutMs: 2000,
    statementTimeoutMs: 5000,
    ledger: [],
  });
  try {
    await client.query(sql);
  } catch (error) {
    await client.query('ROLLBACK');
    const refusal = rowRefusal(error);
    if (refusal === undefined) throw error;
    return [refusal.code, ...(refusal.facts.details ?? [])].join('\n');
  }
  return '';
}

test('what a subscription writes is seen: rows, by whichever name they are published, and TRUNCATE; a subscription that comes later refuses', async (t) => {
  // A server of its own: the others have no need of wal_level = logical.
  const { binaries } = testServerOptions();
  const { url } = await acquireFor(t, {
    ...(binaries === undefined ? {} : { binaries }),
    directory: embeddedDirectory(t),
    durable: false,
    settings: { wal_level: 'logical', max_wal_senders: '4' },
  });
  const session = async (database?: string) => {
    const to = new URL(url);
    if (database !== undefined) to.pathname = database;
    const client = new pg.Client({ connectionString: to.href });
    client.on('error', () => {});
    await client.connect();
    t.after(() => client.end());
    return client;
  };
  const server = await session();
  await server.query('CREATE DATABASE there');
  await server.query('CREATE DATABASE here');
  const there = await session('there');
  const here = await session('here');
  const from = new URL(url);
  from.pathname = 'there';
  await there.query(TABLES);
  await there.query(
    'CREATE PUBLICATION p FOR TABLE plain, whole WITH (publish_via_partition_root = true); CREATE PUBLICATION q FOR TABLE quiet',
  );
  for (const slot of ['s', 'r'])
    await there.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await here.query(`${TABLES} CREATE SCHEMA b1_guard`);
  const subscribe = (name: string, publication: string) =>
    here.query(
      `CREATE SUBSCRIPTION ${name} CONNECTION ${literal(from.href)} PUBLICATION ${publication} WITH (create_slot = false, slot_name = ${name}, copy_data = false)`,
    );
  await subscribe('s', 'p');
  const arm = async () => {
    await disarmGuard(here, guard, PATIENT);
    await armGuard(here, guard, ['plain', 'whole', 'low', 'quiet'].map(named), PATIENT);
  };
  const arrives = (table: string, n: number) =>
    until(`${n} rows in ${table}`, async () => (await here.query(`SELECT FROM ${table}`)).rowCount === n);
  await arm();
  await there.query('INSERT INTO plain VALUES (1, 1)');
  await arrives('plain', 1);
  assert.match(await said(here, 'plain'), /^live_written_during_load\npublic\.plain: 1 INSERT statement by/);
  assert.equal(await said(here, 'whole'), '');
  await there.query('INSERT INTO whole VALUES (1, 1), (2, 2)');
  await arrives('low', 2);
  assert.match(await said(here, 'low'), /^live_written_during_load\npublic\.low: \d INSERT/);
  assert.match(await said(here, 'whole'), /^live_written_during_load\npublic\.low: \d INSERT/);
  await arm();
  await there.query('INSERT INTO whole VALUES (101, 1)');
  await arrives('high', 1);
  assert.equal(await said(here, 'low'), '');
  await there.query('TRUNCATE plain');
  await arrives('plain', 0);
  assert.match(await said(here, 'plain'), /public\.plain: 1 TRUNCATE/);
  assert.equal(await said(here, 'quiet'), '');
  await subscribe('r', 'q');
  assert.match(
    await said(here, 'quiet'),
    /^guard_missing\npublic\.quiet receives changes from a subscription/,
  );
  for (const name of ['s', 'r']) await here.query(`DROP SUBSCRIPTION ${name}`);
});
