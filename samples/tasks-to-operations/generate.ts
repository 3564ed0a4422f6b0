/**
 * Makes the old machine shop at any size, the same for the same seed:
 *
 *   node dist/samples/tasks-to-operations/generate.js --tasks 100000 --timers 500000 --into postgres://…
 *   node dist/samples/tasks-to-operations/generate.js --tasks 100000 --timers 500000 | psql …
 *
 * The first makes the tables of schema.sql and fills them, the second writes the data for psql to load.
 */

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { elementAt } from '../element.js';
import { copyRows, fillAt } from '../fill-database.js';
import { sampleFolder } from '../folder.js';
import { runAsCommand, writePieces } from '../generate-command.js';
import { type Cost, people, RAISE, type SystemOptions, type Task, tasks } from './system.js';

/** Where this sample's .sql files are. */
export const FILES = sampleFolder('tasks-to-operations');

/** A table's rows in COPY's text format; the generator makes no character that needs an escape. */
interface TableText {
  /** The table and its columns. */
  readonly into: string;
  readonly text: () => Iterable<string>;
}

const TASK_TYPE = 7;
const OTHER_TYPE = 12;
const COST = 'job_no_cached, currency, hours_ww, hours_ah, hours_su, cost_ww, cost_ah, cost_su, total_cost';

/** All tables of the generated system, in the order in which they refer to each other. */
export function tables(options: SystemOptions): TableText[] {
  const perTask = (row: (task: Task) => string) =>
    function* () {
      let text = '';
      for (const task of tasks(options)) {
        text += row(task);
        if (text.length > 60_000) {
          yield text;
          text = '';
        }
      }
      if (text !== '') yield text;
    };
  return [
    { into: 'auth_user (id, username)', text: () => [lines(people.map(({ id }) => [id, `user${id}`]))] },
    {
      into: 'django_content_type (id, app_label, model)',
      text: () => [
        lines([
          [4, 'auth', 'user'],
          [TASK_TYPE, 'machining', 'task'],
          [OTHER_TYPE, 'maintenance', 'request'],
        ]),
      ],
    },
    {
      into: 'machines_machine (id, code, name)',
      text: () => [lines(Array.from({ length: 20 }, (_, i) => [i + 1, `MC-${i + 1}`, `Machine ${i + 1}`]))],
    },
    {
      into: 'machining_wagerate (user_id, effective_from, currency, base_hourly)',
      text: () => [
        lines(
          people.flatMap(({ id, currency, hourly, raised }) => [
            [id, '2020-01-01', currency, hundredths(hourly)],
            [id, RAISE, currency, hundredths(raised)],
          ]),
        ),
      ],
    },
    {
      into: `machining_task (key, name, description, job_no, image_no, position_no, quantity, material, dimensions, weight_kg, finish_time,
        machine_fk_id, estimated_hours, in_plan, plan_order, planned_start_ms, planned_end_ms, plan_locked, created_by_id, created_at,
        completed_by_id, completion_date)`,
      text: perTask(taskRow),
    },
    {
      into: 'tasks_timer (id, content_type_id, object_id, user_id, start_time, finish_time, comment)',
      text: perTask((task) =>
        lines(
          task.timers.map(({ id, user, start, finish }) => [
            id,
            TASK_TYPE,
            task.key,
            user,
            start,
            finish,
            id % 10 === 0 ? `note ${id}` : null,
          ]),
        ),
      ),
    },
    {
      // Every fiftieth task's key is an object of something else, too.
      into: 'tasks_timer (id, content_type_id, object_id, user_id, start_time, finish_time)',
      text: perTask(({ number, key }) =>
        number % 50 === 0
          ? lines([
              [
                options.timers + number / 50,
                OTHER_TYPE,
                key,
                1,
                '2024-07-01 05:00:00+00',
                '2024-07-01 06:00:00+00',
              ],
            ])
          : '',
      ),
    },
    {
      into: `machining_jobcostagg (task_id, ${COST})`,
      text: perTask((task) =>
        task.cost === undefined ? '' : lines([[task.key, ...costFields(task, task.cost)]]),
      ),
    },
    {
      into: `machining_jobcostagguser (task_id, user_id, ${COST})`,
      text: perTask((task) =>
        lines([...task.byUser].map(([user, cost]) => [task.key, user, ...costFields(task, cost)])),
      ),
    },
  ];
}

