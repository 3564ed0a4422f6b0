import {
  again,
  type Finding,
  offenders,
  onlyRow,
  plural,
  type Row,
  type Validation,
  type ValidationContext,
  validation,
} from 'sluice';
import { activeTimers } from './checks.js';
import { differencesSql, lackOfRates, rulesOf } from './recompute.js';
import { lookForTables, OPERATION_TYPE, TASK_FIELDS, taskType } from './source.js';
import { AMOUNTS, COST_COLUMNS, OPERATION_COLUMNS, PART_COLUMNS, PLANNING_COLUMNS } from './tables.js';

type Tables = Pick<ValidationContext, 'staged' | 'live' | 'published'>;

/** Live and staged rows of a table together, as they will be; once published, they are. */
const together = ({ staged, live, published }: Tables, table: string, columns: string) =>
  `(SELECT ${columns} FROM ${live(table)}${published ? '' : ` UNION ALL SELECT ${columns} FROM ${staged(table)}`})`;

const AGAIN = [
  'where rows were rejected, correct them',
  again({}, { lead: 'else somebody wrote to the tables meanwhile' }),
];

/** Timers may have been started since the check. */
const stillNoActiveTimer: Validation = validation(
  'no-active-timer',
  'still nobody is at work: no timer is running',
  // Once published, people are at work again.
  async ({ database, published }) => (published ? [] : activeTimers(database)),
);

const tasksAreParts: Validation = validation(
  'tasks-are-parts',
  'as many parts as tasks: every task has one',
  async (context) => {
    const { database, published } = context;
    const rows = await database.query(
      `SELECT t.key, count(p.task_key)::int AS parts FROM machining_task t
         LEFT JOIN ${together(context, 'parts', 'task_key')} p ON p.task_key = t.key
         GROUP BY t.key HAVING count(p.task_key) <> 1 ORDER BY 1 LIMIT 1000`,
    );
    // A task that has none may be newer than the publish, or its part deleted by whoever works with it.
    const since = published ? rows.filter(({ parts }) => parts === 0) : [];
    return [
      ...offenders(
        rows.filter((row) => !since.includes(row)),
        (n) =>
          published
            ? `${n === 1 ? 'a task has' : `${n} tasks have`} several parts`
            : `${n === 1 ? 'a task would' : `${n} tasks would`} not have one part`,
        (row) => `${row.key}: ${plural(Number(row.parts), 'part')}`,
        { next: AGAIN },
      ),
      ...offenders(
        since,
        (n) =>
          `${n === 1 ? 'a task has' : `${n} tasks have`} no part now: new since the publish, or the part is deleted`,
        (row) => String(row.key),
        { severity: 'warning' },
      ),
    ];
  },
);

