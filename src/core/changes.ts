/**
 * What a publish does to the rows of one table. Rows; null where it cannot be known: before anything is staged, say.
 * staged = inserted + updated + unchanged + missing + suppressed.
 */
export interface Changes {
  /** Rows that the load brought. */
  readonly staged: number;
  readonly inserted: number | null;
  readonly updated: number | null;
  /** Rows that the table had already, byte by byte. */
  readonly unchanged: number | null;
  /** patch: rows whose key the table does not have. */
  readonly missing: number | null;
  /** Rows that a trigger keeps from being written. */
  readonly suppressed: number | null;
  /** Rows that go: of a table that is replaced all that it had. */
  readonly deleted: number | null;
  /** Rows that were to be deleted and that a trigger keeps. */
  readonly deletes_suppressed: number | null;
}

/** `of` rows that change nothing else; what is not given is 0. */
export function changes(of: Pick<Changes, 'staged'> & Partial<Changes>): Changes {
  return {
    ...{
      inserted: 0,
      updated: 0,
      unchanged: 0,
      missing: 0,
      suppressed: 0,
      deleted: 0,
      deletes_suppressed: 0,
    },
    ...of,
  };
}

/** How many of the staged rows the table holds once they are published: null where that is not known. */
export function heldRows({ staged, missing, suppressed }: Changes): number | null {
  return missing === null || suppressed === null ? null : staged - missing - suppressed;
}
