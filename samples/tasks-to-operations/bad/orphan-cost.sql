-- The costs of a task that was deleted, in all and per user.
INSERT INTO machining_jobcostagg (task_id, job_no_cached, hours_ww, cost_ww, total_cost) VALUES ('M-0999', 'J-2400', 1, 18.40, 18.40);
INSERT INTO machining_jobcostagguser (task_id, user_id, job_no_cached, hours_ww, cost_ww, total_cost) VALUES ('M-0999', 2, 'J-2400', 1, 18.40, 18.40);
