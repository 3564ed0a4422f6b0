import { type Database, literal, onlyRow, query, type Source } from 'sluice';
import { COST_COLUMNS, OPERATION_COLUMNS, PART_COLUMNS } from './tables.js';

type Text<C extends string> = Readonly<Record<C, string | null>>;

type NewColumn = (typeof PART_COLUMNS)[number] | (typeof OPERATION_COLUMNS)[number];

/** Columns of parts and operations that a task does not have. */
const NOT_OF_TASKS = ['id', 'task_key', 'part_id', 'order', 'interchangeable'] as const;

const isOfTasks = (column: NewColumn): column is Exclude<NewColumn, (typeof NOT_OF_TASKS)[number]> =>
  !NOT_OF_TASKS.some((other) => other === column);

/** The fields that a task hands on as they are: to its part, to its operation, or to both. */
export const TASK_FIELDS = [...new Set([...PART_COLUMNS, ...OPERATION_COLUMNS].filter(isOfTasks))];

/** The old tables and their columns that the pipeline reads. */
export const OLD_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  machining_task: TASK_FIELDS,
  tasks_timer: ['id', 'content_type_id', 'object_id', 'user_id', 'start_time', 'finish_time'],
  machining_jobcostagg: ['task_id', ...COST_COLUMNS],
  machining_jobcostagguser: ['id', 'task_id', 'user_id', ...COST_COLUMNS],
  django_content_type: ['id', 'app_label', 'model'],
};

/** A task, with what its part is referred to by, and the id that it has or gets (NULL where parts have none). */
export type OldTask = Text<(typeof TASK_FIELDS)[number] | 'part_id' | 'part_number' | 'migrated'>;
/** A timer on a task; `task_key` is null where there is no such task. */
export type OldTimer = Text<'id' | 'object_id' | 'content_type_id' | 'task_key'>;
/** The costs of a task; `part_id` is null where there is no such task. */
export type OldCost = Text<(typeof COST_COLUMNS)[number] | 'task_id' | 'part_id' | 'migrated'>;
/** The costs of a task and a user. */
export type OldUserCost = OldCost & Text<'id' | 'user_id'>;
/** The content type of operations, where it is missing. */
export type NewContentType = Text<'id' | 'app_label' | 'model'>;

/** The old and the new content type, as `django_content_type` has them. */
export const TASK_TYPE = { app: 'machining', model: 'task' } as const;
export const OPERATION_TYPE = { app: 'tasks', model: 'operation' } as const;

/** Which of the new tables are there, so that a query can name them. */
export interface There extends Readonly<Record<string, unknown>> {
  readonly parts: boolean;
  readonly costs: boolean;
  readonly userCosts: boolean;
  /** Parts have a column `id`, as Django gives every model that does not say what its primary key is. */
  readonly numbered: boolean;
  /** The column of parts that operations and costs refer to: `id`, or `key` where the model says that it is the key. */
  readonly partKey: string;
}

/** The column of parts that the foreign key of operations refers to, quoted; NULL where there is none. */
const REFERRED = `(
  SELECT quote_ident(r.attname) FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'part_id' AND c.conkey = ARRAY[a.attnum]
  JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = c.confkey[1]
  WHERE c.conrelid = to_regclass('tasks_operation') AND c.confrelid = to_regclass('tasks_part') AND c.contype = 'f'
  LIMIT 1)`;

/** Looks which of the new tables are there; parts without task_key are as good as none. */
export async function lookForTables(database: Database): Promise<There> {
  return onlyRow(
    await database.query<There>(
      `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('tasks_part') AND attname = 'task_key') AS parts,
            to_regclass('tasks_partcostagg') IS NOT NULL AS costs,
            to_regclass('tasks_partcostagguser') IS NOT NULL AS "userCosts",
            p.numbered, coalesce(${REFERRED}, CASE WHEN p.numbered THEN 'id' ELSE 'key' END) AS "partKey"
     FROM (SELECT to_regclass('tasks_part') IS NULL OR EXISTS (
             SELECT FROM pg_attribute WHERE attrelid = to_regclass('tasks_part') AND attname = 'id' AND NOT attisdropped) AS numbered) p`,
    ),
  );
}

/**
 * The largest id that `table` holds or has given out, for a query: ids go on after it. Not drawn by nextval(),
 * so that a dry run takes none and a load that is resumed gives the same ones. A subquery: it is asked
 * once, and not once a row.
 */
const lastId = (table: string) =>
  `(SELECT greatest(coalesce(max(id), 0), coalesce(pg_sequence_last_value(pg_get_serial_sequence(${literal(table)}, 'id')::regclass), 0)) FROM ${table})`;

/**
 * `numbered`: every task with its part's id and what the part is referred to by: those of the part that it has become,
 * else the next free ids in the order of the keys, and the key that the part gets. The inputs read one snapshot, so all
 * of them give a task the same.
 */
