-- The number that group (KR01, PSA, 2511) must get is held by a LOT of another group: refusal.
INSERT INTO public.lots (id, lot_number, production_line_id, product_model_id, production_month)
VALUES (931, 'KR01PSA2511', 2, 1, '2512');
INSERT INTO public.serials (id, lot_id, serial_number) VALUES (93101, 931, 'KR01PSA2511001');
