-- The documented example (LOTs 63, 64, 65) and, around it, the other cases that a migration meets.

INSERT INTO public.production_lines (id, line_code, name) VALUES
  (1, 'KR01', 'Korea, line 1'),
  (2, 'KR02', 'Korea, line 2'),
  (3, 'LI14', 'Liechtenstein, line 14');

INSERT INTO public.product_models (id, model_code, name) VALUES
  (1, 'PSA', 'Pressure sensor A'),
  (2, 'PSB', 'Pressure sensor B');

INSERT INTO public.lots
  (id, lot_number, production_line_id, product_model_id, production_month, status, target_quantity, created_at, closed_at)
VALUES
  -- Two LOTs become one; serials of two independent formats.
  (11, 'WF-KR-251118D-001', 1, 1, '2511', 'closed', 100, '2025-11-18 06:00:00+00', '2025-11-18 14:00:00+00'),
  (12, 'WF-KR-251118N-001', 1, 1, '2511', 'closed', 100, '2025-11-18 18:00:00+00', '2025-11-19 02:00:00+00'),
  -- A LOT in the new format among others: it stays, and they come after its last serial. LOT 24 is empty.
  (21, 'WF-KR-251006D-001', 2, 2, '2510', 'closed', 100, '2025-10-06 06:00:00+00', '2025-10-06 14:00:00+00'),
  (22, 'KR02PSB2510', 2, 2, '2510', 'closed', 100, '2025-10-07 06:00:00+00', '2025-10-09 14:00:00+00'),
  (23, 'WF-KR-251008N-002', 2, 2, '2510', 'in_production', 100, '2025-10-08 18:00:00+00', NULL),
  (24, 'WF-KR-251009D-001', 2, 2, '2510', 'open', 100, '2025-10-09 06:00:00+00', NULL),
  -- An empty LOT alone in its group: renamed, still empty.
  (31, 'WF-KR-251112D-001', 3, 2, '2511', 'open', 100, '2025-11-12 06:00:00+00', NULL),
  -- The LOT with the smallest id is the empty one: it represents the group and takes the serials.
  (41, 'WF-KR-251014D-001', 3, 1, '2510', 'open', 100, '2025-10-14 06:00:00+00', NULL),
  (42, 'WF-KR-251014D-002', 3, 1, '2510', 'closed', 50, '2025-10-14 07:00:00+00', '2025-10-15 07:00:00+00'),
  -- In the new format and alone: nothing to do.
  (51, 'KR01PSB2509', 1, 2, '2509', 'closed', 100, '2025-09-03 06:00:00+00', '2025-09-30 14:00:00+00'),
  -- The documented example.
  (63, 'WF-KR-251120N-003', 3, 1, '2511', 'closed', 100, '2025-11-20 18:00:00+00', '2025-11-21 02:00:00+00'),
  (64, 'WF-KR-251120N-004', 3, 1, '2511', 'closed', 100, '2025-11-20 19:00:00+00', '2025-11-21 03:00:00+00'),
  (65, 'WF-KR-251120N-005', 3, 1, '2511', 'in_production', 50, '2025-11-20 20:00:00+00', NULL);

-- Not padded: 9 must come before 10. Entered from last to first, so that ids do not follow the numbers.
INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 1000 + 31 - n, 11, 'WF-KR-251118D-001-' || n, 'shipped', timestamptz '2025-11-18 06:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 30) AS n;

-- From another machine: letters and digits without an order that anybody remembers.
INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 1100 + n, 12, 'X' || upper(substr(md5('251118N' || n), 1, 9)), 'passed', timestamptz '2025-11-18 18:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 20) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 2000 + n, 22, 'KR02PSB2510' || lpad(n::text, 3, '0'), 'shipped', timestamptz '2025-10-07 06:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 25) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 2100 + n, 21, 'B-' || n || '/2510', 'passed', timestamptz '2025-10-06 06:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 12) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 2200 + n, 23, 'psb_' || lpad(n::text, 4, '0'), 'created', timestamptz '2025-10-08 18:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 8) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 4000 + n, 42, 'WF-KR-251014D-002-' || lpad(n::text, 3, '0'), 'passed', timestamptz '2025-10-14 07:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 15) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 5000 + n, 51, 'KR01PSB2509' || lpad(n::text, 3, '0'), 'shipped', timestamptz '2025-09-03 06:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 10) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 6300 + n, 63, 'WF-KR-251120N-003-' || lpad(n::text, 3, '0'), 'shipped', timestamptz '2025-11-20 18:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 100) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 6400 + n, 64, 'WF-KR-251120N-004-' || lpad(n::text, 3, '0'), 'passed', timestamptz '2025-11-20 19:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 100) AS n;

INSERT INTO public.serials (id, lot_id, serial_number, status, created_at)
SELECT 6500 + n, 65, 'WF-KR-251120N-005-' || lpad(n::text, 3, '0'), 'created', timestamptz '2025-11-20 20:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 50) AS n;

INSERT INTO public.inspections (id, serial_id, result, inspected_at)
SELECT row_number() OVER (ORDER BY id), id, CASE WHEN id % 10 = 0 THEN 'fail' ELSE 'pass' END, created_at + interval '1 hour'
FROM public.serials WHERE id % 3 = 0;

SELECT setval(pg_get_serial_sequence('public.production_lines', 'id'), (SELECT max(id) FROM public.production_lines)),
       setval(pg_get_serial_sequence('public.product_models', 'id'), (SELECT max(id) FROM public.product_models)),
       setval(pg_get_serial_sequence('public.lots', 'id'), (SELECT max(id) FROM public.lots)),
       setval(pg_get_serial_sequence('public.serials', 'id'), (SELECT max(id) FROM public.serials)),
       setval(pg_get_serial_sequence('public.inspections', 'id'), (SELECT max(id) FROM public.inspections));
