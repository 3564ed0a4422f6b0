-- What the migration must give, said independently of it: two statements, lots and serials.
-- For systems without rejects, in which no group has more than 999 serials.

WITH numbered AS (
  SELECT l.*, p.line_code || m.model_code || l.production_month AS new_number
  FROM public.lots l
  JOIN public.production_lines p ON p.id = l.production_line_id
  JOIN public.product_models m ON m.id = l.product_model_id
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY new_number ORDER BY lot_number <> new_number, id) AS rank
  FROM numbered
)
SELECT id, new_number AS lot_number, production_line_id, product_model_id, production_month, status, target_quantity
FROM ranked
WHERE rank = 1
ORDER BY id;

WITH numbered AS (
  SELECT l.id, l.lot_number, p.line_code || m.model_code || l.production_month AS new_number
  FROM public.lots l
  JOIN public.production_lines p ON p.id = l.production_line_id
  JOIN public.product_models m ON m.id = l.product_model_id
), represented AS (
  SELECT id, new_number, lot_number = new_number AS kept,
         first_value(id) OVER (PARTITION BY new_number ORDER BY lot_number <> new_number, id) AS new_id
  FROM numbered
), positioned AS (
  SELECT s.id, r.new_id, r.new_number, r.kept, s.serial_number,
         row_number() OVER (
           PARTITION BY r.new_number, r.kept
           ORDER BY s.lot_id, length(s.serial_number), s.serial_number COLLATE "C", s.id
         ) AS position,
         coalesce(max(substr(s.serial_number, 12)::integer) FILTER (WHERE r.kept) OVER (PARTITION BY r.new_number), 0)
           AS last_kept
  FROM public.serials s
  JOIN represented r ON r.id = s.lot_id
)
SELECT id, new_id AS lot_id,
       CASE WHEN kept THEN serial_number
            ELSE new_number || lpad((last_kept + position)::text, 3, '0')
       END AS serial_number
FROM positioned
ORDER BY id;