function numbered({ parts, numbered, partKey }: There): string {
  const made = parts
    ? `SELECT task_key, key, ${numbered ? 'id' : 'NULL::bigint AS id'} FROM tasks_part WHERE task_key IS NOT NULL`
    : 'SELECT NULL::varchar AS task_key, NULL::varchar AS key, NULL::bigint AS id WHERE false';
  const next = `${parts ? lastId('tasks_part') : '0'}
             + count(*) FILTER (WHERE p.task_key IS NULL) OVER (ORDER BY t.key COLLATE "C" ROWS UNBOUNDED PRECEDING)`;
  const id = numbered ? `coalesce(p.id, ${next})` : 'NULL::bigint';
  return `numbered AS (
    SELECT t.key, p.${partKey} AS migrated_id, ${id} AS part_number,
           ${partKey === 'key' ? `coalesce(p.key, 'PT-' || t.key)` : id} AS part_id
    FROM machining_task t LEFT JOIN (${made}) p ON p.task_key = t.key)`;
}

const typeId = ({ app, model }: { readonly app: string; readonly model: string }) =>
  `(SELECT id FROM django_content_type WHERE app_label = ${literal(app)} AND model = ${literal(model)})`;

/** The id of the old content type, for a query. */
export const taskType = typeId(TASK_TYPE);

/** The id that the content type of operations has or gets, for a query. */
const operationType = `coalesce(${typeId(OPERATION_TYPE)}, ${lastId('django_content_type')} + 1)`;

/** The tasks in the order of their keys. */
export const tasks: Source<OldTask> = query<OldTask>(
  async ({ database }) => `WITH ${numbered(await lookForTables(database))}
    SELECT ${TASK_FIELDS.map((column) => `t.${column}`).join(', ')}, n.part_id, n.part_number, n.migrated_id IS NOT NULL AS migrated
    FROM machining_task t JOIN numbered n ON n.key = t.key ORDER BY t.key COLLATE "C"`,
  {
    name: 'machining tasks',
    table: 'machining_task',
    columns: [...TASK_FIELDS, 'part_id', 'part_number', 'migrated'],
  },
);

/** The timers that point to tasks. */
export const timers: Source<OldTimer> = query<OldTimer>(
  `SELECT m.id, m.object_id, ${operationType} AS content_type_id, t.key AS task_key
   FROM tasks_timer m LEFT JOIN machining_task t ON t.key = m.object_id
   WHERE m.content_type_id = ${taskType} ORDER BY m.id`,
  { name: 'timers of tasks', columns: ['id', 'object_id', 'content_type_id', 'task_key'] },
);

/** The content type of operations, which Django makes when it first needs it. */
export const contentType: Source<NewContentType> = query<NewContentType>(
  `SELECT ${operationType} AS id, ${literal(OPERATION_TYPE.app)} AS app_label, ${literal(OPERATION_TYPE.model)} AS model
   WHERE ${typeId(OPERATION_TYPE)} IS NULL`,
  { name: 'content type of operations', columns: ['id', 'app_label', 'model'] },
);

const costFields = COST_COLUMNS.map((column) => `c.${column}`).join(', ');

/** The costs of tasks. */
export const jobCosts: Source<OldCost> = query<OldCost>(
  async ({ database }) => {
    const there = await lookForTables(database);
    const migrated = there.costs
      ? 'EXISTS (SELECT FROM tasks_partcostagg p WHERE p.part_id = n.migrated_id)'
      : 'false';
    return `WITH ${numbered(there)}
      SELECT c.task_id, ${costFields}, n.part_id, ${migrated} AS migrated
      FROM machining_jobcostagg c LEFT JOIN numbered n ON n.key = c.task_id ORDER BY c.task_id COLLATE "C"`;
  },
  {
    name: 'job costs',
    table: 'machining_jobcostagg',
    columns: ['task_id', ...COST_COLUMNS, 'part_id', 'migrated'],
  },
);

/** The costs of tasks by user. */
export const jobUserCosts: Source<OldUserCost> = query<OldUserCost>(
  async ({ database }) => {
    const there = await lookForTables(database);
    const migrated = there.userCosts
      ? 'EXISTS (SELECT FROM tasks_partcostagguser p WHERE p.part_id = n.migrated_id AND p.user_id = c.user_id)'
      : 'false';
    return `WITH ${numbered(there)}
      SELECT c.id, c.task_id, c.user_id, ${costFields}, n.part_id, ${migrated} AS migrated
      FROM machining_jobcostagguser c LEFT JOIN numbered n ON n.key = c.task_id ORDER BY c.id`;
  },
  {
    name: 'job costs by user',
    table: 'machining_jobcostagguser',
    columns: ['id', 'task_id', 'user_id', ...COST_COLUMNS, 'part_id', 'migrated'],
  },
);
