import type { OpenOptions } from '../text/open-options.js';

/** How a JSON document is read. */
export interface JsonOptions extends OpenOptions {
  /**
   * Where the array of rows is: keys joined by dots, or a list, where keys with dots in them are to be told from
   * others. The whole document where left out.
   */
  readonly at?: string | readonly string[];
  /** Longest element of the array in bytes: 16 MiB where left out. A longer one stops the reading. */
  readonly maxRecordBytes?: number;
  /** The columns that the flow relies on. */
  readonly columns?: readonly string[];
  /** Without `at`: a document that is one object is a row, also where it holds arrays. */
  readonly single?: boolean;
}

/** How JSON Lines are read. */
export interface JsonlOptions extends OpenOptions {
  /** The columns that the flow relies on. */
  readonly columns?: readonly string[];
  /** Longest line in bytes: 16 MiB where left out. A longer one stops the reading. */
  readonly maxRecordBytes?: number;
}
