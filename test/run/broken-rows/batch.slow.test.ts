import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import { pipeline } from '../../../src/core/pipeline.js';
import { append, merge, patch, replace } from '../../../src/core/target.js';
import { memory } from '../../../src/sources/memory.js';
import { csvFile, inShort, runAround } from '../../support/broken.js';
import { testDatabase } from '../../support/database.js';
import { loads } from '../../support/engine.js';

const published = (ran: unknown) => assert.ok(!(ran instanceof SluiceError), String(ran));

test('a child whose parent is rejected in the same batch is an orphan, and so are its own children', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a, n int CHECK (n > 0));
    CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
    CREATE TABLE c (id int PRIMARY KEY, b int, m int, FOREIGN KEY (b) REFERENCES b MATCH FULL)`);
  const a = csvFile(t, 'a.csv', 'id,up,n', '3,2,1', '2,1,1', '1,,0', '4,,1', '5,4,1');
  const b = csvFile(t, 'b.csv', 'id,a', '1,3', '2,4', '2,5');
  const c = csvFile(t, 'c.csv', 'id,b,m', '1,1,1', '2,2,1', '3,,1');
  for (const by of [append, merge] as const) {
    const make = (table: string, columns: readonly string[]) => by(table, { columns, key: ['id'] } as never);
    const { ran, rejects } = await runAround(
      t,
      database,
      // The children first: what is published before what is not for the pipeline to know.
      loads({
        c: [make('c', ['id', 'b', 'm']), c],
        b: [make('b', ['id', 'a']), b],
        a: [make('a', ['id', 'up', 'n']), a],
      }),
    );
    published(ran);
    assert.deepEqual(inShort(rejects).sort(), [
      '2 foreign_key_violation a_up_fkey up=2',
      '2 foreign_key_violation b_a_fkey a=3',
      '2 foreign_key_violation c_b_fkey b=1',
      '3 foreign_key_violation a_up_fkey up=1',
      '4 check_violation a_n_check n=0',
      '4 unique_violation b_pkey id=2',
    ]);
    const live = await database.query(
      'SELECT (SELECT array_agg(id ORDER BY id) FROM a) AS a, (SELECT array_agg(id ORDER BY id) FROM b) AS b, (SELECT array_agg(id ORDER BY id) FROM c) AS c',
    );
    assert.deepEqual(live, [{ a: [4, 5], b: [2], c: [2, 3] }]);
    await database.query('DELETE FROM c; DELETE FROM b; DELETE FROM a');
  }
});

test('a replaced parent that loses a row takes the child in the same batch along, replaced or appended', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE); CREATE TABLE r (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
    CREATE TABLE k (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (9, 'old')`);
  const { ran, rejects } = await runAround(
    t,
    database,
    loads({
      k: [append('k', { columns: ['id', 'p'] }), csvFile(t, 'k.csv', 'id,p', '1,1', '2,2', '3,9')],
      r: [replace('r', { columns: ['id', 'p'] }), csvFile(t, 'r.csv', 'id,p', '1,1', '2,2', '3,9')],
      p: [replace('p', { columns: ['id', 'code'] }), csvFile(t, 'p.csv', 'id,code', '1,x', '2,x')],
    }),
  );
  published(ran);
  assert.deepEqual(inShort(rejects).sort(), [
    '3 foreign_key_violation k_p_fkey p=2',
    '3 foreign_key_violation r_p_fkey p=2',
    '3 unique_violation p_code_key code=x',
    '4 foreign_key_violation k_p_fkey p=9',
    '4 foreign_key_violation r_p_fkey p=9',
  ]);
  const live = await database.query('SELECT k.id AS k, r.id AS r FROM k, r');
  assert.deepEqual(live, [{ k: 1, r: 1 }]);
});

test('of equal keys the first in the order of the inputs stays, and the others name its line', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE one (id int PRIMARY KEY, w text)');
  const rows = (from: number, w: string) =>
    Array.from({ length: 700 }, (_, i) => ({ id: String(from + i), w: `${w}${'x'.repeat((i * 7) % 300)}` }));
  const inputs = {
    first: memory('first', rows(1, 'a')),
    second: memory('second', rows(701, 'b').toSpliced(300, 1, { id: '5', w: 'b' })),
  };
  const { ran, rejects } = await runAround(
    t,
    database,
    pipeline({
      name: 'two-into-one',
      summary: 'two inputs',
      inputs,
      tables: { one: append('one', { columns: ['id', 'w'] }) },
      flows: ({ inputs: { first, second }, tables }) => [
        flow(first).into(tables.one),
        flow(second).into(tables.one),
      ],
    }),
  );
  published(ran);
  assert.deepEqual(inShort(rejects), ['301 unique_violation one_pkey id=5']);
  assert.match(
    String((rejects[0] as { message?: string }).message),
    /the first such row is on line 5 of first/,
  );
});

