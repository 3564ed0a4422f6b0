-- The timer of a task that was deleted.
INSERT INTO tasks_timer (id, content_type_id, object_id, user_id, start_time, finish_time)
VALUES (900, 7, 'M-0999', 2, '2025-01-10 06:00:00+00', '2025-01-10 07:00:00+00');
