import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import pg from 'pg';
import { merge, replace } from '../../src/core/target.js';
import { acquireEmbedded, stopEmbedded } from '../../src/db/embedded/index.js';
import { EMPTY, testDatabase } from '../support/database.js';
import { engine, loads, rowsAfter } from '../support/engine.js';
import { tempFolder } from '../support/files.js';
import { long } from '../support/long.js';
import { thrown } from '../support/thrown.js';
import { until } from '../support/until.js';

// The tests of publishing that need the whole engine, or a server of their own; the others stand beside the
// swap's parts. The numbers are those of the swap's acceptance tests.

const SYSTEM = `
CREATE TABLE models (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE parts (id int PRIMARY KEY, model_id int NOT NULL REFERENCES models ON DELETE CASCADE, amount int NOT NULL);
INSERT INTO models SELECT i, 'model ' || i FROM generate_series(1, 5) i;
INSERT INTO parts SELECT i, i, 0 FROM generate_series(1, 5) i;
`;
const PARTS = { columns: ['id', 'model_id', 'amount'] as const, key: ['id'] as const };
const parts = (n: number) => Array.from({ length: n }, (_, i) => ({ id: i + 1, model_id: 1, amount: 7 }));

const WRITES: Readonly<Record<string, string>> = {
  'a COPY': "COPY parts FROM PROGRAM 'echo 99,1,1' (FORMAT csv)",
  'a cascaded delete': 'DELETE FROM models WHERE id = 5',
  'a TRUNCATE': 'TRUNCATE parts',
  'a session in replica role':
    'SET session_replication_role = replica; UPDATE parts SET amount = 3 WHERE id = 2',
  'a savepoint': 'BEGIN; SAVEPOINT a; UPDATE parts SET amount = 3 WHERE id = 2; RELEASE a; COMMIT',
};

for (const [name, sql] of Object.entries(WRITES))
  (name === Object.keys(WRITES)[0] ? test : long)(
    `SWAP 21: ${name} during the load stops the publish`,
    async (t) => {
      const database = await testDatabase(t, { template: EMPTY });
      await database.query(SYSTEM);
      const writer = await database.connect();
      const source = rowsAfter(parts(3), () => writer.query(sql));
      const { run } = engine(t, database);
      const error = await thrown(
        run(loads({ parts: [replace('parts', { columns: PARTS.columns }), source] })),
      );
      assert.equal(error.code, 'live_written_during_load');
      assert.equal(error.facts.table, 'public.parts');
    },
  );

long('SWAP 23: a server that is stopped at once after the swap has all rows when it is back', async (t) => {
  const directory = tempFolder(t);
  const server = await acquireEmbedded({ directory });
  try {
    const rows = parts(2000).map((row) => ({ ...row, amount: row.id }));
    const before = new pg.Client({ connectionString: server.url });
    before.on('error', () => {});
    await before.connect();
    await before.query(SYSTEM);
    const { database, run } = engine(t, server);
    const { summary } = await run(loads({ parts: [replace('parts', { columns: PARTS.columns }), rows] }));
    assert.equal(summary.status, 'completed');
    const [postmaster] = (await before.query('SELECT pg_read_file($1) AS pid', ['postmaster.pid'])).rows;
    // SIGQUIT is an immediate shutdown: no checkpoint, recovery from the WAL at the next start.
    process.kill(Number(String(postmaster.pid).split('\n')[0]), 'SIGQUIT');
    await database.close();
    await before.end().catch(() => {});
    await server.release();
    const again = await acquireEmbedded({ directory });
    const after = new pg.Client({ connectionString: again.url });
    await after.connect();
    const counted = await after.query('SELECT count(*)::int AS n, sum(amount)::int AS total FROM parts');
    assert.deepEqual(counted.rows, [{ n: 2000, total: (2000 * 2001) / 2 }]);
    await after.end();
    await again.release();
  } finally {
    await stopEmbedded({ directory, force: true });
    rmSync(directory, { recursive: true, force: true });
  }
});

long('SWAP 24: a published table is refused for replace, and a merge reaches its subscriber', async (t) => {
  const directory = tempFolder(t);
  const server = await acquireEmbedded({
    directory,
    durable: false,
    settings: { wal_level: 'logical', max_wal_senders: '4', max_replication_slots: '4' },
  });
  const sessions: pg.Client[] = [];
  const connect = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    sessions.push(client);
    return client;
  };
  try {
    const publisher = await connect(server.url);
    await publisher.query(SYSTEM);
    await publisher.query('CREATE PUBLICATION changes FOR TABLE parts');
    await publisher.query('CREATE DATABASE subscriber');
    const other = new URL(server.url);
    other.pathname = '/subscriber';
    const subscriber = await connect(other.href);
    await subscriber.query(
      'CREATE TABLE parts (id int PRIMARY KEY, model_id int NOT NULL, amount int NOT NULL)',
    );
    // Both in one cluster: the slot must be made apart, or CREATE SUBSCRIPTION would wait for itself.
    await publisher.query("SELECT pg_create_logical_replication_slot('changes', 'pgoutput')");
    await subscriber.query(
      `CREATE SUBSCRIPTION changes CONNECTION '${server.url}' PUBLICATION changes WITH (create_slot = false, slot_name = 'changes')`,
    );

    const { database, run } = engine(t, server);
    const refused = await thrown(
      run(loads({ parts: [replace('parts', { columns: PARTS.columns }), parts(3)] })),
    );
    assert.equal(refused.kind, 'refused');
    assert.match(refused.message, /published by changes/);
    assert.match(String(refused.facts.next), /--mode sync/);

    const merged = [
      { id: 2, model_id: 1, amount: 22 },
      { id: 9, model_id: 1, amount: 99 },
    ];
    await run(loads({ parts: [merge('parts', PARTS), merged] }));
    const wanted = (await publisher.query('SELECT * FROM parts ORDER BY id')).rows;
    assert.equal(wanted.length, 6);
    await until('the merged rows at the subscriber', async () => {
      const has = (await subscriber.query('SELECT * FROM parts ORDER BY id')).rows;
      return JSON.stringify(has) === JSON.stringify(wanted);
    });
    await subscriber.query('ALTER SUBSCRIPTION changes DISABLE');
    await subscriber.query('ALTER SUBSCRIPTION changes SET (slot_name = NONE)');
    await subscriber.query('DROP SUBSCRIPTION changes');
    await database.close();
  } finally {
    await Promise.all(sessions.map((client) => client.end().catch(() => {})));
    await server.release();
    await stopEmbedded({ directory, force: true });
    rmSync(directory, { recursive: true, force: true });
  }
});