test('partial, expression and NULLS NOT DISTINCT indexes, and an index of several columns, keep what they would', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE u (id int, a text, b int, c int, CONSTRAINT pair UNIQUE (a, b), CONSTRAINT nulls UNIQUE NULLS NOT DISTINCT (c));
    CREATE UNIQUE INDEX lower_a ON u (lower(a)) WHERE b > 5; INSERT INTO u VALUES (0, 'Live', 6, 100)`);
  const { ran, rejects } = await runAround(
    t,
    database,
    loads({
      u: [
        append('u', { columns: ['id', 'a', 'b', 'c'] }),
        csvFile(
          t,
          'u.csv',
          'id,a,b,c',
          '1,x,1,1',
          '2,x,1,2',
          '3,X,6,3',
          '4,x,7,4',
          '5,x,2,5',
          '6,,1,6',
          '7,,1,7',
          '8,y,1,',
          '9,z,1,',
          '10,LIVE,8,8',
          '11,live,1,9',
          '12,w,1,100',
        ),
      ],
    }),
  );
  published(ran);
  assert.deepEqual(inShort(rejects), [
    '3 unique_violation pair a, b=x, 1',
    '5 unique_violation lower_a a, b=x, 7',
    '10 unique_violation nulls c=null',
    '11 unique_violation lower_a a, b=LIVE, 8',
    '13 unique_violation nulls c=100',
  ]);
});

test('a merge or patch may not take a value that another row of live keeps, and may take one that is given up', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE m (id int PRIMARY KEY, code text, kind int DEFAULT 1, required text NOT NULL DEFAULT 'r', UNIQUE (code, kind), CHECK (kind < 5 OR code <> 'low'));
    INSERT INTO m VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, 'd', 9), (5, 'e', 1)`);
  const lines = ['id,code', '1,b', '6,c', '3,z', '4,low', '7,d', '8,e', '5,e'];
  for (const by of [merge, patch] as const) {
    const { ran, rejects } = await runAround(
      t,
      database,
      loads({
        m: [
          by('m', {
            columns: ['id', 'code'],
            key: ['id'],
            ...(by === patch ? { missing: 'skip' as const } : {}),
          }),
          csvFile(t, 'm.csv', ...lines),
        ],
      }),
    );
    published(ran);
    // Line 3 takes what line 4 gives up; line 7 meets nothing (its kind is 1); 8 is kept out by 9, which live has so.
    const broken = [
      '2 unique_violation m_code_kind_key code, kind=b',
      '5 check_violation m_check kind, code=low',
    ];
    assert.deepEqual(
      inShort(rejects),
      by === merge ? [...broken, '7 unique_violation m_code_kind_key code, kind=e'] : broken,
    );
    await database.query("DELETE FROM m WHERE id > 5; UPDATE m SET code = 'c' WHERE id = 3");
  }
});

test('a row for which a partitioned table has no partition is a reject', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE days (day date, n int) PARTITION BY RANGE (day);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (n);
    CREATE TABLE days_1_1 PARTITION OF days_1 FOR VALUES IN (1)`);
  const input = csvFile(t, 'days.csv', 'day,n', '2024-05-05,1', '2024-05-05,2', '2026-05-05,1');
  for (const table of ['days_1_1', 'days_1', 'days']) {
    const { ran, rejects } = await runAround(
      t,
      database,
      loads({ days: [append(table, { columns: ['day', 'n'] }), input] }),
    );
    published(ran);
    // The bound of the table itself comes first, and days_1 has only the day in its own.
    const late = table === 'days_1' ? 'day=2026-05-05' : 'day, n=2026-05-05, 1';
    assert.deepEqual(inShort(rejects), [
      `3 check_violation null day, n=2024-05-05, 2`,
      `4 check_violation null ${late}`,
    ]);
    const [{ message } = {}] = rejects as { message?: string }[];
    const bounds = `; expected: what the bounds of partitions of public.${table} take: (`;
    assert.ok(message?.includes(bounds) === true && !message.includes('constraint'), message);
  }
});
