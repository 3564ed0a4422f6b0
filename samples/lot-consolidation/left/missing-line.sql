-- A LOT of which nobody noted the line: it stays as it is, with its serials.
INSERT INTO public.lots (id, lot_number, production_line_id, product_model_id, production_month)
VALUES (901, 'WF-KR-251121D-001', NULL, 1, '2511');
INSERT INTO public.serials (id, lot_id, serial_number) VALUES (90101, 901, 'NL-1'), (90102, 901, 'NL-2');
