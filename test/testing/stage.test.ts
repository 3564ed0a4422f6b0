import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Rows, Run, Stage } from 'sluice';
import { testStage } from 'sluice/testing';
import { map, RowError } from 'sluice/transforms';
import { testDatabase } from '../support/database.js';
import { isSluice } from '../support/said.js';

type N = { readonly n: number };
const rows: N[] = Array.from({ length: 10 }, (_, n) => ({ n }));

test('a stage is told by its rows, its rejects with their lines, and its counts by reason', async () => {
  const stage: Stage<N> = async function* odd(chunks, run) {
    for await (const chunk of chunks) {
      for (const row of chunk.filter(({ n }) => n === 7)) run.reject(row, { reason: 'seven', value: row.n });
      run.skip('even', chunk.filter(({ n }) => n % 2 === 0).length);
      run.report({ name: 'r', columns: ['a'], rows: [['1']], more: 0, summary: [] });
      const out = chunk.filter(({ n }) => n % 2 === 1 && n !== 7);
      if (out.length > 0) yield out;
    }
  };
  const tested = await testStage(stage, rows);
  assert.deepEqual(
    tested.rows.map(({ n }) => n),
    [1, 3, 5, 9],
  );
  assert.deepEqual(tested.skipped, { even: 5 });
  assert.deepEqual(
    tested.rejects.map(({ reason, value, line, row }) => [reason, value, line, row?.n]),
    [['seven', 7, 8, 7]],
  );
  assert.deepEqual(
    tested.reports.map(({ name }) => name),
    ['r'],
  );
});

test('a stage finds settings and the moment of the batch, which is the same for every test', async () => {
  const stage: Stage<N, { readonly at: string }> = async function* stamped(chunks, run) {
    for await (const chunk of chunks)
      yield chunk.map(() => ({ at: `${run.startedAt.toISOString()} ${run.settings.mark}` }));
  };
  const { rows: out } = await testStage(stage, rows.slice(0, 1), { settings: { mark: 'x' } });
  assert.deepEqual(
    out.map(({ at }) => at),
    ['2025-01-01T00:00:00.000Z x'],
  );
});

const WRONG: readonly (readonly [string, (chunks: Rows<N>, run: Run) => Rows<N>, string, RegExp])[] = [
  [
    'loses rows',
    async function* lossy(chunks) {
      for await (const chunk of chunks) if (chunk.length > 1) yield chunk.slice(1);
    },
    'unaccounted_rows',
    /lossy/,
  ],
  [
    'makes up rows',
    async function* inventive(chunks) {
      for await (const chunk of chunks) yield [...chunk, { n: -1 }];
    },
    'unaccounted_rows',
    /inventive/,
  ],
  [
    'stops reading before the end',
    async function* early(chunks) {
      for await (const chunk of chunks) {
        yield chunk;
        return;
      }
    },
    'unaccounted_rows',
    /early/,
  ],
  [
    'does something else for other chunks',
    async function* uneven(chunks) {
      for await (const chunk of chunks) yield chunk.map(({ n }) => ({ n: n + chunk.length }));
    },
    'depends_on_chunks',
    /uneven.*rows/s,
  ],
  [
    'leaves scratch files',
    async function* untidy(chunks, run) {
      writeFileSync(join(run.scratch, 'left.bin'), '');
      for await (const chunk of chunks) yield chunk;
    },
    'scratch_left',
    /left\.bin/,
  ],
  [
    'asks a database where there is none',
    async function* asking(chunks, run) {
      await run.database.query('SELECT 1');
      for await (const chunk of chunks) yield chunk;
    },
    'no_database',
    /database: url/,
  ],
];

for (const [what, stage, code, said] of WRONG)
  test(`a stage that ${what} fails its test as ${code}`, async () => {
    // The six chunk sizes of the first one would be told apart before the accounts are.
    await assert.rejects(testStage(stage as Stage<N>, rows), (error) => {
      const cause = code === 'no_database' ? (error as { cause: unknown }).cause : undefined;
      return isSluice(code, said)(cause ?? error);
    });
  });

test('what a stage throws is said as in a run, with the line; a RowError is a reject', async () => {
  const broken = map((row: N) => {
    if (row.n === 4) throw new TypeError('no four');
    if (row.n === 2) throw new RowError('two', 'it is two');
    return row;
  });
  await assert.rejects(testStage(broken, rows), isSluice('stage_failed', /no four/, /"line":5/));
  const { rejects } = await testStage(broken, rows.slice(0, 4));
  assert.deepEqual(
    rejects.map(({ reason, line }) => [reason, line]),
    [['two', 3]],
  );
});

test('a stage is given the database that the test names', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE known (n integer); INSERT INTO known VALUES (3), (5)');
  const stage: Stage<N> = async function* known(chunks, run) {
    const found = new Set((await run.database.query<N>('SELECT n FROM known')).map(({ n }) => n));
    for await (const chunk of chunks) {
      const out = chunk.filter(({ n }) => found.has(n));
      run.skip('unknown', chunk.length - out.length);
      if (out.length > 0) yield out;
    }
  };
  const tested = await testStage(stage, rows, { database: database.url });
  assert.deepEqual([tested.rows.length, tested.skipped], [2, { unknown: 8 }]);
});
