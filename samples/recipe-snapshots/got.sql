-- What the backfill has made, in the shape of expected.sql.
SELECT s.id,
       s.recipe_id,
       s.production_run_id,
       s.scale_factor,
       CASE WHEN r.produced_at IS NULL THEN NULL ELSE s.snapshot_date END AS snapshot_date,
       s.recipe_data::jsonb AS recipe_data,
       (SELECT string_agg(f, ',') FROM json_object_keys(s.recipe_data::json) f) AS recipe_fields,
       s.ingredients_data::jsonb AS ingredients_data,
       s.is_backfilled
FROM public.recipe_snapshots s
JOIN public.production_runs r ON r.id = s.production_run_id AND r.recipe_snapshot_id = s.id
WHERE s.is_backfilled
