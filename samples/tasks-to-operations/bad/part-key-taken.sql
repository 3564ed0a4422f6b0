-- The new system has a part of its own by the key that task M-1002 wants; after new-tables.sql.
INSERT INTO tasks_part (key, name, created_at) VALUES ('PT-M-1002', 'Another shaft', '2025-03-01 00:00:00+00');
