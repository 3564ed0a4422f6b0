-- Somebody is at work: two timers run, one on a task, one on something else.
INSERT INTO tasks_timer (content_type_id, object_id, user_id, start_time) VALUES
  (7, 'M-1007', 2, '2025-03-10 06:12:00+00'), (12, '42', 1, '2025-03-10 07:00:00+00');
