import {
  again,
  type Check,
  type CheckContext,
  check,
  ident,
  literal,
  offenders,
  orMore,
  type TableColumn,
} from 'sluice';
import { lookForTables } from './source.js';
import { COST_COLUMNS, OPERATION_COLUMNS, PART_COLUMNS } from './tables.js';

/** What fills a column of the new tables: SQL over the old row `o`. */
interface Filling {
  readonly column: string;
  readonly value: string;
}

/** One of the new tables, and the old rows that it is filled with. */
interface Filled {
  readonly table: 'parts' | 'operations' | 'costs' | 'userCosts';
  readonly from: string;
  /** The task of the row, in SQL. */
  readonly task: string;
  readonly columns: readonly Filling[];
}

/** Values of one column that do not fit, one of them to be named. */
interface Unfit extends Readonly<Record<string, unknown>> {
  readonly task: string;
  readonly column: string;
  /** What the column takes. */
  readonly takes: string;
  /** What the value is, beginning with a long text's start. */
  readonly is: string;
  /** The greatest length of all of the column's, where that is what is wrong. */
  readonly longest: number | null;
  readonly table: Filled['table'];
}

const same = (columns: readonly string[], without: readonly string[]): Filling[] =>
  columns
    .filter((column) => !without.includes(column))
    .map((column) => ({ column, value: `o.${ident(column)}` }));

/** What goes where; `byKey`: parts are referred to by their key. */
function filledBy(byKey: boolean): Filled[] {
  const partKey = "'PT-' || t.key";
  const part = byKey ? [{ column: 'part_id', value: partKey }] : [];
  const tasks = 'machining_task o JOIN machining_task t ON t.key = o.key';
  const costs = (of: string) => `${of} o JOIN machining_task t ON t.key = o.task_id`;
  return [
    {
      table: 'parts',
      from: tasks,
      task: 't.key',
      columns: [
        { column: 'key', value: partKey },
        { column: 'task_key', value: 't.key' },
        ...same(PART_COLUMNS, ['id', 'key', 'task_key']),
      ],
    },
    {
      table: 'operations',
      from: tasks,
      task: 't.key',
      columns: [...same(OPERATION_COLUMNS, ['part_id', 'order', 'interchangeable']), ...part],
    },
    {
      table: 'costs',
      from: costs('machining_jobcostagg'),
      task: 't.key',
      columns: [...same(COST_COLUMNS, []), ...part],
    },
    {
      table: 'userCosts',
      from: costs('machining_jobcostagguser'),
      task: 't.key',
      columns: [...same(COST_COLUMNS, []), ...same(['user_id'], []), ...part],
    },
  ];
}

/** Whole numbers that a type takes, from minus one more on. */
const LARGEST: Readonly<Record<string, string>> = { smallint: '32767', integer: '2147483647' };

/**
 * A VALUES row (column, what it takes, whether the value is wrong, what it is, its length) for each thing that a value may
 * be too much, or too little, for. What is no number where one is wanted is told by the load.
 */
function questions(
  { column, value }: Filling,
  { type, length, precision, scale = 0, notNull }: TableColumn,
  triggers: boolean,
): string[] {
  const text = `(${value})::text`;
  const row = (takes: string, wrong: string, is: string, long = 'NULL') =>
    `(${literal(column)}, ${literal(takes)}, ${wrong}, ${is}, ${long}::int)`;
  const number = (wrong: string) => `CASE WHEN ${text} ~ '^-?[0-9]+([.][0-9]+)?$' THEN ${wrong} END`;
  const made: string[] = [];
  if (length !== undefined)
    made.push(
      row(
        type,
        `char_length(${text}) > ${length}`,
        `left(${text}, 40) || '…, ' || char_length(${text}) || ' characters'`,
        `char_length(${text})`,
      ),
    );
  // A trigger may put a value where none is loaded: the publish will tell.
  if (notNull && !triggers) made.push(row('no NULL', `${value} IS NULL`, "'NULL'"));
  if (precision !== undefined) {
    made.push(row(type, number(`abs(round(${text}::numeric, ${scale})) >= 1e${precision - scale}`), text));
    made.push(row(type, `${text} IN ('Infinity', '-Infinity')`, text));
    // What is rounded would not be what it was, and the run refuses it.
    made.push(row(`${type} as it is`, number(`round(${text}::numeric, ${scale}) <> ${text}::numeric`), text));
  }
  const largest = LARGEST[type];
  if (largest !== undefined)
    made.push(row(type, number(`${text}::numeric NOT BETWEEN -${largest} - 1 AND ${largest}`), text));
  return made;
}