function taskRow({ number, key, done, planned }: Task): string {
  const created = `2024-0${1 + (number % 9)}-1${number % 10} 0${number % 10}:00:00.${String(number % 1_000_000).padStart(6, '0')}+00`;
  return lines([
    [
      key,
      `Part ${number}`,
      number % 3 === 0 ? null : `As drawn, sheet ${number % 17}`,
      jobOf(number),
      `IMG-${number % 4000}`,
      `${number % 40}`,
      1 + (number % 25),
      elementAt(['S235', 'S355', 'C45', '42CrMo4', 'CuSn8'], number % 5),
      number % 7 === 0 ? null : `${10 + (number % 90)}x${20 + (number % 300)}`,
      `${number % 50}.${String(number % 1000).padStart(3, '0')}`,
      number % 4 === 0 ? null : `2025-0${1 + (number % 9)}-2${number % 9}`,
      number % 6 === 0 ? null : 1 + (number % 20),
      `${number % 30}.50`,
      planned,
      planned ? number : null,
      planned ? 1_735_700_000_000 + number * 3_600_000 : null,
      planned ? 1_735_700_000_000 + (number + 2) * 3_600_000 : null,
      planned && number % 2 === 0,
      1 + (number % 40),
      created,
      done ? 1 + (number % 40) : null,
      done ? `2025-06-0${1 + (number % 9)} 12:00:00+00` : null,
    ],
  ]);
}

const jobOf = (number: number) => `J-${1000 + Math.floor(number / 40)}`;

function costFields({ number, currency }: Task, { hours, costs }: Cost): (string | number)[] {
  const sum = costs.reduce((so, each) => so + each, 0);
  return [
    jobOf(number),
    currency,
    ...hours.map((tenths) => `${Math.floor(tenths / 10)}.${tenths % 10}0`),
    ...costs.map(hundredths),
    hundredths(sum),
  ];
}

const hundredths = (n: number) => `${Math.floor(n / 100)}.${String(n % 100).padStart(2, '0')}`;

function lines(rows: readonly (readonly (string | number | boolean | null)[])[]): string {
  return rows.map((row) => `${row.map((value) => value ?? '\\N').join('\t')}\n`).join('');
}

/** What follows the data: sequences go on after the ids that were given. */
const SEQUENCES = ['auth_user', 'django_content_type', 'machines_machine', 'tasks_timer']
  .map(
    (table) =>
      `SELECT setval(pg_get_serial_sequence('${table}', 'id'), max(id)) FROM ${table} HAVING count(*) > 0`,
  )
  .join(';\n');

/** Fills the tables of schema.sql, which must be there and empty. One transaction. */
export async function fill(client: pg.Client, options: SystemOptions): Promise<void> {
  await client.query('BEGIN');
  for (const { into, text } of tables(options)) await copyRows(client, into, text());
  await client.query(`${SEQUENCES}; COMMIT; ANALYZE`);
}

/** The same as a script for psql. */
export function* script(options: SystemOptions): Generator<string> {
  yield 'BEGIN;\n';
  for (const { into, text } of tables(options)) {
    yield `COPY ${into.replace(/\s+/g, ' ')} FROM stdin;\n`;
    yield* text();
    yield '\\.\n';
  }
  yield `${SEQUENCES};\nCOMMIT;\n`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tasks: { type: 'string', default: '1000' },
      timers: { type: 'string' },
      seed: { type: 'string', default: '7' },
      into: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write('generate.js --tasks N [--timers N] [--seed N] [--into URL | > data.sql]\n');
    return;
  }
  const options = {
    tasks: Number(values.tasks),
    timers: Number(values.timers ?? Number(values.tasks) * 5),
    seed: Number(values.seed),
  };
  if (
    !Object.values(options).every((n) => Number.isSafeInteger(n)) ||
    options.tasks < 0 ||
    options.timers < 0
  )
    throw new Error('--tasks and --timers take a number of rows, --seed an integer');
  if (options.tasks === 0 && options.timers > 0) throw new Error('timers need tasks: --tasks 1 or more');
  if (values.into === undefined) {
    await writePieces(script(options), process.stdout);
    return;
  }
  await fillAt(values.into, await readFile(new URL('schema.sql', FILES), 'utf8'), (client) =>
    fill(client, options),
  );
}

await runAsCommand(import.meta.url, main);
