import {
  again,
  type Check,
  check,
  type Database,
  type Finding,
  nothingLeftBehind,
  noun,
  offenders,
  onlyRow,
  orMore,
  plural,
} from 'sluice';
import { valuesFit } from './fit.js';
import { keysFree, newApplication, partKeyKnown, taskKeyColumn } from './new-system.js';
import { shownPerson } from './people.js';
import { lackOfRates, wrongRules } from './recompute.js';
import { lookForTables, OLD_COLUMNS, TASK_TYPE, taskType } from './source.js';

const LISTED = 20;

/** The timers that run, as findings: who is at work on what, and since when. */
export async function activeTimers(database: Database): Promise<Finding[]> {
  const person = await shownPerson(database, 'm.user_id');
  return offenders(
    await database.query(
      `SELECT m.id, CASE WHEN c.app_label = $1 AND c.model = $2 THEN 'task ' ELSE c.app_label || '.' || c.model || ' ' END || m.object_id AS what,
              ${person.name} AS who, m.start_time::text AS since
       FROM tasks_timer m
       LEFT JOIN django_content_type c ON c.id = m.content_type_id
       ${person.join}
       WHERE m.finish_time IS NULL ORDER BY m.start_time, m.id LIMIT 1000`,
      [TASK_TYPE.app, TASK_TYPE.model],
    ),
    (n) => (n === 1 ? 'a timer is running' : `${orMore(n)} timers are running`),
    (timer) => `${timer.what}: ${timer.who}, since ${timer.since} (timer ${timer.id})`,
    {
      next: [
        again({}, { lead: 'have them stopped, stop the application, then' }),
        'or stop them yourself: UPDATE tasks_timer SET finish_time = now() WHERE finish_time IS NULL',
      ],
    },
  );
}

const noActiveTimer: Check = check(
  'no-active-timer',
  'nobody is at work: no timer is running',
  ({ database }) => activeTimers(database),
);

/** The columns of the old tables that the pipeline reads, named where they are missing. */
const oldColumns: Check = check(
  'old-columns',
  'the old tables have the columns that are read',
  async ({ database }) =>
    offenders(
      await database.query(
        `SELECT w.name, string_agg(w.column_name, ', ' ORDER BY w.at) AS lacking
         FROM jsonb_to_recordset($1::jsonb) AS w(name text, column_name text, at int)
         WHERE to_regclass(w.name) IS NOT NULL AND NOT EXISTS (
           SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(w.name) AND a.attname = w.column_name AND NOT a.attisdropped)
         GROUP BY w.name ORDER BY 1`,
        [
          JSON.stringify(
            Object.entries(OLD_COLUMNS).flatMap(([name, columns]) =>
              columns.map((column_name, at) => ({ name, column_name, at })),
            ),
          ),
        ],
      ),
      (n) => (n === 1 ? 'an old table lacks columns' : `${n} old tables lack columns`),
      (row) => `${row.name}: ${row.lacking}`,
      {
        next: [
          'bring the old application up to date: python manage.py migrate',
          'or give the table what it lacks: ALTER TABLE … ADD COLUMN …',
        ],
      },
    ),
);

const contentTypes: Check = check(
  'content-types',
  `there is the content type ${TASK_TYPE.app}.${TASK_TYPE.model}`,
  async ({ database }) => {
    const [found] = await database.query<{ id: number | null }>(`SELECT ${taskType} AS id`);
    if (found?.id != null) return [];
    return [
      {
        severity: 'error',
        message: `django_content_type has no row for ${TASK_TYPE.app}.${TASK_TYPE.model}, so timers of tasks cannot be told from others`,
        next: [
          'check that --database-url names the right database',
          'python manage.py migrate   (it makes the row)',
        ],
      },
    ];
  },
);

/** How many there are of everything, and how many of them have been migrated. */
const rowCounts: Check = check('row-counts', 'how many rows there are', async ({ database, missing }) => {
  const parts = !missing('parts') && (await lookForTables(database)).parts;
  const { tasks, migrated, timers, allTimers, costs, userCosts } = onlyRow(
    await database.query<Record<string, string>>(
      `SELECT (SELECT count(*) FROM machining_task) AS tasks,
            ${parts ? '(SELECT count(*) FROM machining_task t JOIN tasks_part p ON p.task_key = t.key)' : '0'} AS migrated,
            (SELECT count(*) FROM tasks_timer WHERE content_type_id = ${taskType}) AS timers,
            (SELECT count(*) FROM tasks_timer) AS "allTimers",
            (SELECT count(*) FROM machining_jobcostagg) AS costs,
            (SELECT count(*) FROM machining_jobcostagguser) AS "userCosts"`,
    ),
  );
  const of = (text: string | undefined, one: string) => plural(Number(text), one);
  return [
    {
      severity: 'note',
      message: `${of(tasks, 'task')}, ${migrated} of them migrated already; ${timers} of ${of(allTimers, 'timer')} ${noun(Number(timers), 'is', 'are')} on tasks; ${of(costs, 'job cost')}, ${userCosts} by user`,
    },
  ];
});

