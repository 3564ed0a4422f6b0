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
  /** Throws usage `missing_column` where records came and none of them has the column: its name is mistyped. */
  assertSeen(): void;
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
    assertSeen() {
      const [missing] = unseen;
      if (missing === undefined || (rows === 0 && !goesOn)) return;
      throw columnErrors.missing_column.inRecords({
        input,
        read: goesOn ? undefined : rows,
        missing: [...unseen],
        meant: nearest(missing, [...names]),
        columns: [...names],
      });
    },
  };
}
