import type { PublishMode } from '../core/target.js';
import type { ColumnFacts } from '../db/catalog/columns.js';
import type { CopyRequest } from './request.js';

/** The table as the matching needs it. */
export interface MatchedTable {
  /** As messages name it: `public.orders`. */
  readonly name: string;
  readonly columns: readonly ColumnFacts[];
}

/** What the flags say about columns. */
export type MatchOptions = Pick<CopyRequest, 'map' | 'skip' | 'omit' | 'delimiter'> & {
  readonly mode: PublishMode;
  readonly key?: readonly string[];
  /** Whether the names were given (--columns) rather than read. */
  readonly headerless?: boolean;
  /** The cells of the header, where the file has one; a column without a name of its own is called `#3`. */
  readonly cells?: readonly string[];
  /** Whether later rows may have names beyond these (JSON); --skip-columns may then name those. */
  readonly open?: boolean;
};
