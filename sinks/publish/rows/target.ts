import { createHash } from 'node:crypto';
import { deletes, type PublishMode } from '../../../src/core/publish-mode.js';
import type { RowConstraints } from '../../../src/db/catalog/row-constraints.js';
import type { RowColumn, RowTable } from '../../../src/db/catalog/row-tables.js';
import type { OfBatch } from '../../../src/db/own-schemas.js';
import { MAX_IDENTIFIER_BYTES, qualified } from '../../../src/db/quote.js';

/** How one live table's rows are to be changed from staging. */
export interface RowTarget {
  readonly schema: string;
  readonly table: string;
  /**
   * append: insert all; merge: insert new keys, update changed rows; sync: also delete the rows whose key staging
   * lacks; patch: update known keys only.
   */
  readonly mode: Exclude<PublishMode, 'replace'>;
  /** Columns that identify a row; the primary key where left out. */
  readonly key?: readonly string[];
  /** The columns that are loaded, key included; nothing else of live is written. */
  readonly columns: readonly string[];
  /** Publish with the table's user triggers switched off; needs the owner's rights. */
  readonly noTriggers?: boolean;
  /** Publish although a trigger keeps rows from being written or deleted. Default: refuse. */
  readonly allowSuppressed?: boolean;
  /** patch: what to do with keys that live does not have. Default `refuse`. */
  readonly missing?: 'refuse' | 'skip';
  /** sync: delete nothing, since rows were rejected, and which rows of live those stand for nobody can tell. */
  readonly keepGone?: boolean;
}

/** Whether rows of live whose key staging lacks are deleted. */
export const deletesGone = ({ mode, keepGone }: RowTarget): boolean => deletes(mode) && keepGone !== true;

/** The schemas of a batch. */
export interface RowNames extends OfBatch {
  /** Holds the staging tables, each under its live table's name. */
  readonly staging: string;
  /** Holds before-images, keys and counts for as long as the batch can be undone. */
  readonly undo: string;
}

/** A target that has been checked against the catalog; see surveyRows. */
export interface RowTableFacts {
  readonly target: RowTarget;
  readonly live: RowTable;
  /** Empty only for an append to a table without any unique key. */
  readonly key: readonly RowColumn[];
  /** Whether a unique index of live enforces the key. */
  readonly keyEnforced: boolean;
  /** The loaded columns, in the target's order. */
  readonly loaded: readonly RowColumn[];
  /** The loaded columns outside the key. */
  readonly values: readonly RowColumn[];
  /** All columns that are not generated: what a before-image holds. */
  readonly image: readonly RowColumn[];
  /** What rows of the table may break. */
  readonly constraints: RowConstraints;
  /** Whether staging also has ORIGIN_COLUMNS: where rows may break something, or are to go in in their order. */
  readonly numbered: boolean;
  /** Whether new rows must go in in their order, since something numbers them: a sequence, a trigger. */
  readonly inOrder: boolean;
}

/** The qualified, quoted tables that one target uses. */
export interface RowObjects {
  readonly live: string;
  readonly staging: string;
  /** Images, before the publish, of the rows it changed. */
  readonly before: string;
  /** Images of the rows it deleted. */
  readonly deleted: string;
  /** Key and hash, after the publish, of the rows it added and changed. */
  readonly written: string;
  /** One row per published table of the batch. */
  readonly counts: string;
}

/** The column of an image that says which transaction had written the row. */
export const IMAGE_XMIN = 'sluice_xmin';

/** The table that holds the numbers of a batch's publish, in its undo schema. */
export const COUNTS_TABLE = 'publish_counts';

/** The tables of `target` under `names`. */
export function rowObjects(target: { schema: string; table: string }, names: RowNames): RowObjects {
  const undo = (suffix: string) => qualified(names.undo, undoTable(target.schema, target.table, suffix));
  return {
    live: qualified(target.schema, target.table),
    staging: qualified(names.staging, target.table),
    before: undo('before'),
    deleted: undo('deleted'),
    written: undo('written'),
    counts: qualified(names.undo, COUNTS_TABLE),
  };
}

/**
 * `table__suffix`, with the schema in front unless it is `public`. Where that is longer than an identifier
 * may be, PostgreSQL would cut it and let two tables meet; the cut end is replaced by a hash of the whole.
 */
export function undoTable(schema: string, table: string, suffix: string): string {
  const stem = schema === 'public' ? table : `${schema}.${table}`;
  const whole = `${stem}__${suffix}`;
  if (Buffer.byteLength(whole) <= MAX_IDENTIFIER_BYTES) return whole;
  const tail = `_${createHash('sha256').update(stem).digest('hex').slice(0, 12)}__${suffix}`;
  let head = '';
  for (const character of stem) {
    if (Buffer.byteLength(head + character + tail) > MAX_IDENTIFIER_BYTES) break;
    head += character;
  }
  return head + tail;
}
