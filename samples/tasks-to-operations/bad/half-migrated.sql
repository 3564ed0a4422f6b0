-- Somebody has begun by hand: the part of task M-1002 is there, its operation is not; after new-tables.sql.
INSERT INTO tasks_part (key, task_key, name, created_at) VALUES ('PT-M-1002', 'M-1002', 'Shaft', '2025-03-01 00:00:00+00');
