import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { nearest } from '../../core/errors/nearest.js';
import type { Row } from '../../core/row.js';

/** Names of the records that are remembered for a message. */
const REMEMBERED = 100;

/** Watches the records of an input that has no header for the columns that a flow relies on. */
export interface NamedColumns {
  see(row: Row): void;
  /** The columns that no record has had so far. */
  readonly unseen: readonly string[];
  /** Records that somebody else has seen had all columns but these. */
  heard(unseen: readonly string[]): void;
  /**
   * Throws usage `missing_column` where records came and none of them has the column: its name is mistyped. `all`: how
   * many there were, where others were seen elsewhere.
   */
  assertSeen(all?: number): void;
}

/**
 * A record of JSON may leave out what is null, so that a single one proves nothing; a column that no record
 * has is called otherwise. Costs nothing once every column was seen. `goesOn`: records came before these.
 */
export function nameColumns(input: string, columns: readonly string[] = [], goesOn = false): NamedColumns {
  const unseen = new Set(columns);
  const names = new Set<string>();
  let rows = 0;
  return {
    heard(missing) {
      for (const name of unseen) if (!missing.includes(name)) unseen.delete(name);
    },
    get unseen() {
      return [...unseen];
    },
    see(row) {
      if (unseen.size === 0) return;
      rows++;
      for (const name of Object.keys(row)) {
        unseen.delete(name);
        if (names.size < REMEMBERED) names.add(name);
      }
    },
    assertSeen(all = rows) {
      const [missing] = unseen;
      if (missing === undefined || (all === 0 && !goesOn)) return;
      throw columnErrors.missing_column.inRecords({
        input,
        read: goesOn ? undefined : all,
        missing: [...unseen],
        meant: nearest(missing, [...names]),
        columns: [...names],
      });
    },
  };
}
