/** What undoing one table would do, and what was written to it since it was published. */
export interface UndoneTable {
  readonly table: string;
  readonly mode: string;
  /** Rows that were published. */
  readonly rows: number;
  /**
   * Rows put back, taken away, and added again. Where the whole table comes back none is put back (null): all that
   * were published are taken away, and all that it had come again (null where nobody has counted them).
   */
  readonly restored: number | null;
  readonly removed: number | null;
  readonly reinserted: number | null;
  readonly written_since: { readonly rows: number; readonly list: readonly string[] };
}

/** What a rollback did, or would do. */
export interface RolledBack {
  readonly batch: string;
  /** Whether nothing published is left of the batch: then it is `rolled_back`. */
  readonly whole: boolean;
  readonly tables: readonly UndoneTable[];
  /** Views under old names that go, `schema.view`; the old tables that they stood for come back. */
  readonly views: readonly string[];
  /** Views that the batch had made with its tables and that go, `schema.view`. */
  readonly made_views: readonly string[];
  /** The transaction as it would be; only of a dry run. */
  readonly statements?: string;
  readonly lock_ms: number | null;
}
