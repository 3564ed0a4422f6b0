import type { CheckContext } from './check-context.js';

/** A view under a name of the old system, with its columns, over the new tables. */
export interface CompatibilityView {
  /** The old table's name, unquoted and without a schema: it is made where the old table is, or would be found. */
  readonly name: string;
  /** The SELECT behind it. It is made along a search_path of pg_catalog alone: name tables by `live`. */
  readonly select: string;
  /**
   * True: the old table is in this database under this name; it is kept aside, for the way back. False: the old system
   * was elsewhere, and a table that has the name here is somebody else's, which refuses the run.
   */
  readonly replaces: boolean;
  /** Defaults for rows inserted through it: column → SQL. */
  readonly defaults?: Readonly<Record<string, string>>;
  /**
   * What writes through it do, as plpgsql statements on NEW and OLD, along a search_path of pg_catalog and with the
   * rights of the role that publishes. What is left out PostgreSQL does itself, where the view is simple enough.
   */
  readonly insert?: string;
  readonly update?: string;
  readonly remove?: string;
}

/**
 * Expand and contract: the application of before goes on with the old names and columns until its last endpoint is
 * switched. The views are made in the publishing transaction and taken away by a rollback.
 */
export interface Compatibility {
  /** What messages call the version that the names belong to, and the new one: `v1`, `v2`. */
  readonly versions: { readonly old: string; readonly new: string };
  /** The views; none where the settings want none. */
  views(context: CheckContext): readonly CompatibilityView[];
}
