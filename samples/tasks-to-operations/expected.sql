-- What the migration must give, said independently of it, of the old system alone with the new tables empty:
-- one statement a table, run before the migration. For systems in which every timer and every cost has its task.

SELECT rank() OVER (ORDER BY key COLLATE "C") AS id, concat('PT-', key) AS key, key AS task_key, name, description, job_no,
       image_no, position_no, quantity, material, dimensions, weight_kg, finish_time, created_by_id, created_at,
       completed_by_id, completion_date
FROM machining_task ORDER BY 1;

SELECT key, rank() OVER (ORDER BY key COLLATE "C") AS part_id, name, description, 1 AS "order", false AS interchangeable,
       machine_fk_id, estimated_hours, in_plan, plan_order, planned_start_ms, planned_end_ms, plan_locked,
       created_by_id, created_at, completed_by_id, completion_date
FROM machining_task ORDER BY 2;

SELECT id, CASE WHEN content_type_id = (SELECT id FROM django_content_type WHERE (app_label, model) = ('machining', 'task'))
                THEN coalesce((SELECT id FROM django_content_type WHERE (app_label, model) = ('tasks', 'operation')),
                              (SELECT max(id) + 1 FROM django_content_type))
                ELSE content_type_id END AS content_type_id,
       object_id, user_id, start_time, finish_time, comment
FROM tasks_timer ORDER BY 1;

WITH ranked AS (SELECT key, rank() OVER (ORDER BY key COLLATE "C") AS part_id FROM machining_task)
SELECT part_id, job_no_cached, currency, hours_ww, hours_ah, hours_su, cost_ww, cost_ah, cost_su, total_cost
FROM machining_jobcostagg JOIN ranked ON key = task_id ORDER BY 1;

WITH ranked AS (SELECT key, rank() OVER (ORDER BY key COLLATE "C") AS part_id FROM machining_task)
SELECT part_id, user_id, job_no_cached, currency, hours_ww, hours_ah, hours_su, cost_ww, cost_ah, cost_su, total_cost
FROM machining_jobcostagguser JOIN ranked ON key = task_id ORDER BY 1, 2;
