import type { FlowAccount } from 'sluice';
import { NO_RECIPE } from './snapshot.js';
import { ALREADY_MIGRATED } from './unmigrated.js';

/**
 * The statistics of the migration's work package (WP04), by its names. `total_runs` counts the runs without a
 * snapshot, as there; `already_migrated` those that have one, which are not among them; `migrated` in a dry
 * run those that would be; `errors` the runs that were rejected, which `sluice rejects` names.
 */
export function figures(accounts: readonly FlowAccount[]): Record<string, number> {
  const count = (of: 'skipped' | 'rejected', reason?: string) =>
    accounts
      .flatMap(({ stages }) => stages)
      .flatMap((stage) => Object.entries(stage[of]))
      .reduce((sum, [name, rows]) => (reason === undefined || name === reason ? sum + rows : sum), 0);
  const migrated = accounts
    .flatMap(({ sinks }) => sinks)
    .reduce((sum, { sink, handed }) => (sink === 'recipe_snapshots' ? sum + handed : sum), 0);
  const skipped = count('skipped', NO_RECIPE);
  const errors = count('rejected');
  return {
    total_runs: migrated + skipped + errors,
    already_migrated: count('skipped', ALREADY_MIGRATED),
    migrated,
    skipped_no_recipe: skipped,
    errors,
  };
}