/** Whether triggers of the table see a row before it is inserted. */
async function hasTriggers({ database, live, missing }: CheckContext, table: string): Promise<boolean> {
  if (missing(table)) return false;
  const [found] = await database.query<{ some: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal
       AND tgtype & 7 = 7) AS some`,
    [live(table)],
  );
  return found?.some === true;
}

async function unfitIn(context: CheckContext, filled: Filled, migrated: string): Promise<Unfit[]> {
  const facts = new Map((await context.tableColumns(filled.table)).map((column) => [column.name, column]));
  const triggers = await hasTriggers(context, filled.table);
  const asked = filled.columns.flatMap((filling) => {
    const column = facts.get(filling.column);
    return column === undefined ? [] : questions(filling, column, triggers);
  });
  if (asked.length === 0) return [];
  const rows = await context.database.query<Unfit>(
    `SELECT ${filled.task} AS task, q.name AS "column", q.takes, q.is, max(q.length) OVER (PARTITION BY q.name) AS longest
     FROM ${filled.from} CROSS JOIN LATERAL (VALUES ${asked.join(', ')}) q(name, takes, wrong, "is", length)
     WHERE q.wrong${migrated} ORDER BY 2, 1 LIMIT 1000`,
  );
  return rows.map((row) => ({ ...row, table: filled.table }));
}

/** What makes room for the values that are too long; none where none is. */
function roomFor(found: readonly Unfit[], { live, missing }: CheckContext): string[] {
  const long = found.filter(({ longest }) => longest !== null);
  const columns = new Map(long.map((each) => [`${live(each.table)}.${ident(each.column)}`, each]));
  if (columns.size === 0) return [];
  if (long.some(({ table }) => missing(table)))
    return [
      `or make the new tables yourself, python manage.py migrate, with longer columns (max_length): ${[...columns.keys()].join(', ')}`,
    ];
  const statements = [...columns.values()].map(
    ({ table, column, longest }) =>
      `ALTER TABLE ${live(table)} ALTER COLUMN ${ident(column)} TYPE varchar(${longest})`,
  );
  return [`or make the columns longer, here and in the models (max_length): ${statements.join('; ')}`];
}

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 40)}…` : text);

/**
 * Values of the old tables that the columns of the new ones do not take, as the load would find: no task is migrated
 * without its part, so a reject of one would only be refused later. Of tables that are missing, those that would be made.
 */
export const valuesFit: Check = check(
  'values-fit',
  'the new tables take every value of the tasks and their costs',
  async (context) => {
    const { database, live, missing } = context;
    const { parts, partKey } = await lookForTables(database);
    if (!parts && !missing('parts')) return [];
    const migrated = parts ? ' AND NOT EXISTS (SELECT FROM tasks_part p WHERE p.task_key = t.key)' : '';
    const found: Unfit[] = [];
    for (const filled of filledBy(partKey === 'key'))
      found.push(...(await unfitIn(context, filled, migrated)));
    return offenders(
      found,
      (n) =>
        `${n === 1 ? 'a value does' : `${orMore(n)} values do`} not fit into the new tables, and no task is migrated without its part and operation`,
      ({ task, table, column, takes, is }) =>
        `task ${shortened(task)}: ${live(table)}.${column} takes ${takes}, and it is ${is}`,
      {
        next: [again({}, { lead: 'correct the values in the old system, then' }), ...roomFor(found, context)],
      },
    );
  },
);
