-- A LOT without a model, and without serials: it stays as it is.
INSERT INTO public.lots (id, lot_number, production_line_id, product_model_id, production_month)
VALUES (902, 'WF-KR-251121D-002', 1, NULL, '2511');
