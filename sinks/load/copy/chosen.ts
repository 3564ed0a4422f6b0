import type { Row } from '../../../src/core/row.js';
import type { ColumnFacts } from '../../../src/db/catalog/columns.js';
import type { RowCheck } from '../../../src/db/catalog/row-constraints.js';
import { idents, qualified } from '../../../src/db/quote.js';
import { copyEncoder, type Encoder } from '../encode/encoder.js';
import { ORIGIN_COLUMNS } from '../encode/ordinal.js';
import { copyColumns } from './columns.js';

/** The staging table that is filled. */
export interface StagingPlace {
  readonly schema: string;
  /** It exists, has no indexes and is filled by nobody else. */
  readonly table: string;
  /** The live table's name, as messages show it: `public.orders`. */
  readonly liveName: string;
  /** Its columns as the catalog has them. */
  readonly columns: readonly ColumnFacts[];
  /** The CHECKs that it has, for what rejects say. */
  readonly checks?: readonly RowCheck[];
  /** The columns that the pipeline declares; left out, the first row's keys say. */
  readonly wanted?: readonly string[];
  /**
   * It has ORIGIN_COLUMNS, and this is the number before its first row; left out where it has not. A load that is resumed
   * numbers on after the rows that do not come by again.
   */
  readonly numberedBehind?: number;
  /** Told of the columns that COPY fills, once the first row is there. */
  readonly onColumns?: (names: readonly string[]) => void;
}

/** The columns that COPY fills, the statement that does it, and what encodes rows for it. */
export interface Chosen {
  readonly facts: readonly ColumnFacts[];
  readonly names: readonly string[];
  /** COPY … FROM STDIN in COPY's text format. */
  readonly sql: string;
  readonly encoder: Encoder;
}

/** Chooses the columns of `place`, of which `firstRow` is the first row. Throws what `copyColumns` does. */
export function chooseColumns(place: StagingPlace, firstRow: Row | undefined): Chosen {
  const { columns, wanted, liveName, numberedBehind } = place;
  const facts = copyColumns({ table: liveName, columns }, wanted, firstRow);
  const names = facts.map((column) => column.name);
  place.onColumns?.(names);
  return {
    facts,
    names,
    sql: `COPY ${into(place, [...names, ...originColumns(place)])} FROM STDIN`,
    encoder: copyEncoder(facts, {
      closed: wanted === undefined,
      ...(numberedBehind === undefined ? {} : { numberedFrom: numberedBehind + 1 }),
    }),
  };
}

/** The columns of the table that say where its rows came from, if it has such. */
export function originColumns({ numberedBehind }: StagingPlace): readonly string[] {
  return numberedBehind === undefined ? [] : Object.values(ORIGIN_COLUMNS);
}

/** The table with the columns `names`, as COPY wants them. */
export function into({ schema, table }: StagingPlace, names: readonly string[]): string {
  return `${qualified(schema, table)} (${idents(names)})`;
}
