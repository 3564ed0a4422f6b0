-- Group (KR02, PSA, 2511) has 1,050 serials, and three digits number 999: refusal, or --set overflow=widen.
INSERT INTO public.lots (id, lot_number, production_line_id, product_model_id, production_month)
SELECT 950 + n, 'WF-KR-251105D-' || lpad(n::text, 3, '0'), 2, 1, '2511' FROM generate_series(1, 11) AS n;
INSERT INTO public.serials (id, lot_id, serial_number)
SELECT 95000 + n, 951 + (n - 1) / 100, 'BIG-' || n FROM generate_series(1, 1050) AS n;