const oneOperationAPart: Validation = validation(
  'one-operation-a-part',
  'as many operations as parts: every new part has one, the first, not interchangeable',
  async ({ database, staged, published, asWritten }) => {
    const { partKey } = await lookForTables(database);
    return offenders(
      await database.query(
        // Of a part that has been changed since, or whose operation has, only the other one is as it was published.
        `SELECT coalesce(p.key, 'part ' || o.part_id) AS part, o.key AS operation
         FROM ${staged('parts')} p FULL JOIN ${staged('operations')} o ON o.part_id = p.${partKey}
         WHERE ${
           published
             ? `${asWritten('operations', 'o')} AND (p.key IS NULL OR o."order" <> 1 OR o.interchangeable)`
             : `p.key IS NULL OR o.key IS NULL OR o."order" <> 1 OR o.interchangeable`
         }
         UNION ALL
         SELECT p.key, count(*) || CASE count(*) WHEN 1 THEN ' operation' ELSE ' operations' END FROM ${staged('parts')} p JOIN ${staged('operations')} o ON o.part_id = p.${partKey}
         WHERE ${asWritten('operations', 'o')} GROUP BY p.key HAVING count(*) > 1
         ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `${n === 1 ? 'a part would' : `${n} parts would`} not have one operation, its first`,
      (row) => `${row.part}: ${row.operation ?? 'no operation'}`,
      { next: AGAIN },
    );
  },
);

const shared = (columns: readonly string[]) =>
  columns.filter((column) => column !== 'key' && TASK_FIELDS.some((field) => field === column));

/** A SELECT of the rows (`s`) that are as they were written, and whose `columns` are not those of their task (`t`). */
const changed = (
  { staged, asWritten }: ValidationContext,
  table: string,
  key: string,
  columns: readonly string[],
  also: string,
) =>
  `SELECT s.key, t.key AS task FROM ${staged(table)} s LEFT JOIN machining_task t ON t.key = s.${key}
   WHERE ${asWritten(table, 's')} AND (t.key IS NULL OR ${also} OR ROW(${columns.map((column) => `s.${column}`).join(', ')})
     IS DISTINCT FROM ROW(${columns.map((column) => `t.${column}`).join(', ')}))
   ORDER BY 1 LIMIT 1000`;

const fieldsAsBefore: Validation = validation(
  'fields-as-before',
  'parts and operations have their task’s fields',
  async (context) => [
    ...offenders(
      await context.database.query(
        changed(context, 'parts', 'task_key', shared(PART_COLUMNS), "s.key <> 'PT-' || s.task_key"),
      ),
      (n) => `${n === 1 ? 'a part differs' : `${n} parts differ`} from the task it was`,
      (row) => `${row.key}: task ${row.task ?? 'is not there'}`,
      { next: AGAIN },
    ),
    ...offenders(
      await context.database.query(changed(context, 'operations', 'key', shared(OPERATION_COLUMNS), 'false')),
      (n) => `${n === 1 ? 'an operation differs' : `${n} operations differ`} from the task it was`,
      (row) => `${row.key}: task ${row.task ?? 'is not there'}`,
      { next: AGAIN },
    ),
  ],
);

/** What the frontend relies on: it goes on with the old keys, and shows the plan. */
const frontend: Validation = validation(
  'frontend',
  'operations have the old task keys, and are planned as before',
  async ({ database, staged, published, asWritten }) => {
    const { partKey } = await lookForTables(database);
    return offenders(
      await database.query(
        `SELECT p.task_key, o.key, ${PLANNING_COLUMNS.map((column) => `t.${column} IS DISTINCT FROM o.${column} AS ${column}`).join(', ')}
         FROM ${staged('parts')} p
         JOIN machining_task t ON t.key = p.task_key
         ${published ? 'JOIN' : 'LEFT JOIN'} ${staged('operations')} o ON o.part_id = p.${partKey}
         WHERE ${asWritten('parts', 'p')} AND ${asWritten('operations', 'o')} AND (o.key IS DISTINCT FROM t.key
            OR ROW(${PLANNING_COLUMNS.map((column) => `t.${column}`).join(', ')})
               IS DISTINCT FROM ROW(${PLANNING_COLUMNS.map((column) => `o.${column}`).join(', ')}))
         ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `the frontend would not find ${n === 1 ? 'a task' : `${n} tasks`} as planned`,
      (row) =>
        row.key === row.task_key
          ? `${row.key}: ${PLANNING_COLUMNS.filter((column) => row[column] === true).join(', ')} would change`
          : `${row.task_key}: its operation would be ${row.key ?? 'missing'}`,
      { next: AGAIN },
    );
  },
);

/** Timers that point to migrated tasks once these are operations: whoever put them there, the new system does not find them. */
async function backOnTasks(context: ValidationContext): Promise<Finding[]> {
  const { database, staged } = context;
  return offenders(
    await database.query(
      `SELECT m.id, m.object_id FROM ${staged('timers')} m WHERE m.content_type_id = ${taskType}
         AND EXISTS (SELECT FROM ${staged('operations')} o WHERE o.key = m.object_id) ORDER BY m.id LIMIT 1000`,
    ),
    (n) => `${n === 1 ? 'a timer is' : `${n} timers are`} on tasks that are operations now`,
    (row) => `timer ${row.id}: task ${row.object_id}`,
    {
      next: 'the old application is still in use, or somebody has put them back: give them the content type of operations',
    },
  );
}

const timersFollow: Validation = validation(
  'timers-follow',
  'no timer stays with a task, there are as many as before, each with its operation',
  async (context) => {
    const { database, staged, live, settings, published, asWritten } = context;
    const exempt =
      settings.orphan_timers === 'leave'
        ? ' AND EXISTS (SELECT FROM machining_task t WHERE t.key = m.object_id)'
        : '';
    const { before, after, left } = onlyRow(
      await database.query<Record<'before' | 'after' | 'left', string>>(
        `SELECT (SELECT count(*) FROM ${live('timers')} m WHERE m.content_type_id = ${taskType}) AS before,
              (SELECT count(*) FROM ${staged('timers')} s JOIN ${live('timers')} m ON m.id = s.id) AS after,
              (SELECT count(*) FROM ${live('timers')} m WHERE m.content_type_id = ${taskType}
                 AND NOT EXISTS (SELECT FROM ${staged('timers')} s WHERE s.id = m.id)) AS left`,
      ),
    );
    return [
      ...(published ? await backOnTasks(context) : []),
      // Where a timer was before, live does not say any more.
      ...(published || BigInt(before) === BigInt(after) + BigInt(left)
        ? []
        : [
            {
              severity: 'error' as const,
              message: `${before} timers are on tasks, and ${after} would be on operations`,
              next: AGAIN,
            },
          ]),
      ...offenders(
        await database.query(
          `SELECT m.id, m.object_id FROM ${live('timers')} m WHERE m.content_type_id = ${taskType}${exempt}
             AND NOT EXISTS (SELECT FROM ${staged('timers')} s WHERE s.id = m.id) ORDER BY m.id LIMIT 1000`,
        ),
        (n) => `${n === 1 ? 'a timer' : `${n} timers`} would stay with ${n === 1 ? 'its task' : 'tasks'}`,
        (row) => `timer ${row.id}: task ${row.object_id}`,
        {
          next: [
            'rejected timers stay: correct them',
            again({ flags: { set: ['orphan_timers=leave'] } }, { lead: 'or leave them' }),
          ],
        },
      ),
      ...offenders(
        await database.query(
          `SELECT s.id, s.object_id FROM ${staged('timers')} s
           WHERE ${asWritten('timers', 's')} AND (
                 NOT EXISTS (SELECT FROM ${together(context, 'operations', 'key')} o WHERE o.key = s.object_id)
              OR NOT EXISTS (SELECT FROM ${together(context, 'contentTypes', 'id, app_label, model')} c
                             WHERE c.id = s.content_type_id AND c.app_label = $1 AND c.model = $2))
           ORDER BY s.id LIMIT 1000`,
          [OPERATION_TYPE.app, OPERATION_TYPE.model],
        ),
        (n) => `${n === 1 ? 'a timer' : `${n} timers`} would be on no operation`,
        (row) => `timer ${row.id}: ${row.object_id}`,
        { next: AGAIN },
      ),
    ];
  },
);

/** The costs of one table before and after: `by` besides the part, what tells a part's rows apart. */
async function costsFollow(
  context: ValidationContext,
  table: 'costs' | 'userCosts',
  old: string,
  by: readonly string[],
) {
  const { database, staged, live, published, asWritten } = context;
  const { partKey } = await lookForTables(database);
  const same = (left: string, right: string) =>
    ['part_id', ...by].map((column) => `${left}.${column} = ${right}.${column}`).join(' AND ');
  const ids = ['part_id', ...by];
  // What an earlier run has migrated has a life of its own in the new system.
  const before = `SELECT p.id AS part_id, ${[...by, ...COST_COLUMNS].map((column) => `c.${column}`).join(', ')}
    FROM ${old} c JOIN ${together(context, 'parts', `${partKey} AS id, task_key`)} p ON p.task_key = c.task_id
    WHERE ${published ? '' : 'NOT '}EXISTS (SELECT FROM ${live(table)} l WHERE l.part_id = p.id${by.map((column) => ` AND l.${column} = c.${column}`).join('')} AND ${published ? asWritten(table, 'l') : 'true'})`;
  const after = `SELECT ${['part_id', ...by, ...COST_COLUMNS].map((column) => `w.${column}`).join(', ')} FROM ${staged(table)} w WHERE ${asWritten(table, 'w')}`;
  const counted = (rows: string, name: string) =>
    `${name} AS (SELECT currency, count(*) AS rows, ${AMOUNTS.map((column) => `sum(${column}) AS ${column}`).join(', ')} FROM (${rows}) r GROUP BY currency)`;
  const measures = ['rows', ...AMOUNTS];
  return [
    ...offenders(
      await database.query(
        `WITH ${counted(before, 'b')}, ${counted(after, 'a')}
         SELECT currency, m.measure, m.before::text, m.after::text FROM b FULL JOIN a USING (currency)
         CROSS JOIN LATERAL (VALUES ${measures.map((column) => `('${column}', b.${column}::numeric, a.${column}::numeric)`).join(', ')}) m(measure, before, after)
         WHERE coalesce(m.before, 0) <> coalesce(m.after, 0) ORDER BY 1, 2 LIMIT 1000`,
      ),
      () =>
        `the sums of ${table === 'costs' ? 'part costs' : 'part costs by user'} would not be those of the job costs`,
      (row) => `${row.currency} ${row.measure}: ${row.before ?? 0} before, ${row.after ?? 0} after`,
      { next: AGAIN },
    ),
    ...offenders(
      await database.query(
        `SELECT ${ids.map((column) => `coalesce(b.${column}, a.${column}) AS ${column}`).join(', ')}, b.part_id IS NULL AS more, a.part_id IS NULL AS less
         FROM (${before}) b FULL JOIN (${after}) a ON ${same('b', 'a')}
         WHERE b.part_id IS NULL OR a.part_id IS NULL
            OR ROW(${COST_COLUMNS.map((column) => `b.${column}`).join(', ')}) IS DISTINCT FROM ROW(${COST_COLUMNS.map((column) => `a.${column}`).join(', ')})
         ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `the costs of ${n === 1 ? 'a part' : `${n} parts`} would not be those of the task`,
      (row: Row) =>
        `part ${row.part_id}${by.map((column) => `, ${column} ${row[column]}`).join('')}: ${row.less === true ? 'missing' : row.more === true ? 'of another task' : 'other amounts'}`,
      { next: AGAIN },
    ),
  ];
}

const costsAsBefore: Validation = validation(
  'costs-as-before',
  'as many costs as before, and equal to the cent, each sum in each currency',
  async (context) => [
    ...(await costsFollow(context, 'costs', 'machining_jobcostagg', [])),
    ...(await costsFollow(context, 'userCosts', 'machining_jobcostagguser', ['user_id'])),
  ],
);

const recomputedCosts: Validation = validation(
  'recomputed-costs',
  'with recompute=refuse: the costs are what the timers give, within the tolerance',
  async ({ database, staged, settings, published }) => {
    // The timers are on operations by now, and go on.
    if (published || settings.recompute !== 'refuse') return [];
    const lack = await lackOfRates(database);
    if (lack !== undefined)
      return [{ severity: 'error', message: `the costs cannot be compared: ${lack}`, next: AGAIN }];
    const { partKey } = await lookForTables(database);
    const differences = await database.query(
      differencesSql(
        {
          keys: `SELECT task_key AS key FROM ${staged('parts')}`,
          costs: `SELECT p.task_key, c.currency, ${AMOUNTS.map((column) => `c.${column}`).join(', ')} FROM ${staged('costs')} c JOIN ${staged('parts')} p ON p.${partKey} = c.part_id`,
        },
        rulesOf(settings),
      ),
    );
    return offenders(
      differences,
      (n) =>
        `${n === 1 ? "a part's costs differ" : `the costs of ${n} parts differ`} from what the timers give by more than ${settings.tolerance}`,
      (row) =>
        `${row.part}: ${`${row.migrated} ${row.currency}`.trim()}, timers give ${row.recomputed}${row.what === '' ? '' : ` (${row.what})`}`,
      {
        next: [
          again({}, { lead: 'have the old system reckon those costs again, then' }),
          again({ flags: { set: ['recompute=report'] } }, { lead: 'or migrate them as they are' }),
          'or allow larger differences (the setting tolerance)',
        ],
      },
    );
  },
);

/** Everything that is asked of staging before it is published. */
export const beforePublishing: readonly Validation[] = [
  stillNoActiveTimer,
  tasksAreParts,
  oneOperationAPart,
  fieldsAsBefore,
  frontend,
  timersFollow,
  costsAsBefore,
  recomputedCosts,
];
