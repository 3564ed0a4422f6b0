-- A shop of three machinists, and beside plain tasks the cases that a migration meets. People work in
-- Europe/Istanbul (UTC+3): weekdays 07:30 to 17:00 are ww, Sundays su, everything else is ah.

INSERT INTO auth_user (id, username, first_name) VALUES
  (1, 'ayse', 'Ayşe'), (2, 'mehmet', 'Mehmet'), (3, 'kemal', 'Kemal'), (4, 'planner', 'Deniz');

INSERT INTO django_content_type (id, app_label, model) VALUES
  (4, 'auth', 'user'), (7, 'machining', 'task'), (9, 'tasks', 'timer'), (12, 'maintenance', 'request');

INSERT INTO machines_machine (id, code, name) VALUES (1, 'DMU-50', 'Milling centre'), (2, 'CTX-310', 'Lathe');

INSERT INTO machining_wagerate (user_id, effective_from, currency, base_hourly) VALUES
  (1, '2024-01-01', 'EUR', 20.00),
  (1, '2025-03-01', 'EUR', 22.00),
  (2, '2024-01-01', 'EUR', 18.40),
  (3, '2024-01-01', 'TRY', 450.00);

INSERT INTO machining_task
  (key, name, description, job_no, image_no, position_no, quantity, material, dimensions, weight_kg, finish_time,
   machine_fk_id, estimated_hours, in_plan, plan_order, planned_start_ms, planned_end_ms, plan_locked,
   created_by_id, created_at, completed_by_id, completion_date)
