import type { StagingNames } from '../../../sinks/publish/replace/names.js';

/** The schemas of a batch's rollback: where kept tables are made ready, and where what was live is kept then. */
export function undoNames(batch: string): StagingNames & { readonly batch: string } {
  return { staging: `sluice_undo_${batch}`, old: `sluice_undone_${batch}`, batch };
}
