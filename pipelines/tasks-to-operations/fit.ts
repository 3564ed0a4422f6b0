import {
  again,
  type Check,
  type CheckContext,
  check,
  ident,
  literal,
  offenders,
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
  /** Its length, where that is what is wrong. */
  readonly length: number | null;
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

/** A VALUES row for each thing that a value may be too much, or too little, for. */
function questions(
  { column, value }: Filling,
  { type, length, precision, scale = 0, notNull }: TableColumn,
): string[] {
  const text = `(${value})::text`;
  const named = literal(column);
  const takes = literal(type);
  return [
    ...(length === undefined
      ? []
      : [
          `(${named}, ${takes}, char_length(${text}) > ${length}, left(${text}, 40) || '…, ' || char_length(${text}) || ' characters', char_length(${text}))`,
        ]),
    ...(notNull ? [`(${named}, 'no NULL', ${value} IS NULL, 'NULL', NULL)`] : []),
    ...(precision === undefined
      ? []
      : // What is no number is told by the load.
        [
          `(${named}, ${takes}, CASE WHEN ${text} ~ '^-?[0-9]+(\\.[0-9]+)?$' THEN abs(round(${text}::numeric, ${scale})) >= 1e${precision - scale} END, ${text}, NULL)`,
        ]),
  ];
}

async function unfitIn(context: CheckContext, filled: Filled, migrated: string): Promise<Unfit[]> {
  const facts = new Map((await context.tableColumns(filled.table)).map((column) => [column.name, column]));
  const asked = filled.columns.flatMap((filling) => {
    const column = facts.get(filling.column);
    return column === undefined ? [] : questions(filling, column);
  });
  if (asked.length === 0) return [];
  return context.database.query<Unfit>(
    `SELECT ${filled.task} AS task, q.name AS "column", q.takes, q.is, q.length
     FROM ${filled.from} CROSS JOIN LATERAL (VALUES ${asked.join(', ')}) q(name, takes, wrong, "is", length)
     WHERE q.wrong${migrated} ORDER BY 2, 1 LIMIT 1000`,
  );
}

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
    const found: (Unfit & { readonly table: Filled['table'] })[] = [];
    for (const filled of filledBy(partKey === 'key'))
      for (const each of await unfitIn(context, filled, migrated))
        found.push({ table: filled.table, ...each });
    const wider = new Map<string, string>();
    for (const { table, column, length } of found)
      if (length !== null) {
        const longest = Math.max(
          ...found
            .filter((each) => each.table === table && each.column === column)
            .map((each) => each.length ?? 0),
        );
        wider.set(
          `${table}.${column}`,
          `ALTER TABLE ${live(table)} ALTER COLUMN ${ident(column)} TYPE varchar(${longest})`,
        );
      }
    const widening = [...wider.values()];
    return offenders(
      found,
      (n) =>
        `${n === 1 ? 'a value does' : `${n === 1000 ? '1000 or more' : n} values do`} not fit into the new tables, and no task is migrated without its part and operation`,
      ({ task, table, column, takes, is }) =>
        `task ${String(task).length > 60 ? `${String(task).slice(0, 40)}…` : task}: ${live(String(table))}.${column} takes ${takes}, and it is ${is}`,
      {
        next: [
          again({}, { lead: 'correct the values in the old system, then' }),
          ...(widening.length === 0
            ? []
            : [
                found.some(({ table }) => missing(table))
                  ? `or make the new tables yourself, python manage.py migrate, with longer columns (max_length): ${found
                      .map(({ table, column }) => `${live(table)}.${column}`)
                      .filter((name, at, all) => all.indexOf(name) === at)
                      .join(', ')}`
                  : `or make the columns longer, here and in the models (max_length): ${widening.join('; ')}`,
              ]),
        ],
      },
    );
  },
);
