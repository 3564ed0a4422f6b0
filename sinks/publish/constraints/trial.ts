import type { ClientBase } from 'pg';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { isDataError, type ServerError, sqlstateOf } from '../../../src/db/server-error.js';

import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import type { RowTrial } from '../rows/parts.js';

/** A row that the publish refuses, and what the server said when it was asked with it. */
export interface RefusedAlone {
  readonly schema: string;
  readonly table: string;
  /** Its number in the load. */
  readonly row: number;
  readonly error: ServerError;
}

export interface TrialOptions {
  /** Where the staging tables are. */
  readonly staging: string;
  /** The schema that the trial makes, in which a view stands for each staging table. */
  readonly over: string;
  /** Gives up after so many rows: whoever holds the tables' locks that long keeps others waiting. */
  readonly most: number;
  /** Asked between statements; throws where the trial is to end. */
  readonly goOn: () => void;
}

/** After a refused row so many are tried next, so that many bad rows do not each cost a whole table. */
const CAUTIOUS_ROWS = 64;

const { row: ROW } = ORIGIN_COLUMNS;
const AFTER = 'sluice.rows_after';
const UPTO = 'sluice.rows_upto';

/** Rows with numbers after `after` up to `upto`. */
interface Range {
  readonly after: number;
  readonly upto: number;
  readonly rows: number;
}

/**
 * Finds the rows that the publish refuses, by trying it: table by table as the window does, in a transaction that
 * `client` is in and that the caller rolls back. Rows are halved until one is refused alone; those before it stay, so
 * that it meets what it would have met. Also what triggers and deferred defaults make of a row is asked that way, and
 * what triggers raise. Throws whatever is no fault of a row, and that of a row beyond `most`.
 */
export async function tryRows(
  client: ClientBase,
  trials: readonly RowTrial[],
  options: TrialOptions,
): Promise<RefusedAlone[]> {
  const { over, staging } = options;
  await client.query(`CREATE SCHEMA ${ident(over)}`);
  const refused: RefusedAlone[] = [];
  for (const trial of trials) {
    const { schema, table } = trial.table;
    const rows = qualified(staging, table);
    await client.query(
      [
        `CREATE VIEW ${qualified(over, table)} AS SELECT * FROM ${rows} WHERE ${ROW} > pg_catalog.current_setting(${literal(AFTER)})::bigint AND ${ROW} <= pg_catalog.current_setting(${literal(UPTO)})::bigint`,
        ...trial.open,
      ].join('; '),
    );
    for (const { row, error } of await alone(client, trial, rows, options, refused.length))
      refused.push({ schema, table, row, error });
  }
  return refused;
}

async function alone(
  client: ClientBase,
  trial: RowTrial,
  rows: string,
  options: TrialOptions,
  before: number,
): Promise<{ readonly row: number; readonly error: ServerError }[]> {
  const refused: { row: number; error: ServerError }[] = [];
  const whole = await rangeOf(client, rows);
  const waiting: Range[] = whole.rows === 0 ? [] : [whole];
  let step = whole.rows;
  let indexed = false;
  for (let range = waiting.pop(); range !== undefined; range = waiting.pop()) {
    options.goOn();
    if (range.rows > step) {
      waiting.push(...(await split(client, rows, range, step)));
      continue;
    }
    const error = await tried(client, trial, range);
    if (error === undefined) {
      step *= 4;
    } else if (range.rows === 1) {
      refused.push({ row: range.upto, error });
      if (before + refused.length > options.most) throw error;
      step = CAUTIOUS_ROWS;
    } else {
      // Goes with the transaction.
      if (!indexed) await client.query(`CREATE INDEX ON ${rows} (${ROW}); ANALYZE ${rows}`);
      indexed = true;
      waiting.push(...(await split(client, rows, range, Math.ceil(range.rows / 2))));
    }
  }
  return withoutWaiting(client, trial, refused, options);
}

/** What the server says of a row that takes a value which another has still: one that came later gives it up, perhaps. */
const TAKEN: ReadonlySet<string | undefined> = new Set(['23505', '23P01']);

/** The refused rows without those that the table takes once all others are in it. */
async function withoutWaiting(
  client: ClientBase,
  trial: RowTrial,
  refused: readonly { readonly row: number; readonly error: ServerError }[],
  options: TrialOptions,
): Promise<{ readonly row: number; readonly error: ServerError }[]> {
  let left = [...refused];
  for (let before = -1; left.length !== before; ) {
    before = left.length;
    const still: typeof left = [];
    for (const each of left) {
      options.goOn();
      const error = TAKEN.has(sqlstateOf(each.error))
        ? await tried(client, trial, { after: each.row - 1, upto: each.row, rows: 1 })
        : each.error;
      if (error !== undefined) still.push({ row: each.row, error });
    }
    left = still;
  }
  return left;
}

/** Runs the trial with the rows of `range`; what they did stays unless one was refused, whose error it gives. */
async function tried(client: ClientBase, trial: RowTrial, range: Range): Promise<ServerError | undefined> {
  const { after, upto } = range;
  try {
    await client.query(
      [
        'SAVEPOINT sluice_try',
        `SET LOCAL ${AFTER} = ${literal(String(after))}`,
        `SET LOCAL ${UPTO} = ${literal(String(upto))}`,
        ...trial.rows,
        'RELEASE SAVEPOINT sluice_try',
      ].join('; '),
    );
    return undefined;
  } catch (error) {
    if (!isDataError(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT sluice_try; RELEASE SAVEPOINT sluice_try');
    return error;
  }
}

async function rangeOf(client: ClientBase, rows: string): Promise<Range> {
  const { rows: found } = await client.query(
    `SELECT coalesce(min(${ROW}), 1)::float8 - 1 AS after, coalesce(max(${ROW}), 0)::float8 AS upto, count(*)::float8 AS rows FROM ${rows}`,
  );
  return found[0] as Range;
}

/** The first `first` rows of a range and the others, the last to be tried first (they go onto a stack). */
async function split(client: ClientBase, rows: string, range: Range, first: number): Promise<Range[]> {
  const { rows: found } = await client.query(
    `SELECT ${ROW}::float8 AS at FROM ${rows} WHERE ${ROW} > $1 AND ${ROW} <= $2 ORDER BY ${ROW} OFFSET $3 LIMIT 1`,
    [range.after, range.upto, first - 1],
  );
  const { at } = found[0] as { at: number };
  return [
    { after: at, upto: range.upto, rows: range.rows - first },
    { after: range.after, upto: at, rows: first },
  ].filter((each) => each.rows > 0);
}
