import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessPipeline } from '../../src/assess/assess.js';
import { assessLines } from '../../src/cli/show/assess.js';
import { assessPage } from '../../src/cli/show/assess-html.js';
import { type Assessment, inOrder, required } from '../../src/core/assessment.js';
import { flow } from '../../src/core/flow.js';
import { pipeline } from '../../src/core/pipeline.js';
import { replace } from '../../src/core/target.js';
import { query } from '../../src/sources/postgres/index.js';
import { testDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';
import { oldTasks, tasksDatabase, tasksPipeline, WRONG_TASKS } from '../support/old-tasks.js';

test('an SQLite file is assessed: rows, data quality with offenders, figures, and what its catalog raises', async (t) => {
  const { database, log } = engine(t, await tasksDatabase(t));
  const assessed = await assessPipeline(tasksPipeline(oldTasks(t, WRONG_TASKS)), { database, log });
  assert.deepEqual(
    assessed.tables.map(({ name, of, rows }) => [name, of, rows]),
    [
      ['suppliers', 'old', 2],
      ['tasks', 'old', 4],
      ['new_tasks', 'target', 0],
    ],
  );
  assert.deepEqual(
    assessed.inputs.map(({ name, rows }) => [name, rows]),
    [['tasks', 4]],
  );
  assert.deepEqual(
    assessed.quality.map(({ name, by, severity, offenders, of, examples }) => [
      name,
      by,
      severity,
      offenders,
      of,
      examples,
    ]),
    [
      ['tasks.supplierId → suppliers', 'pipeline', 'error', 1, 4, ['supplierId gone: 1 row']],
      ['tasks.status is there', 'pipeline', 'error', 0, 4, []],
      ['tasks.status is one of 2 values', 'pipeline', 'error', 1, 4, ['status Done: 1 row']],
      ['tasks: createdAt before completedAt', 'pipeline', 'warning', 1, 4, []],
      [
        'tasks: values are of their declared types',
        'catalog',
        'warning',
        1,
        4,
        ['isApplied is declared BOOLEAN, and is not in 1 row'],
      ],
      ['tasks: dates tell how they are stored', 'catalog', 'warning', 0, 4, []],
    ],
  );
  assert.deepEqual([assessed.errors, assessed.warnings], [2, 2]);
  assert.deepEqual(assessed.figures[0]?.rows, [
    ['<script>alert("two")</script>', '1'],
    ['One', '2'],
  ]);
  const text = assessLines(assessed).join('\n');
  assert.match(text, /Rows that a run would reject\n {2}✓ none of 4\n/);
  assert.match(text, /✗ tasks\.supplierId → suppliers: 1 of 4, error/);
});

test('the page escapes what the old system holds, needs no network and runs no script', async (t) => {
  const { database, log } = engine(t, await tasksDatabase(t));
  const assessed = await assessPipeline(tasksPipeline(oldTasks(t, WRONG_TASKS)), { database, log });
  const page = assessPage(assessed);
  assert.doesNotMatch(page, /<script|https?:|url\(|<link|<img/i);
  assert.match(page, /&lt;script&gt;alert\(&quot;two&quot;\)&lt;\/script&gt;/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
  assert.match(page, /<dl class="bars">/);
  assert.match(page, /<b>2<\/b> errors/);
});

test('a pipeline that declares nothing is told its rows, and what PostgreSQL has not validated', async (t) => {
  const old = await testDatabase(t);
  await old.query(`CREATE TABLE models (id int PRIMARY KEY);
    CREATE TABLE parts (id int PRIMARY KEY, model int, n int);
    INSERT INTO models VALUES (1); INSERT INTO parts VALUES (1, 1, 1), (2, 2, -1), (3, 2, 1), (4, NULL, 1);
    ALTER TABLE parts ADD CONSTRAINT parts_model FOREIGN KEY (model) REFERENCES models NOT VALID;
    ALTER TABLE parts ADD CONSTRAINT parts_n CHECK (n > 0) NOT VALID`);
  const { database, log } = engine(t, old);
  const plain = pipeline({
    name: 'plain',
    summary: 'Parts.',
    inputs: { parts: query<{ id: string }>('SELECT id FROM parts', { name: 'parts' }) },
    tables: { parts: replace('parts', { columns: ['id'], omit: ['model', 'n'] }) },
    flows: ({ inputs, tables }) => [flow(inputs.parts).into(tables.parts)],
  });
  const assessed = await assessPipeline(plain, { database, log });
  assert.deepEqual(assessed.tables, [{ name: 'parts', of: 'old', rows: 4 }]);
  assert.deepEqual(
    assessed.quality.map(({ name, severity, offenders, examples }) => [name, severity, offenders, examples]),
    [
      ['parts.model → public.models', 'warning', 2, ['model 2: 2 rows']],
      ['parts: parts_n', 'warning', 1, ['1 row']],
    ],
  );
  assert.equal(assessed.errors, 0);
});

test('dates that a text column of PostgreSQL keeps are compared, and those that the calendar lacks are none', async (t) => {
  const old = await testDatabase(t);
  await old.query(`CREATE TABLE parts (id int PRIMARY KEY, made text, sold timestamp);
    INSERT INTO parts VALUES (1, '2024-02-29', '2024-02-28'), (2, '2024-02-30', '2024-02-28'), (3, '2023-02-29', '2023-01-01'),
      (4, '0000-01-01', '2024-01-01'), (5, 'soon', '2024-01-01'), (6, NULL, '2024-01-01'), (7, '2024-13-01', '2024-01-01'),
      (8, '2024-01-01T10:30:00.5Z', '2024-01-01 10:30'), (9, '2024-01-01 10:30', '2024-01-01 10:30:01')`);
  const { database, log } = engine(t, old);
  const plain = pipeline({
    name: 'plain',
    summary: 'Parts.',
    inputs: { parts: query<{ id: string }>('SELECT id FROM parts', { name: 'parts' }) },
    tables: { parts: replace('parts', { columns: ['id'], omit: ['made', 'sold'] }) },
    assess: { questions: [inOrder({ table: 'parts', earlier: 'made', later: 'sold' })] },
    flows: ({ inputs, tables }) => [flow(inputs.parts).into(tables.parts)],
  });
  const { quality } = await assessPipeline(plain, { database, log });
  assert.deepEqual([quality[0]?.offenders, quality[0]?.of], [2, 9], 'parts 1 and 8');
});

test('offenders without a value of their own are named by the columns that the pipeline says', async (t) => {
  const old = await testDatabase(t);
  await old.query(`CREATE TABLE models (id int PRIMARY KEY);
    CREATE TABLE parts (id int PRIMARY KEY, name text, made date, sold date, "modelId" int);
    ALTER TABLE parts ADD CONSTRAINT "parts_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES models NOT VALID;
    INSERT INTO parts VALUES (7, ' ', '2024-01-02', '2024-01-01', NULL), (8, 'nut', '2024-01-02', '2024-01-02', NULL)`);
  const { database, log } = engine(t, old);
  const show = ['id'];
  const plain = pipeline({
    name: 'plain',
    summary: 'Parts.',
    inputs: { parts: query<{ id: string }>('SELECT id FROM parts', { name: 'parts' }) },
    tables: { parts: replace('parts', { columns: ['id'] }) },
    assess: {
      questions: [
        ...required({ table: 'parts', columns: ['name'], show }),
        inOrder({ table: 'parts', earlier: 'made', later: 'sold', show }),
      ],
    },
    flows: ({ inputs, tables }) => [flow(inputs.parts).into(tables.parts)],
  });
  const { quality, rows } = await assessPipeline(plain, { database, log });
  assert.deepEqual(
    quality.map(({ examples }) => examples),
    [['id 7: 1 row'], ['id 7: 1 row'], []],
  );
  assert.match(
    String(quality[2]?.next),
    /^ALTER TABLE public\.parts VALIDATE CONSTRAINT "parts_modelId_fkey" /,
  );
  assert.match('why' in rows ? rows.why : '', /parts/);
});

test('where the old system is a file, and none is named, the message says how', async (t) => {
  const { database, log } = engine(t, await testDatabase(t));
  await assert.rejects(
    assessPipeline(tasksPipeline(undefined), { database, log }),
    /an SQLite file, and none was named/,
  );
});

test('dates of which it cannot be told how they are stored are raised, and compared once it is said', async (t) => {
  const { database, log } = engine(t, await tasksDatabase(t));
  const path = oldTasks(t, 'UPDATE tasks SET "completedAt" = "createdAt" / 1000 WHERE id = 1;');
  const asked = async (...questions: Assessment[]) =>
    (await assessPipeline(tasksPipeline(path, { assess: { questions } }), { database, log })).quality;
  const raised = (await asked()).find(({ name }) => name === 'tasks: dates tell how they are stored');
  assert.deepEqual(
    [raised?.offenders, raised?.examples],
    [
      2,
      [
        'completedAt: 1 is of the size of milliseconds since 1970: row 2: 1709370900000; 1 is of the size of seconds since 1970: row 1: 1709284500',
      ],
    ],
  );
  const order = { table: 'tasks', earlier: 'createdAt', later: 'completedAt' };
  await assert.rejects(asked(inOrder(order)), /the numbers in column completedAt are not dates of one unit/);
  const [told] = await asked(inOrder({ ...order, dates: 'milliseconds' }));
  assert.equal(told?.offenders, 1);
});
