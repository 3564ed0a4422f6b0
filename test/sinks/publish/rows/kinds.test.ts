import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowParts } from '../../../../sinks/publish/rows/parts.js';
import { readCounts } from '../../../support/counts.js';
import { testDatabase } from '../../../support/database.js';
import { checksums, openBatch, publish, runWindow, stage, undo } from '../../../support/window.js';

test('a partitioned table: rows go to, move between and come back from its partitions', async (t) => {
  const client = await (await testDatabase(t)).connect();
  await client.query(
    'CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p SELECT i, i FROM generate_series(0, 5) i',
  );
  const before = await checksums(client, 'p', 'p1', 'p2');
  const target = {
    schema: 'public',
    table: 'p',
    mode: 'sync' as const,
    columns: ['id', 'v'],
  };
  const names = await publish(client, 'b1', [
    target,
    [
      ['1', '1'],
      ['2', '7'],
      ['15', '1'],
    ],
  ]);
  const [counts] = await readCounts(client, names);
  assert.deepEqual([counts?.inserted, counts?.updated, counts?.unchanged, counts?.deleted], [1, 1, 1, 4]);
  await undo(client, names);
  assert.deepEqual(await checksums(client, 'p', 'p1', 'p2'), before);
});

test('keys of array, enum, varchar, domain and range types, and a table that refers to itself', async (t) => {
  const client = await (await testDatabase(t)).connect();
  await client.query(
    `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN code AS varchar(9);
     CREATE TABLE k (a int[], m mood, v varchar(5), c code, r int4range, x int, PRIMARY KEY (a, m, v, c, r));
     INSERT INTO k VALUES ('{1,2}', 'ok', 'v', 'c', '[1,3)', 1);
     CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE); INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 1)`,
  );
  const before = await checksums(client, 'k', 'tree');
  const names = await publish(
    client,
    'b1',
    [
      { schema: 'public', table: 'k', mode: 'merge', columns: ['a', 'm', 'v', 'c', 'r', 'x'] },
      [
        ['{1,2}', 'ok', 'v', 'c', '[1,2]', '2'],
        ['{1}', 'ok', 'v', 'c', '[1,2]', '2'],
      ],
    ],
    [
      { schema: 'public', table: 'tree', mode: 'sync', columns: ['id', 'up'] },
      [
        ['1', null],
        ['4', '1'],
        ['2', '4'],
      ],
    ],
  );
  const counts = await readCounts(client, names);
  assert.deepEqual(
    counts.map((one) => [one.inserted, one.updated, one.deleted]),
    [
      [1, 1, 0],
      [1, 1, 1],
    ],
  );
  await undo(client, names);
  assert.deepEqual(await checksums(client, 'k', 'tree'), before);
});

test('a late part does nothing before the swap; its lock and guard come with the others', async (t) => {
  const client = await (await testDatabase(t)).connect();
  await client.query('CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1)');
  const names = await openBatch(client, 'b1');
  const target = { schema: 'public', table: 'a', mode: 'merge' as const, columns: ['id', 'v'] };
  const facts = await stage(client, names, [target, [['1', '2']]]);
  const parts = rowParts([{ facts, names, late: true, guard: ['SELECT 1'] }]);
  assert.deepEqual(
    parts.flatMap((part) => part.early),
    [],
  );
  assert.deepEqual(
    parts.flatMap((part) => part.rechecks),
    ['SELECT 1'],
  );
  assert.deepEqual(
    parts.flatMap((part) => part.locks),
    [{ schema: 'public', table: 'a', mode: 'SHARE ROW EXCLUSIVE', members: true }],
  );
  const before = await checksums(client, 'a');
  await runWindow(client, parts);
  assert.notDeepEqual(await checksums(client, 'a'), before);
  await undo(client, names);
  assert.deepEqual(await checksums(client, 'a'), before);
});

test('citext: keys match in any case, and a corrected case is a change', async (t) => {
  const client = await (await testDatabase(t)).connect();
  const there = await client.query("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'");
  if (there.rows.length === 0) return t.skip('this server has no citext');
  await client.query(
    "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE c (k ext.citext PRIMARY KEY, v ext.citext); INSERT INTO c VALUES ('Key', 'ann')",
  );
  const before = await checksums(client, 'c');
  const names = await publish(client, 'b1', [
    { schema: 'public', table: 'c', mode: 'merge', columns: ['k', 'v'] },
    [['KEY', 'Ann']],
  ]);
  assert.deepEqual((await client.query('SELECT * FROM c')).rows, [{ k: 'Key', v: 'Ann' }]);
  await undo(client, names);
  assert.deepEqual(await checksums(client, 'c'), before);
});

test('a deferrable primary key, checked at the end, is a key as any other: there and back', async (t) => {
  const client = await (await testDatabase(t)).connect();
  await client.query(
    "CREATE TABLE d (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, x text); INSERT INTO d VALUES (1, 'a'), (2, 'b'), (3, 'c')",
  );
  const before = await checksums(client, 'd');
  const names = await publish(client, 'b1', [
    { schema: 'public', table: 'd', mode: 'sync', columns: ['id', 'x'] },
    [
      ['1', 'a'],
      ['2', 'new'],
      ['4', 'd'],
    ],
  ]);
  const [counts] = await readCounts(client, names);
  assert.deepEqual([counts?.inserted, counts?.updated, counts?.unchanged, counts?.deleted], [1, 1, 1, 1]);
  await undo(client, names);
  assert.deepEqual(await checksums(client, 'd'), before);
});
