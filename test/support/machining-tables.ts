/** The files in expected/, in the order of the statements of expected.sql. */
export const EXPECTED = ['parts', 'operations', 'timers', 'costs', 'user-costs'] as const;

/** What expected.sql is to give, out of the tables that the migration has filled. */
export const MIGRATED = `
  SELECT * FROM tasks_part ORDER BY id;
  SELECT * FROM tasks_operation ORDER BY part_id;
  SELECT * FROM tasks_timer ORDER BY id;
  SELECT * FROM tasks_partcostagg ORDER BY part_id;
  SELECT part_id, user_id, job_no_cached, currency, hours_ww, hours_ah, hours_su, cost_ww, cost_ah, cost_su, total_cost
  FROM tasks_partcostagguser ORDER BY 1, 2`;
