import type { Client } from 'pg';
import type { Row } from '../../../src/core/row.js';
import type { Rejection } from '../../../src/core/run.js';
import type { RowCheck } from '../../../src/db/catalog/row-constraints.js';
import { isDataError, type ServerError, sqlstateOf } from '../../../src/db/server-error.js';
import { breachOf, brokenRejection } from '../../publish/constraints/breach.js';
import type { CopyBuffer } from '../encode/copy-buffer.js';
import { shown } from '../encode/encoder.js';
import { CopyIn } from './copy-in.js';

/** After a refused row this many are tried next, so that many bad rows do not each cost a whole segment. */
const CAUTIOUS_ROWS = 64;

interface Range {
  /** Rows `from` (0-based) up to but not including `to`; the first one starts at byte `at`. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
  /** The server has read these rows without complaint already: no need to try them in small pieces. */
  readonly read: boolean;
}

/**
 * Loads the rows of `buffer` around those that the server refuses, inside the transaction that `client` is
 * in, and takes the refused ones out of the buffer. The line number in the error's CONTEXT says where to
 * cut; where there is none the rows are halved. A row is given up only when it was refused while it was
 * alone, so a misleading line number costs time and no row. `checks`: the CHECKs of the table. `reject` is told the row's index (0-based) in the
 * buffer as it was given. Resolves to the rows as the server counted.
 * Throws whatever is no fault of a row.
 */
export async function loadAround(
  client: Client,
  sql: string,
  buffer: CopyBuffer,
  columns: readonly string[],
  checks: readonly RowCheck[],
  reject: (row: Row, why: Rejection, index: number) => void,
): Promise<number> {
  let loaded = 0;
  let step = buffer.rows;
  const refused: number[] = [];
  const waiting: Range[] = [{ from: 0, to: buffer.rows, at: 0, read: false }];
  for (let range = waiting.pop(); range !== undefined; range = waiting.pop()) {
    const { from, to, at, read } = range;
    if (!read && to - from > step) {
      const middle = from + step;
      waiting.push(
        { from: middle, to, at: buffer.startOf(middle, { row: from, at }), read: false },
        { from, to: middle, at, read: false },
      );
      continue;
    }
    const end = buffer.startOf(to, { row: from, at });
    try {
      loaded += await copyRange(client, sql, buffer.view(at, end));
      step *= 4;
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (to - from === 1) {
        refused.push(from);
        reject(...refusal(error, buffer.readRow(from, at, columns), checks), from);
        step = CAUTIOUS_ROWS;
      } else {
        waiting.push(...cut(error, range, buffer));
      }
    }
  }
  remove(buffer, refused);
  return loaded;
}

async function copyRange(client: Client, sql: string, bytes: Buffer): Promise<number> {
  await client.query('SAVEPOINT sluice_rows');
  try {
    const copy = new CopyIn(client, sql);
    await copy.write(bytes);
    const rows = await copy.finish();
    await client.query('RELEASE SAVEPOINT sluice_rows');
    return rows;
  } catch (error) {
    // The first error is the one to tell; when the session is gone this fails as well.
    await client.query('ROLLBACK TO SAVEPOINT sluice_rows').catch(() => {});
    throw error;
  }
}

/** The pieces of a refused range, the last to be tried first (they go onto a stack). */
function cut(error: ServerError, range: Range, buffer: CopyBuffer): Range[] {
  const { from, to, at } = range;
  const line = lineOf(error);
  if (line !== undefined && line <= to - from) {
    const bad = from + line - 1;
    const badAt = buffer.startOf(bad, { row: from, at });
    const after = buffer.startOf(bad + 1, { row: bad, at: badAt });
    return [
      { from: bad + 1, to, at: after, read: false },
      { from: bad, to: bad + 1, at: badAt, read: true },
      { from, to: bad, at, read: true },
    ].filter((piece) => piece.from < piece.to);
  }
  const middle = from + Math.ceil((to - from) / 2);
  const middleAt = buffer.startOf(middle, { row: from, at });
  return [
    { from: middle, to, at: middleAt, read: true },
    { from, to: middle, at, read: true },
  ];
}

const CONTEXT = /^COPY .*, \p{L}+ (\d+)(?:, \p{L}+ ([^:\n]+?))?(?::.*)?$/mu;

/** The line (1-based) that the CONTEXT of a COPY error names, whatever language the server speaks. */
function lineOf(error: ServerError): number | undefined {
  const match = CONTEXT.exec(error.where ?? '');
  return match === null || Number(match[1]) < 1 ? undefined : Number(match[1]);
}

function refusal(error: ServerError, row: Row, checks: readonly RowCheck[]): [Row, Rejection] {
  const named = error.column ?? CONTEXT.exec(error.where ?? '')?.[2];
  const column = named !== undefined && Object.hasOwn(row, named) ? named : undefined;
  const sqlstate = sqlstateOf(error);
  const check = checks.find(({ name }) => name === error.constraint);
  const detail = error.detail === undefined ? '' : ` (${error.detail})`;
  const message = `${error.message}${detail}`;
  const breach = breachOf(sqlstate);
  if (sqlstate !== undefined && breach !== undefined) {
    const of = { reason: breach, sqlstate, constraint: error.constraint ?? null, row };
    // The DETAIL of a broken CHECK is the whole row.
    const told =
      check === undefined
        ? { columns: column === undefined ? [] : [column], expected: '', message }
        : { columns: check.columns, expected: check.expression };
    return [row, brokenRejection({ ...of, ...told })];
  }
  return [
    row,
    {
      reason: 'refused_by_server',
      message,
      ...(column === undefined ? {} : { column, value: shown(row[column]) }),
      ...(sqlstate === undefined ? {} : { sqlstate }),
    },
  ];
}

/** Takes the rows with these indexes (ascending) out of the buffer, in one pass. */
function remove(buffer: CopyBuffer, indexes: readonly number[]): void {
  let row = 0;
  let at = 0;
  let kept = 0;
  let length = 0;
  for (const index of [...indexes, buffer.rows]) {
    const end = buffer.startOf(index, { row, at });
    buffer.bytes.copyWithin(length, at, end);
    buffer.origins.copyWithin(kept, row, index);
    length += end - at;
    kept += index - row;
    if (index === buffer.rows) break;
    row = index + 1;
    at = buffer.startOf(row, { row: index, at: end });
  }
  buffer.length = length;
  buffer.rows = kept;
}
