-- The same contents as sample_data.json: the cases that a backfill meets.

INSERT INTO public.recipes VALUES
  (1, 'Sugar Cookies', 'Cookies', 'Grandma', 24, 'cookies', '2-inch cookies', 45, 'Chill the dough', NULL),
  -- Quotes, a backslash, a line break and a tab; half of it unknown.
  (2, 'The "Best" Brownies', 'Bars/Slices', NULL, 16, 'bars', NULL, NULL, E'Line one\nLine two\tand C:\\temp', NULL),
  -- Letters beyond ASCII, one beyond the BMP; less than one whole.
  (3, 'Crème brûlée 🍮', 'Desserts', 'https://example.com/?a=1&b=<2>', 0.5, 'litre', NULL, 90, NULL, 'façon Lyon'),
  -- No ingredient at all.
  (4, 'Ice Cubes', 'Other', NULL, 12, 'cubes', NULL, 240, NULL, NULL),
  -- An ingredient that was deleted, the same ingredient twice, quantities of all sizes.
  (5, 'Fruit Cake', 'Cakes', 'Book, p. 12', 1, 'cake', 'one 9-inch cake', 180, NULL, NULL),
  -- Recipe 6 was deleted. Empty texts are not NULL.
  (7, 'Gingerbread', 'Cookies', '', 30.25, 'pieces', '', 0, '', 'Gluten-free');

INSERT INTO public.ingredients VALUES
  (1, 'All-Purpose Flour', 'all_purpose_flour'),
  (2, 'Granulated Sugar', 'granulated_sugar'),
  (3, 'Butter, unsalted', 'butter_unsalted'),
  (4, 'Crème fraîche', 'creme_fraiche'),
  -- There, but without a name or slug: NULL and not "Unknown".
  (5, NULL, NULL),
  (6, 'Raisins', '');

INSERT INTO public.recipe_ingredients VALUES
  (1, 1, 1, 2.5, 'cup', NULL),
  (2, 1, 2, 1, 'cup', 'fine'),
  (3, 1, 3, 0.3333, 'lb', 'softened'),
  (4, 2, 2, 2, 'cup', NULL),
  (5, 3, 4, 0.5, 'l', 'épaisse'),
  -- Entered out of order: a snapshot has them by id.
  (12, 5, 6, 0.0001, 'kg', NULL),
  (9, 5, 99, 3, 'cup', 'candied peel, no longer kept'),
  (10, 5, 1, 1000000, 'g', NULL),
  (11, 5, 1, 0.05, 'kg', 'for dusting'),
  (13, 5, NULL, 1, 'pinch', NULL),
  (14, 7, 5, 12.3456, 'g', ''),
  -- A line of the deleted recipe.
  (15, 6, 1, 1, 'cup', NULL);

INSERT INTO public.production_runs (id, recipe_id, num_batches, produced_at, notes) VALUES
  (1, 1, 2, '2025-11-01 08:30:00', 'first of the season'),
  -- Nobody wrote down when.
  (2, 1, 1, NULL, NULL),
  (3, 2, 1, '2025-11-03 17:05:09.5', NULL),
  -- The recipe was deleted.
  (4, 6, 1, '2025-11-04 09:00:00', 'discontinued'),
  -- No recipe was ever named.
  (5, NULL, 3, '2025-11-05 09:00:00', NULL),
  -- Made since the new version is in use: it has its snapshot.
  (6, 3, 1, '2026-01-02 10:00:00', NULL),
  (7, 3, 4, '1999-12-31 23:59:59', NULL),
  (8, 4, 1, '2025-11-08 00:00:00', NULL),
  (9, 5, 1, '2024-02-29 12:00:00.123456', 'leap day'),
  (10, 7, 1, '2025-12-24 06:30:15', NULL),
  (12, 6, 1, NULL, NULL),
  (20, 5, 2, '2025-12-31 23:00:00', NULL);

INSERT INTO public.recipe_snapshots
  (id, uuid, recipe_id, production_run_id, scale_factor, snapshot_date, recipe_data, ingredients_data, is_backfilled)
VALUES
  (10, '11111111-2222-4333-8444-555555555555', 3, 6, 2.0, '2026-01-02 10:00:00',
   '{"name": "Creme brulee", "category": "Desserts"}', '[]', false);
UPDATE public.production_runs SET recipe_snapshot_id = 10 WHERE id = 6;

SELECT setval(pg_get_serial_sequence('public.' || t, 'id'), top)
FROM (VALUES ('recipes', 7), ('ingredients', 6), ('recipe_ingredients', 15), ('production_runs', 20), ('recipe_snapshots', 10)) s (t, top);
