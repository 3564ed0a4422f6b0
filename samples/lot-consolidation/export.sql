-- One line for each serial with its LOT; a LOT without serials has one line with empty serial columns.
-- In the order in which the new numbers are given: within a group the LOT that has its new number already
-- comes first, then by LOT; within a LOT the shorter serial number first, then by code point.
-- Columns of one's own are added as lot.… and serial.…: l.inspector AS "lot.inspector".
SELECT l.id AS lot_id,
       l.lot_number,
       l.production_line_id,
       p.line_code,
       l.product_model_id,
       m.model_code,
       l.production_month,
       l.status AS lot_status,
       l.target_quantity,
       l.created_at AS lot_created_at,
       l.closed_at,
       s.id AS serial_id,
       s.serial_number,
       s.status AS serial_status,
       s.created_at AS serial_created_at
FROM public.lots l
LEFT JOIN public.production_lines p ON p.id = l.production_line_id
LEFT JOIN public.product_models m ON m.id = l.product_model_id
LEFT JOIN public.serials s ON s.lot_id = l.id
ORDER BY l.production_line_id,
         l.product_model_id,
         l.production_month,
         l.lot_number IS DISTINCT FROM p.line_code || m.model_code || l.production_month,
         l.id,
         length(s.serial_number),
         s.serial_number COLLATE "C",
         s.id
