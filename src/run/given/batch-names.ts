import type { StagingNames } from '../../../sinks/publish/replace/names.js';

/** The schemas of a batch: where its rows are staged, and where what they replace is kept. */
export type BatchNames = StagingNames & { readonly batch: string };

/** Stands in a plan for the id that the batch will have. */
export const NO_BATCH = '<batch>';

/** The schemas of batch `batch`. */
export function namesOf(batch: string): BatchNames {
  return { staging: `sluice_staging_${batch}`, old: `sluice_old_${batch}`, batch };
}

/** The schemas of a batch's rollback: where kept tables are made ready, and where what was live is kept then. */
export function undoNames(batch: string): BatchNames {
  return { staging: `sluice_undo_${batch}`, old: `sluice_undone_${batch}`, batch };
}