VALUES
  ('M-1001', 'Flange, milled', 'Both faces', 'J-2501', 'IMG-17', '3', 12, 'S355', '120x80x25', 1.870, '2025-03-14',
   1, 8.50, true, 1, 1741003200000, 1741032000000, false, 4, '2025-02-20 06:15:00.123456+00', NULL, NULL),
  -- Worked on over a midnight, a Saturday and a raise.
  ('M-1002', 'Shaft', NULL, 'J-2501', 'IMG-18', '4', 1, '42CrMo4', 'd40x600', 5.900, '2025-03-02',
   2, 26.00, false, NULL, NULL, NULL, false, 4, '2025-02-21 07:00:00+00', 1, '2025-03-01 23:05:00+00'),
  -- A key that has to be quoted wherever it goes.
  ('M-1003/A "ø25"', 'Bush "ø25", 50% spare', 'it''s soft: 2 < 3 & more', 'J-2502', 'IMG/3', '1a', 4, 'CuSn8', 'ø25', 0.120,
   '2025-03-05', 2, 0.75, true, 2, 1741068000000, 1741071600000, true, 4, '2025-02-22 08:00:00+00', 3, '2025-03-04 05:01:00+00'),
  -- Nothing known but its name.
  ('M-1004', 'Untitled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, false, NULL, NULL, NULL, false, NULL, '2025-02-23 09:00:00+00', NULL, NULL),
  -- Planned and locked, not begun; its costs are there, and nothing.
  ('M-1005', 'Cover', '', '', '', '', 0, '', '', 0.000, '2025-04-01',
   1, 0.00, true, 0, 0, 9007199254740993, true, 4, '2025-02-24 10:00:00+00', NULL, NULL),
  -- Worked on, costs never reckoned.
  ('M-1006', 'Spacer', NULL, 'J-2503', NULL, NULL, 8, 'PA6', NULL, NULL, NULL,
   1, 1.00, false, NULL, NULL, NULL, false, 4, '2025-02-25 06:00:00+00', 2, '2025-03-05 07:00:00+00'),
  -- Its costs are stale by 1.50.
  ('M-1007', 'Bracket', NULL, 'J-2503', NULL, NULL, 2, 'S235', NULL, NULL, NULL,
   1, 2.00, false, NULL, NULL, NULL, false, 4, '2025-02-26 06:00:00+00', NULL, NULL),
  -- Twenty minutes: the old system rounded the cent up.
  ('M-1008', 'Pin', NULL, 'J-2503', NULL, NULL, 100, 'C45', NULL, NULL, NULL,
   2, 0.33, false, NULL, NULL, NULL, false, 4, '2025-02-27 06:00:00+00', NULL, NULL),
  (E'Ş-1009 Ölçü', E'Ölçü\taleti', E'first line\nsecond line\\with a backslash\ttab', 'J-2504', NULL, NULL, 1, 'Çelik', '10×20', 0.001, NULL,
   NULL, NULL, true, 3, 1741100000000, NULL, false, 1, '2025-02-28 06:00:00+00', NULL, NULL),
  -- Other keys than M-1010 and M-1001, though they look the same.
  ('M-1010 ', 'Trailing space', NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL,
   NULL, NULL, false, NULL, NULL, NULL, false, NULL, '2025-02-28 07:00:00+00', NULL, NULL),
  ('m-1001', 'Lower case', NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL,
   NULL, NULL, false, NULL, NULL, NULL, false, NULL, '2025-02-28 08:00:00+00', NULL, NULL);

INSERT INTO tasks_timer (id, content_type_id, object_id, user_id, start_time, finish_time, comment) VALUES
  (101, 7, 'M-1001', 1, '2025-03-03 05:00:00+00', '2025-03-03 09:00:00+00', NULL),
  (102, 7, 'M-1001', 1, '2025-03-03 13:00:00+00', '2025-03-03 16:30:00+00', 'stayed late'),
  (103, 7, 'M-1001', 2, '2025-03-02 07:00:00+00', '2025-03-02 10:15:00+00', 'Sunday'),
  (104, 7, 'M-1001', 2, '2025-03-02 11:00:00+00', '2025-03-02 11:00:00+00', 'started and stopped at once'),
  (105, 7, 'M-1002', 1, '2025-02-28 19:00:00+00', '2025-03-01 23:00:00+00', 'forgot to stop it'),
  (106, 7, 'M-1003/A "ø25"', 3, '2025-03-04 04:00:00+00', '2025-03-04 05:00:00+00', NULL),
  (107, 7, 'M-1006', 2, '2025-03-05 06:00:00+00', '2025-03-05 07:00:00+00', NULL),
  (108, 7, 'M-1007', 2, '2025-03-06 05:00:00+00', '2025-03-06 07:00:00+00', NULL),
  (109, 7, 'M-1008', 2, '2025-03-07 05:00:00+00', '2025-03-07 05:20:00+00', NULL),
  -- Timers of other things stay with them, also where their object has a task's key.
  (110, 12, 'M-1001', 2, '2025-03-07 06:00:00+00', '2025-03-07 08:00:00+00', 'repair request'),
  (111, 12, '42', 1, '2025-03-07 08:00:00+00', '2025-03-07 08:30:00+00', NULL);

INSERT INTO machining_jobcostagg
  (task_id, job_no_cached, currency, hours_ww, cost_ww, hours_ah, cost_ah, hours_su, cost_su, total_cost) VALUES
  ('M-1001', 'J-2501', 'EUR', 5.00, 110.00, 2.50, 82.50, 3.25, 119.60, 312.10),
  ('M-1002', 'J-2501', 'EUR', 0, 0, 26.00, 852.00, 2.00, 88.00, 940.00),
  ('M-1003/A "ø25"', 'J-2502', 'TRY', 0.50, 225.00, 0.50, 337.50, 0, 0, 562.50),
  ('M-1005', '', 'EUR', 0, 0, 0, 0, 0, 0, 0),
  ('M-1007', 'J-2503', 'EUR', 2.00, 35.30, 0, 0, 0, 0, 35.30),
  ('M-1008', 'J-2503', 'EUR', 0.33, 6.14, 0, 0, 0, 0, 6.14);

INSERT INTO machining_jobcostagguser
  (id, task_id, user_id, job_no_cached, currency, hours_ww, cost_ww, hours_ah, cost_ah, hours_su, cost_su, total_cost) VALUES
  (1, 'M-1001', 1, 'J-2501', 'EUR', 5.00, 110.00, 2.50, 82.50, 0, 0, 192.50),
  (2, 'M-1001', 2, 'J-2501', 'EUR', 0, 0, 0, 0, 3.25, 119.60, 119.60),
  (3, 'M-1002', 1, 'J-2501', 'EUR', 0, 0, 26.00, 852.00, 2.00, 88.00, 940.00),
  (4, 'M-1003/A "ø25"', 3, 'J-2502', 'TRY', 0.50, 225.00, 0.50, 337.50, 0, 0, 562.50),
  (5, 'M-1007', 2, 'J-2503', 'EUR', 2.00, 35.30, 0, 0, 0, 0, 35.30),
  (6, 'M-1008', 2, 'J-2503', 'EUR', 0.33, 6.14, 0, 0, 0, 0, 6.14);

SELECT setval(pg_get_serial_sequence('auth_user', 'id'), (SELECT max(id) FROM auth_user)),
       setval(pg_get_serial_sequence('django_content_type', 'id'), (SELECT max(id) FROM django_content_type)),
       setval(pg_get_serial_sequence('machines_machine', 'id'), (SELECT max(id) FROM machines_machine)),
       setval(pg_get_serial_sequence('tasks_timer', 'id'), (SELECT max(id) FROM tasks_timer)),
       setval(pg_get_serial_sequence('machining_jobcostagguser', 'id'), (SELECT max(id) FROM machining_jobcostagguser));
