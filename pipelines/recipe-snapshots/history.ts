import { view } from 'sluice';

/**
 * What the recipe history of the application shows: a line for every snapshot, with the label that its work
 * package (WP08, by WP04) wants beside those that are backfilled. The name is the recipe's as the snapshot has
 * it, since the recipe may be called otherwise now.
 */
export const recipeHistory = view('recipe_history', {
  beside: 'snapshots',
  comment: 'The snapshots of every recipe; label: "(approximated)" for those that were backfilled',
  select: (live) => `
  SELECT s.recipe_id,
         s.recipe_data::json ->> 'name' AS recipe_name,
         s.id AS snapshot_id,
         s.production_run_id,
         r.produced_at,
         s.snapshot_date,
         s.scale_factor,
         s.is_backfilled,
         CASE WHEN s.is_backfilled THEN '(approximated)' ELSE '' END AS label,
         s.recipe_data,
         s.ingredients_data
  FROM ${live('snapshots')} s
  LEFT JOIN ${live('runs')} r ON r.id = s.production_run_id`,
});