const orphanTimers: Check = check(
  'orphan-timers',
  'every timer of a task has its task',
  async ({ database, settings }) => {
    const leave = settings.orphan_timers === 'leave';
    const person = await shownPerson(database, 'm.user_id');
    return offenders(
      await database.query(
        `SELECT m.id, m.object_id, ${person.name} AS who, m.start_time::text AS since
         FROM tasks_timer m ${person.join}
         WHERE m.content_type_id = ${taskType} AND NOT EXISTS (SELECT FROM machining_task t WHERE t.key = m.object_id)
         ORDER BY m.id LIMIT 1000`,
      ),
      (n) =>
        `${n === 1 ? 'a timer is of a task that does' : `${orMore(n)} timers are of tasks that do`} not exist${leave ? ', and left as they are' : ''}`,
      (timer) => `timer ${timer.id}: task ${timer.object_id}, ${timer.who}, from ${timer.since}`,
      leave
        ? { severity: 'warning', limit: LISTED }
        : {
            limit: LISTED,
            next: [
              again({}, { lead: 'point them to the right task, or delete them, then' }),
              again({ flags: { set: ['orphan_timers=leave'] } }, { lead: 'or leave them as they are' }),
            ],
          },
    );
  },
);

const orphanCosts: Check = check('orphan-costs', 'every cost has its task', async ({ database }) => {
  const person = await shownPerson(database, 'c.user_id');
  return offenders(
    await database.query(
      `SELECT 'task ' || c.task_id AS whose, c.total_cost::text AS cost, c.currency FROM machining_jobcostagg c
       WHERE NOT EXISTS (SELECT FROM machining_task t WHERE t.key = c.task_id)
       UNION ALL
       SELECT 'task ' || c.task_id || ', ' || ${person.name}, c.total_cost::text, c.currency
       FROM machining_jobcostagguser c ${person.join}
       WHERE NOT EXISTS (SELECT FROM machining_task t WHERE t.key = c.task_id)
       ORDER BY 1 LIMIT 1000`,
    ),
    (n) =>
      `${n === 1 ? 'a cost is of a task that does' : `${orMore(n)} costs are of tasks that do`} not exist: rejects, for there is no part to go to`,
    (cost) => `${cost.whose}: ${cost.cost} ${cost.currency}`,
    {
      severity: 'warning',
      next: ['correct their task_id, or delete them', 'or migrate without them (--max-rejects)'],
    },
  );
});

const rules: Check = check(
  'recompute',
  'costs can be recomputed from the timers',
  async ({ database, settings }) => {
    if (settings.recompute === 'off') return [];
    const wrong = wrongRules(settings).map(
      ({ name, like }): Finding => ({
        severity: 'error',
        message: `${name}=${settings[name]} is not understood`,
        next: again({ flags: { set: [`${name}=${like}`] } }),
      }),
    );
    if (wrong.length > 0) return wrong;
    const zones = await database.query('SELECT FROM pg_timezone_names WHERE name = $1', [settings.timezone]);
    if (zones.length === 0)
      return [
        {
          severity: 'error',
          message: `the server knows no time zone ${settings.timezone}`,
          next: again(
            { flags: { set: ['timezone=Europe/Istanbul'] } },
            { note: 'names: SELECT name FROM pg_timezone_names' },
          ),
        },
      ];
    const lack = await lackOfRates(database);
    if (lack === undefined) return [];
    return [
      {
        severity: settings.recompute === 'refuse' ? 'error' : 'warning',
        message: `${lack}, so costs are migrated and not recomputed`,
        next: [
          'docs/tasks-to-operations.md says what it holds',
          again({ flags: { set: ['recompute=off'] } }, { lead: 'or do without' }),
        ],
      },
    ];
  },
);

/** Everything that is asked before anything is written. */
export const beforeAnythingIsWritten: readonly Check[] = [
  oldColumns,
  nothingLeftBehind(['tasks', 'jobCosts', 'jobUserCosts']),
  newApplication,
  rowCounts,
  noActiveTimer,
  contentTypes,
  taskKeyColumn,
  partKeyKnown,
  keysFree,
  valuesFit,
  orphanTimers,
  orphanCosts,
  rules,
];
