/** The columns of `tasks_part` that the pipeline fills: all of them. */
export const PART_COLUMNS = [
  'id',
  'key',
  'task_key',
  'name',
  'description',
  'job_no',
  'image_no',
  'position_no',
  'quantity',
  'material',
  'dimensions',
  'weight_kg',
  'finish_time',
  'created_by_id',
  'created_at',
  'completed_by_id',
  'completion_date',
] as const;

/** The columns of `tasks_operation` that the pipeline fills: all of them. */
export const OPERATION_COLUMNS = [
  'key',
  'part_id',
  'name',
  'description',
  'order',
  'interchangeable',
  'machine_fk_id',
  'estimated_hours',
  'in_plan',
  'plan_order',
  'planned_start_ms',
  'planned_end_ms',
  'plan_locked',
  'created_by_id',
  'created_at',
  'completed_by_id',
  'completion_date',
] as const;

/** The columns that old and new costs share. */
export const COST_COLUMNS = [
  'job_no_cached',
  'currency',
  'hours_ww',
  'hours_ah',
  'hours_su',
  'cost_ww',
  'cost_ah',
  'cost_su',
  'total_cost',
] as const;

/** The columns of a cost that are added up. */
export const AMOUNTS = COST_COLUMNS.filter((column) => /^(hours|cost|total)_/.test(column));

/** What an operation must keep so that the planning view shows what it showed. */
export const PLANNING_COLUMNS = [
  'in_plan',
  'plan_order',
  'planned_start_ms',
  'planned_end_ms',
  'plan_locked',
] as const;
