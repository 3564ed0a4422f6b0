import type { PublishMode } from './publish-mode.js';

export type { PublishMode } from './publish-mode.js';

/** A table to be published: how, and which of its columns the pipeline fills. Plain data. */
export interface Target<C extends string = string> {
  readonly kind: 'table';
  /**
   * `table` or `schema.table`; without a schema the search path of the database decides. Parts in SQL's quotes are what
   * stands in them; without, what is written, else what SQL folds that to.
   */
  readonly table: string;
  readonly mode: PublishMode;
  /**
   * The columns that the rows fill. Only replace may leave them out: then the first row's columns count,
   * for its staging has all of the table's columns, with their defaults.
   */
  readonly columns?: readonly C[];
  /** merge, sync, patch: the columns that identify a row. */
  readonly key?: readonly string[];
  /** replace: columns of the live table that the pipeline leaves to their defaults on purpose. */
  readonly omit?: readonly string[];
  /** What to do where the database lacks the table, for the refusal: who makes it, say. */
  readonly whenMissing?: string;
  /** append, merge, sync, patch: the table's own triggers do not fire (needs ownership). */
  readonly noTriggers?: boolean;
  /** append, merge, sync, patch: publish although a trigger keeps rows from being written or deleted. Default: refuse. */
  readonly allowSuppressed?: boolean;
  /**
   * replace: rows of other tables that keep an OID of the table (a regclass column, say) get that of the new one.
   * Default: they refuse the replace.
   */
  readonly rewriteOids?: boolean;
  /**
   * replace, sync: the share of its rows, in percent, that the table may lose. Default: 50.
   * `--max-shrink` goes before it. That none is left at all only the command can allow.
   */
  readonly maxShrink?: number;
  /** patch: what a key means that live lacks. Default: refuse. */
  readonly missing?: 'refuse' | 'skip';
}

type ReplaceOptions = Pick<Target, 'omit' | 'whenMissing' | 'maxShrink' | 'rewriteOids'>;

interface Columns<C extends string> {
  readonly columns?: readonly C[];
}

/**
 * The table's rows are replaced as a whole: staging is swapped in under the same name, and views, keys,
 * grants and everything else that pointed at the old table point at the new one.
 */
export function replace(table: string, options?: ReplaceOptions & Columns<never>): Target<never>;
export function replace<const C extends string>(
  table: string,
  options: ReplaceOptions & Columns<C>,
): Target<C>;
export function replace(table: string, options: ReplaceOptions & Columns<string> = {}): Target {
  return { kind: 'table', table, mode: 'replace', ...options };
}

/** The rows are added to those already there. */
export function append<const C extends string = never>(
  table: string,
  options: Required<Columns<C>> & Pick<Target, 'noTriggers' | 'allowSuppressed' | 'whenMissing'>,
): Target<C> {
  return { kind: 'table', table, mode: 'append', ...options };
}

/** Rows are inserted, or update the row of the same key where it differs. */
export function merge<const C extends string = never>(
  table: string,
  options: Required<Columns<C>> &
    Required<Pick<Target, 'key'>> &
    Pick<Target, 'noTriggers' | 'allowSuppressed' | 'whenMissing'>,
): Target<C> {
  return { kind: 'table', table, mode: 'merge', ...options };
}

/**
 * The table gets just the rows that are loaded, and stays the table that it is: new keys are inserted, rows that differ
 * are updated, rows whose key the load lacks are deleted. Where a row is rejected, none is deleted: which row of live it
 * stands for nobody can tell.
 */
export function sync<const C extends string = never>(
  table: string,
  options: Required<Columns<C>> &
    Required<Pick<Target, 'key'>> &
    Pick<Target, 'noTriggers' | 'allowSuppressed' | 'maxShrink' | 'whenMissing'>,
): Target<C> {
  return { kind: 'table', table, mode: 'sync', ...options };
}

/** The named columns of existing rows are updated, by key; every other column stays. */
export function patch<const C extends string = never>(
  table: string,
  options: Required<Columns<C>> &
    Required<Pick<Target, 'key'>> &
    Pick<Target, 'noTriggers' | 'allowSuppressed' | 'missing' | 'whenMissing'>,
): Target<C> {
  return { kind: 'table', table, mode: 'patch', ...options };
}
