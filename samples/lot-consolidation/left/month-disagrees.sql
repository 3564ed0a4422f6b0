-- The number says October, the column November: it stays as it is.
INSERT INTO public.lots (id, lot_number, production_line_id, product_model_id, production_month)
VALUES (921, 'WF-KR-251022D-001', 1, 1, '2511');
INSERT INTO public.serials (id, lot_id, serial_number) VALUES (92101, 921, 'MD-1');
