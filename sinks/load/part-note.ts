import { type StageAccount, tally } from '../../src/core/accounting.js';
import type { RefusedRow } from '../../src/core/checkpoint.js';
import { loadErrors } from '../../src/core/errors/catalogue/load.js';
import type { KnownPart, Part } from '../../src/core/parts.js';
import type { Row } from '../../src/core/row.js';
import type { Rejection } from '../../src/core/run.js';
import { digestOf } from './copy/rolling-hash.js';
import type { CopyBuffer } from './encode/copy-buffer.js';
import { mostRows } from './encode/ordinal.js';

/** Where a part stands, as it is noted: what else its source has to know is in its note. */
export const placeOf = ({ start, end, line, lines }: Part) => ({ start, end, line, lines });

/** Rows of a part have numbers below those of the next one. Throws failed `part_overfull` where it has more of them. */
export function assertNumbered({ start, end, line }: Part, rows: number): void {
  const most = mostRows(end - start);
  if (rows > most) throw loadErrors.part_overfull({ rows, most, line });
}

/** The account of an end, of whose rows the server has refused some. */
export function withRefused(account: StageAccount, refused: readonly RefusedRow[]): StageAccount {
  if (refused.length === 0) return account;
  const rejected = { ...account.rejected };
  for (const { why } of refused) tally(rejected, why.reason, 1);
  return { ...account, out: account.out - refused.length, rejected };
}

/** A table of which a part is loaded already, and who is told of the rows that the server has refused then. */
export interface ComparedTable {
  readonly liveName: string;
  /** The columns of its rows. */
  readonly names: readonly string[];
  reject(row: Row, why: Rejection): void;
}

/**
 * That the rows in `buffer` are those that were loaded; of these the ones that the server refused are refused again.
 * Throws failed `not_repeatable`.
 */
export function compareLoaded(buffer: CopyBuffer, known: KnownPart, table: ComparedTable): void {
  const differs = (how: string) => loadErrors.not_repeatable.rows({ table: table.liveName, how });
  if (buffer.rows !== known.handed)
    throw differs(`a part of it gave ${buffer.rows} rows, and ${known.handed} were loaded`);
  if (digestOf(buffer.view()).toString('hex') !== known.hash)
    throw differs(`they differ from line ${known.line} to line ${known.line + known.lines - 1}`);
  for (const { index, why } of known.refused)
    table.reject(buffer.readRow(index, buffer.startOf(index), table.names), why);
}
