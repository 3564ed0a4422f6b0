-- The snapshots that the backfill must make, said independently of it: run it before. JSON as jsonb, in which
-- 24 and 24.0 are the same, and the names of the fields beside it, in their order. snapshot_date is NULL where
-- the run has none: there it is the moment of the migration.
SELECT ((SELECT coalesce(max(id), 0) FROM public.recipe_snapshots) + row_number() OVER (ORDER BY r.id))::integer AS id,
       r.recipe_id,
       r.id AS production_run_id,
       1.0::double precision AS scale_factor,
       r.produced_at AS snapshot_date,
       jsonb_build_object(
         'name', c.name, 'category', c.category, 'source', c.source, 'yield_quantity', c.yield_quantity,
         'yield_unit', c.yield_unit, 'yield_description', c.yield_description,
         'estimated_time_minutes', c.estimated_time_minutes, 'notes', c.notes, 'variant_name', c.variant_name
       ) AS recipe_data,
       'name,category,source,yield_quantity,yield_unit,yield_description,estimated_time_minutes,notes,variant_name' AS recipe_fields,
       coalesce(l.lines, '[]') AS ingredients_data,
       true AS is_backfilled
FROM public.production_runs r
JOIN public.recipes c ON c.id = r.recipe_id
LEFT JOIN (
  SELECT k.recipe_id,
         jsonb_agg(jsonb_build_object(
           'ingredient_id', k.ingredient_id,
           'ingredient_name', CASE WHEN i.id IS NULL THEN 'Unknown' ELSE i.display_name END,
           'ingredient_slug', CASE WHEN i.id IS NULL THEN '' ELSE i.slug END,
           'quantity', k.quantity::double precision,
           'unit', k.unit,
           'notes', k.notes
         ) ORDER BY k.id) AS lines
  FROM public.recipe_ingredients k
  LEFT JOIN public.ingredients i ON i.id = k.ingredient_id
  GROUP BY k.recipe_id
) l ON l.recipe_id = r.recipe_id
WHERE r.recipe_snapshot_id IS NULL
