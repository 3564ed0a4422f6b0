import type { Batch } from '../db/ledger/batches.js';
import type { Published } from '../db/ledger/published.js';

/** A batch with the tables that it has published or staged. */
export interface BatchInfo extends Batch {
  readonly published: readonly Published[];
}
