-- The new system has an operation of its own by the key of task M-1002; after new-tables.sql.
INSERT INTO tasks_part (id, key, name, created_at) VALUES (1, 'PT-1', 'Another shaft', '2025-03-01 00:00:00+00');
INSERT INTO tasks_operation (key, part_id, name, "order", interchangeable, in_plan, plan_locked, created_at)
VALUES ('M-1002', 1, 'Turn', 1, false, false, false, '2025-03-01 00:00:00+00');
