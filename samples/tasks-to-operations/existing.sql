-- The new system in use already: run after new-tables.sql. A part that was no task, with two operations and its
-- costs; a part that was deleted has used an id; somebody works on the new operations.

INSERT INTO django_content_type (id, app_label, model) VALUES (31, 'tasks', 'operation');
SELECT setval(pg_get_serial_sequence('django_content_type', 'id'), 40);

INSERT INTO tasks_part (id, key, task_key, name, quantity, created_at)
VALUES (500, 'PT-9000', NULL, 'Born in the new system', 2, '2025-03-01 00:00:00+00');
SELECT setval(pg_get_serial_sequence('tasks_part', 'id'), 510);

INSERT INTO tasks_operation (key, part_id, name, "order", interchangeable, in_plan, plan_locked, created_at) VALUES
  ('PT-9000-OP-1', 500, 'Turn', 1, false, true, false, '2025-03-01 00:00:00+00'),
  ('PT-9000-OP-2', 500, 'Mill', 2, true, false, false, '2025-03-01 00:00:00+00');

INSERT INTO tasks_partcostagg VALUES (500, 'J-2600', 'EUR', 1, 0, 0, 22, 0, 0, 22);
INSERT INTO tasks_partcostagguser (part_id, user_id, job_no_cached, currency, hours_ww, hours_ah, hours_su, cost_ww, cost_ah, cost_su, total_cost)
VALUES (500, 1, 'J-2600', 'EUR', 1, 0, 0, 22, 0, 0, 22);

INSERT INTO tasks_timer (content_type_id, object_id, user_id, start_time, finish_time)
VALUES (31, 'PT-9000-OP-1', 1, '2025-03-10 05:00:00+00', '2025-03-10 06:00:00+00');
