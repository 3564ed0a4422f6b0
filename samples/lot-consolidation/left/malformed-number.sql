-- Numbers in neither format: these LOTs stay as they are. The last one names a day that does not exist.
INSERT INTO public.lots (id, lot_number, production_line_id, product_model_id, production_month) VALUES
  (911, 'WF-KR-251121X-001', 1, 1, '2511'),
  (912, 'WF-KR-251121D-1', 1, 1, '2511'),
  (913, 'wf-kr-251121d-003', 1, 1, '2511'),
  (914, 'LOT 914', 1, 1, '2511'),
  (915, 'WF-KR-251131D-004', 1, 1, '2511');
INSERT INTO public.serials (id, lot_id, serial_number) VALUES (91101, 911, 'MN-1'), (91401, 914, 'MN-2');
