import {
  again,
  type Check,
  type CheckContext,
  check,
  type Database,
  ident,
  leavingBehind,
  leftBehind,
  type NextStep,
  named,
  noun,
  refused,
  type Stage,
} from 'sluice';
import { sort } from 'sluice/transforms';
import type { Tables } from './new-rows.js';
import { monthOfOldNumber } from './numbers.js';
import { type Carried, type Carrying, carried, unknownOf } from './others.js';
import type { OldSerial } from './source.js';

const INPUT = 'serials';
type Settings = Readonly<Record<string, string>>;

/** A file's lines may come in any order: this brings them into LOT_ORDER, on disk where they are many. */
export const inLotOrder = sort<OldSerial>({
  name: 'LOT order',
  by: [
    { column: 'production_line_id', as: 'integer' },
    { column: 'product_model_id', as: 'integer' },
    { column: 'production_month', as: 'text' },
    { column: (row) => numberClass(row), as: 'number' },
    { column: 'lot_id', as: 'integer' },
    { column: 'serial_number', as: 'shortlex' },
    { column: 'serial_id', as: 'integer' },
  ],
});

function numberClass(row: OldSerial): number {
  if (row.lot_number === `${row.line_code}${row.model_code}${row.production_month}`) return 1;
  return monthOfOldNumber(row.lot_number ?? '') === row.production_month ? 2 : 0;
}

interface Other extends Carried {
  readonly table: Carrying;
}

/** The owner's own columns of both tables. */
const all = (lots: readonly string[], serials: readonly string[]): Other[] => [
  ...carried('lots', lots).map((each): Other => ({ table: 'lots', ...each })),
  ...carried('serials', serials).map((each): Other => ({ table: 'serials', ...each })),
];

/** The owner's own columns of both tables, as the database has them. */
async function othersIn({ tableColumns }: CheckContext): Promise<Other[]> {
  const of = async (table: Carrying) =>
    unknownOf(
      table,
      (await tableColumns(table)).filter(({ generated }) => generated === undefined).map(({ name }) => name),
    );
  return all(await of('lots'), await of('serials'));
}

/** What a file may have besides the columns that the input declares. */
export const carriedInFile = async (_input: string, context: CheckContext): Promise<string[]> =>
  (await othersIn(context)).map(({ as }) => as);

const lost = (lacking: readonly Other[]) =>
  `the input has no ${noun(lacking.length, 'column', 'columns')} ${lacking.map(({ as }) => as).join(', ')}: what ${lacking.map(({ table, column }) => `${table}.${column}`).join(', ')} ${noun(lacking.length, 'holds', 'hold')} would be lost`;

/** Whether one of the columns may not be NULL. */
async function someFilled(database: Database, others: readonly Other[]): Promise<boolean> {
  const [found] = await database.query<{ some: boolean }>(
    `SELECT EXISTS (SELECT FROM jsonb_to_recordset($1::jsonb) AS w("table" text, "column" text)
       JOIN pg_attribute a ON a.attrelid = to_regclass(w."table") AND a.attname = w."column" AND a.attnotnull) AS some`,
    [JSON.stringify(others)],
  );
  return found?.some === true;
}

async function whatNow(
  database: Database,
  lacking: readonly Other[],
  settings: Settings,
): Promise<NextStep[]> {
  const them = noun(lacking.length, 'it', 'them');
  const selected = lacking.map(
    ({ table, column, as }) => `${table === 'lots' ? 'l' : 's'}.${ident(column)} AS ${ident(as)}`,
  );
  const named = lacking.map(({ as }) => `${INPUT}.${as}`);
  return [
    `export it with ${them}, in the SELECT of export.sql: ${selected.join(', ')}`,
    again({ drop: ['source', 'input'] }, { lead: 'or read the tables themselves' }),
    ...((await someFilled(database, lacking))
      ? []
      : [again(leavingBehind(settings, named), { lead: `or have ${them} empty` })]),
  ];
}

const lackingOf = (others: readonly Other[], has: (as: string) => boolean, settings: Settings) => {
  const accepted = leftBehind(settings);
  return others.filter(({ as }) => !has(as) && !accepted.includes(`${INPUT}.${as}`));
};

/** A file replaces both tables as a whole, so it must have the owner's own columns, too. */
export const fileHasOthers: Check = check(
  'owners-columns',
  'a file has the columns of one’s own that LOTs and serials have',
  async (context) => {
    const found = context.replaced(INPUT) ? await context.columnsOf(INPUT) : undefined;
    if (found === undefined) return [];
    const lacking = lackingOf(await othersIn(context), (as) => found.includes(as), context.settings);
    if (lacking.length === 0) return [];
    return [
      {
        severity: 'error',
        message: lost(lacking),
        next: await whatNow(context.database, lacking, context.settings),
      },
    ];
  },
);

/**
 * The rows as they are. Refused `columns_missing` at the end where none of them had a column of the owner's own: the
 * header of stdin, and what records of JSON have, nobody knows before.
 */
export function hasOthers({ lots, serials }: Tables, settings: Settings): Stage<OldSerial> {
  const others = all(unknownOf('lots', lots.columns), unknownOf('serials', serials.columns));
  return named('columns of one’s own', async function* (rows, run) {
    const unseen = new Set(others.map(({ as }) => as));
    let any = false;
    for await (const chunk of rows) {
      any = true;
      for (const row of unseen.size === 0 ? [] : chunk)
        for (const as of unseen) if (Object.hasOwn(row, as)) unseen.delete(as);
      yield chunk;
    }
    const lacking = lackingOf(others, (as) => !unseen.has(as), settings);
    if (any && lacking.length > 0)
      throw refused('columns_missing', lost(lacking), {
        state: 'nothing was published; live tables are untouched',
        next: await whatNow(run.database, lacking, settings),
      });
  });
}
