import { type Check, check, offenders } from 'sluice';
import { lookForTables } from './source.js';

/** The document's first step makes all tables; what a run makes in its place is less. */
export const newApplication: Check = check(
  'new-application',
  'the new application’s tables are there',
  async ({ missing }) =>
    (['parts', 'operations', 'costs', 'userCosts'] as const).some(missing)
      ? [
          {
            severity: 'note',
            message:
              'tables of the new application are missing: a run makes those that it fills, but not PartCostRecalcQueue, of which the document has only the name',
            next: 'python manage.py makemigrations tasks && python manage.py migrate   (makes all of them)',
          },
        ]
      : [],
);

/** What says of a part which task it was. */
export const taskKeyColumn: Check = check(
  'task-key',
  'parts can keep the key of the task that they were',
  async ({ database, missing, live }) => {
    if (missing('parts') || (await lookForTables(database)).parts) return [];
    return [
      {
        severity: 'error',
        message: `${live('parts')} has no column task_key: the new application is not migrated yet`,
        next: [
          'python manage.py makemigrations tasks && python manage.py migrate',
          `or: ALTER TABLE ${live('parts')} ADD COLUMN task_key varchar(255) UNIQUE`,
        ],
      },
    ];
  },
);

/** Whole numbers can go on after the largest one, and a key is made of the task's; what else refers to parts nobody here knows. */
export const partKeyKnown: Check = check(
  'part-key',
  'parts are referred to by their id, a whole number, or by their key',
  async ({ database, missing, live }) => {
    if (missing('parts')) return [];
    const rows = await database.query<{ table: string; column: string; type: string }>(
      `SELECT c.conrelid::regclass::text AS "table", r.attname AS "column", format_type(r.atttypid, NULL) AS type
       FROM pg_constraint c
       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'part_id' AND c.conkey = ARRAY[a.attnum]
       JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = c.confkey[1]
       WHERE c.contype = 'f' AND c.confrelid = to_regclass('tasks_part')
         AND c.conrelid IN (to_regclass('tasks_operation'), to_regclass('tasks_partcostagg'), to_regclass('tasks_partcostagguser'))
       UNION ALL
       SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, NULL)
       FROM pg_attribute a WHERE a.attrelid = to_regclass('tasks_part') AND a.attname = 'id' AND NOT a.attisdropped
       ORDER BY 1`,
    );
    const { partKey } = await lookForTables(database);
    const wrong = rows.filter(
      ({ column, type }) =>
        (column === 'id' && !['smallint', 'integer', 'bigint'].includes(type)) ||
        !['id', 'key'].includes(column),
    );
    const others = rows.filter(({ table, column }) => table !== 'tasks_part' && column !== partKey);
    return offenders(
      [...wrong, ...others.filter((each) => !wrong.includes(each))],
      () =>
        `${live('parts')} is referred to in a way that is not known here: by id (a whole number) or key, and everywhere by the same`,
      ({ table, column, type }) => `${table}: ${column} (${type})`,
      {
        next: 'let part_id of operations and costs refer to tasks_part.id, or to tasks_part.key, in the new application’s models; then python manage.py migrate',
      },
    );
  },
);

/** Keys that something else of the new system has already. */
export const keysFree: Check = check(
  'keys-free',
  'no part and no operation of the new system has a key that a task wants',
  async ({ database, missing, live }) => {
    const { parts, partKey } = await lookForTables(database);
    if (missing('parts') || !parts) return [];
    const findings = offenders(
      await database.query(
        `SELECT p.key, t.key AS task, p.${partKey} AS id, p.task_key FROM machining_task t JOIN ${live('parts')} p ON p.key = 'PT-' || t.key
         WHERE p.task_key IS DISTINCT FROM t.key ORDER BY 1 LIMIT 1000`,
      ),
      (n) => (n === 1 ? 'a part has the key that a task wants' : `${n} parts have the keys that tasks want`),
      (row) =>
        `${row.key}: wanted for task ${row.task}, held by part ${row.id}, ${row.task_key === null ? 'which was no task' : `which was task ${row.task_key}`}`,
      {
        next: [
          `give those parts other keys: UPDATE ${live('parts')} SET key = … WHERE ${partKey} = …`,
          `or, where one is that task migrated by hand: UPDATE ${live('parts')} SET task_key = … WHERE ${partKey} = …`,
        ],
      },
    );
    if (missing('operations')) return findings;
    findings.push(
      ...offenders(
        await database.query(
          `SELECT t.key, o.part_id, p.key AS part FROM machining_task t
           JOIN ${live('operations')} o ON o.key = t.key LEFT JOIN ${live('parts')} p ON p.${partKey} = o.part_id
           WHERE p.task_key IS DISTINCT FROM t.key ORDER BY 1 LIMIT 1000`,
        ),
        (n) => (n === 1 ? 'an operation has the key of a task' : `${n} operations have the keys of tasks`),
        (row) => `${row.key}: an operation of part ${row.part ?? row.part_id}, which was not that task`,
        { next: `give those operations other keys: UPDATE ${live('operations')} SET key = … WHERE key = …` },
      ),
      ...offenders(
        await database.query(
          `SELECT t.key, p.${partKey} AS id FROM machining_task t JOIN ${live('parts')} p ON p.task_key = t.key
           WHERE NOT EXISTS (SELECT FROM ${live('operations')} o WHERE o.key = t.key AND o.part_id = p.${partKey}) ORDER BY 1 LIMIT 1000`,
        ),
        (n) => (n === 1 ? 'a task is half migrated' : `${n} tasks are half migrated`),
        (row) => `${row.key}: there is its part, ${row.id}, and not the operation ${row.key} of it`,
        {
          next: `delete those parts, so that they are migrated as a whole: DELETE FROM ${live('parts')} WHERE ${partKey} = …; or add their operations`,
        },
      ),
    );
    return findings;
  },
);
